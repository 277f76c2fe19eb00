#include "host/uart.h"

#include "host/cpu.h"

#define COM1 0x3F8
enum { RBR = COM1, IER, FCR, LCR, MCR, LSR, MSR, SCR, IIR = FCR, DLL = RBR, DLM = IER };

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

static struct {
	bool present, interrupts, stuck;
	u8 ier;
	u32 head, tail; /* free-running */
	u8 ring[RING_SIZE];
} uart;

static bool probe(u8 pattern)
{
	outb(SCR, pattern);
	return inb(SCR) == pattern;
}

void uart_init(void)
{
	if (inb(LSR) == 0xFF || !probe(0x5A) || !probe(0xA5))
		return;
	outb(IER, 0);
	outb(LCR, LCR_DLAB | LCR_8N1);
	outb(DLL, DIVISOR);
	outb(DLM, 0);
	outb(LCR, LCR_8N1);
	outb(FCR, FCR_ENABLE);
	outb(MCR, MCR_OUT2);
	uart.present = true;
}

bool uart_present(void)
{
	return uart.present;
}

/* The transmit interrupt is on only while there is something to send: it would never end. */
static void set_ier(void)
{
	u8 ier = (u8)(IER_RX | (uart.head != uart.tail ? IER_TX : 0));

	if (uart.interrupts && ier != uart.ier)
		outb(IER, uart.ier = ier);
}

void uart_pump(void)
{
	if (uart.head == uart.tail)
		return;
	if (inb(LSR) & LSR_THRE) {
		uart.stuck = false;
		for (unsigned room = FIFO_SIZE; room && uart.head != uart.tail; room--)
			outb(RBR, uart.ring[uart.tail++ % RING_SIZE]);
	}
	set_ier(); /* also when the line is busy: its interrupt sends the rest */
}

static bool wait_for(u8 lsr_bit)
{
	for (unsigned i = 0; i < WAIT_LOOPS; i++)
		if (inb(LSR) & lsr_bit)
			return true;
	return false;
}

void uart_putc(u8 c)
{
	if (!uart.present)
		return;
	if (uart.head - uart.tail == RING_SIZE) {
		/* A line that has been dead for one full wait gets no more waits until it shows life. */
		if (!uart.stuck)
			uart.stuck = !wait_for(LSR_THRE);
		uart_pump();
		if (uart.head - uart.tail == RING_SIZE)
			uart.tail++;
	}
	uart.ring[uart.head++ % RING_SIZE] = c;
}

void uart_flush(void)
{
	while (uart.head != uart.tail && wait_for(LSR_THRE))
		uart_pump();
	if (uart.present && uart.head == uart.tail)
		wait_for(LSR_TEMT);
}

int uart_getc(void)
{
	return uart.present && inb(LSR) & LSR_DR ? inb(RBR) : -1;
}

bool uart_interrupt_pending(void)
{
	return uart.interrupts && !(inb(IIR) & IIR_NONE);
}

void uart_enable_interrupts(void)
{
	uart.interrupts = uart.present;
	set_ier();
}
