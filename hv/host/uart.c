#include "host/uart.h"

#include "host/cpu.h"

enum { RBR, IER, FCR, LCR, MCR, LSR, MSR, SCR, IIR = FCR, DLL = RBR, DLM = IER };

#define IER_RX	   BIT(0)
#define IER_TX	   BIT(1)
#define LCR_8N1	   0x03
#define LCR_DLAB   0x80
#define FCR_ENABLE 0x07 /* FIFOs on and emptied, interrupt at the first byte */
#define MCR_OUT2   0x0B /* DTR, RTS, and OUT2, which lets the interrupt through */
#define IIR_NONE   BIT(0)
#define LSR_DR	   BIT(0)
#define LSR_THRE   BIT(5)
#define LSR_TEMT   BIT(6)
#define FIFO_SIZE  16
#define DIVISOR	   1	  /* 115200 */
#define WAIT_LOOPS 200000 /* a FIFO takes 1.4 ms to drain, a status read from 0.01 to 2 us */
#define RING_SIZE  4096

struct uart {
	u16 port;
	bool present, interrupts, stuck;
	u8 ier;
	u32 head, tail; /* free-running */
	u8 ring[RING_SIZE];
};

struct uart com1, com2;

static u8 in(const struct uart *u, u16 reg)
{
	return inb(u->port + reg);
}

static void out(const struct uart *u, u16 reg, u8 val)
{
	outb(u->port + reg, val);
}

static bool probe(const struct uart *u, u8 pattern)
{
	out(u, SCR, pattern);
	return in(u, SCR) == pattern;
}

void uart_init(struct uart *u, u16 port)
{
	u->port = port;
	if (in(u, LSR) == 0xFF || !probe(u, 0x5A) || !probe(u, 0xA5))
		return;
	out(u, IER, 0);
	out(u, LCR, LCR_DLAB | LCR_8N1);
	out(u, DLL, DIVISOR);
	out(u, DLM, 0);
	out(u, LCR, LCR_8N1);
	out(u, FCR, FCR_ENABLE);
	out(u, MCR, MCR_OUT2);
	u->present = true;
}

bool uart_present(const struct uart *u)
{
	return u->present;
}

/* The transmit interrupt is on only while there is something to send: it would never end. */
static void set_ier(struct uart *u)
{
	u8 ier = (u8)(IER_RX | (u->head != u->tail ? IER_TX : 0));

	if (u->interrupts && ier != u->ier)
		out(u, IER, u->ier = ier);
}

void uart_pump(struct uart *u)
{
	if (u->head == u->tail)
		return;
	if (in(u, LSR) & LSR_THRE) {
		u->stuck = false;
		for (unsigned room = FIFO_SIZE; room && u->head != u->tail; room--)
			out(u, RBR, u->ring[u->tail++ % RING_SIZE]);
	}
	set_ier(u); /* also when the line is busy: its interrupt sends the rest */
}

static bool wait_for(const struct uart *u, u8 lsr_bit)
{
	for (unsigned i = 0; i < WAIT_LOOPS; i++)
		if (in(u, LSR) & lsr_bit)
			return true;
	return false;
}

void uart_putc(struct uart *u, u8 c)
{
	if (!u->present)
		return;
	if (u->head - u->tail == RING_SIZE) {
		/* A line that has been dead for one full wait gets no more waits until it shows life. */
		if (!u->stuck)
			u->stuck = !wait_for(u, LSR_THRE);
		uart_pump(u);
		if (u->head - u->tail == RING_SIZE)
			u->tail++;
	}
	u->ring[u->head++ % RING_SIZE] = c;
}

void uart_flush(struct uart *u)
{
	while (u->head != u->tail && wait_for(u, LSR_THRE))
		uart_pump(u);
	if (u->present && u->head == u->tail)
		wait_for(u, LSR_TEMT);
}

int uart_getc(struct uart *u)
{
	return u->present && in(u, LSR) & LSR_DR ? in(u, RBR) : -1;
}

bool uart_interrupt_pending(struct uart *u)
{
	return u->interrupts && !(in(u, IIR) & IIR_NONE);
}

void uart_enable_interrupts(struct uart *u)
{
	u->interrupts = u->present;
	set_ier(u);
}
