/* The 16550A UART at COM1. What is sent is gone at once, so that the transmitter is always empty; what is
 * received comes from the VM's console as fast as the guest takes it, so that nothing overruns. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "lib/errno.h"

enum {		     /* register = port & 7 */
       REG_DATA = 0, /* receiver buffer, transmitter holding; divisor low with DLAB */
       REG_IER = 1,  /* divisor high with DLAB */
       REG_IIR = 2,  /* written: FCR */
       REG_LCR = 3,
       REG_MCR = 4,
       REG_LSR = 5,
       REG_MSR = 6,
       REG_SCR = 7,
};

#define IER_RX	  BIT(0)
#define IER_THRE  BIT(1)
#define IER_LINE  BIT(2)
#define IER_MODEM BIT(3)

enum { /* interrupt sources in IIR, highest priority first */
       IIR_LINE = 0x06,
       IIR_RX = 0x04,
       IIR_RX_TIMEOUT = 0x0C,
       IIR_THRE = 0x02,
       IIR_MODEM = 0x00,
       IIR_NONE = 0x01,
       IIR_FIFO = 0xC0,
};

#define POLLS 32 /* looks for input in a row, by which a guest without interrupts shows that it wants it */

#define FCR_ENABLE   BIT(0)
#define FCR_CLEAR_RX BIT(1)

#define LCR_DLAB BIT(7)

#define MCR_LOOP BIT(4)

#define LSR_DR	  BIT(0)
#define LSR_OE	  BIT(1)
#define LSR_ERRS  0x1E
#define LSR_EMPTY 0x60 /* THRE and TEMT */

#define MSR_LINES 0xB0 /* what the other end gives: DCD, DSR, CTS */

struct uart {
	struct vm *vm;
	u8 lsr, lcr, mcr, ier, fcr, msr, scr;
	u8 dll, dlm;
	u8 polls;
	bool thre; /* the "transmitter empty" interrupt is due */
	bool irq;
	u8 head, count; /* of the receive FIFO */
	u8 fifo[16];
};

static unsigned source(const struct uart *u)
{
	static const u8 trigger[4] = {1, 4, 8, 14};

	if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRS))
		return IIR_LINE;
	/* Below the trigger level hardware waits four characters' time; here input is interactive. */
	if ((u->ier & IER_RX) && u->count)
		return (u->fcr & FCR_ENABLE) && u->count < trigger[u->fcr >> 6] ? IIR_RX_TIMEOUT : IIR_RX;
	if ((u->ier & IER_THRE) && u->thre)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && (u->msr & 0x0F))
		return IIR_MODEM;
	return IIR_NONE;
}

static void update_irq(struct uart *u)
{
	bool irq = source(u) != IIR_NONE;

	if (irq == u->irq)
		return;
	u->irq = irq;
	vm_irq_set(u->vm, IRQ_COM1, irq);
}

static unsigned depth(const struct uart *u)
{
	return u->fcr & FCR_ENABLE ? sizeof(u->fifo) : 1;
}

static void push(struct uart *u, u8 c)
{
	u->fifo[(u->head + u->count++) % sizeof(u->fifo)] = c;
	u->lsr |= LSR_DR;
}

/* Takes what the console has and the FIFO has room for. In loopback the line is cut off. */
static void fill(struct uart *u)
{
	int c;

	while (!(u->mcr & MCR_LOOP) && u->count < depth(u) && (c = vm_console_getc(u->vm)) >= 0)
		push(u, (u8)c);
}

static void input(void *dev)
{
	struct uart *u = dev;

	fill(u);
	update_irq(u);
}

static u8 read_data(struct uart *u)
{
	u8 c = u->fifo[u->head];

	if (!u->count)
		return 0;
	u->head = (u->head + 1) % sizeof(u->fifo);
	if (!--u->count)
		u->lsr &= ~LSR_DR;
	fill(u);
	update_irq(u);
	return c;
}

static void write_data(struct uart *u, u8 c)
{
	if (unlikely(u->mcr & MCR_LOOP)) {
		if (u->count < depth(u))
			push(u, c);
		else
			u->lsr |= LSR_OE;
	} else {
		u->polls = 0;
		vm_console_putc(u->vm, c);
	}
	if (!((u->ier & IER_THRE) || (u->mcr & MCR_LOOP)))
		return;
	/* Writing withdraws the interrupt until the byte is out. Without FIFO that must be seen as an edge,
	 * for drivers that never read IIR; with it the guest may be filling the FIFO, and one edge is enough.
	 */
	if (!(u->fcr & FCR_ENABLE)) {
		u->thre = false;
		update_irq(u);
	}
	u->thre = true;
	update_irq(u);
}

static u8 read_iir(struct uart *u)
{
	unsigned iir = source(u);

	if (iir == IIR_THRE) { /* reading it is its acknowledgement */
		u->thre = false;
		update_irq(u);
	}
	return iir | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static u8 read_lsr(struct uart *u)
{
	u8 lsr = u->lsr;

	if (unlikely(u->polls < POLLS && ++u->polls == POLLS)) {
		vm_console_listen(u->vm, true);
		fill(u);
	}
	if (unlikely(lsr & LSR_ERRS)) {
		u->lsr &= ~LSR_ERRS;
		update_irq(u);
	}
	return lsr;
}

static u8 read_msr(struct uart *u)
{
	u8 msr = u->msr;

	if (msr & 0x0F) {
		u->msr &= ~0x0F;
		update_irq(u);
	}
	return msr;
}

static void write_ier(struct uart *u, u8 val)
{
	if (val & ~u->ier & IER_THRE)
		u->thre =
			true; /* enabling it with an empty transmitter raises it: drivers start sending so */
	if ((val ^ u->ier) & IER_RX)
		vm_console_listen(u->vm, val & IER_RX);
	u->ier = val & 0x0F;
	fill(u);
	update_irq(u);
}

static void write_fcr(struct uart *u, u8 val)
{
	if ((val & FCR_CLEAR_RX) || ((val ^ u->fcr) & FCR_ENABLE)) {
		u->count = u->head = 0;
		u->lsr &= ~LSR_DR;
	}
	u->fcr = val & FCR_ENABLE ? val & 0xC9 : 0; /* without the enable bit nothing else is taken */
	fill(u);
	update_irq(u);
}

/* Loopback feeds RTS, DTR, OUT1 and OUT2 back as CTS, DSR, RI and DCD. */
static void write_mcr(struct uart *u, u8 val)
{
	u8 old = u->msr, lines = MSR_LINES, delta;

	u->mcr = val & 0x1F;
	if (val & MCR_LOOP)
		lines = (val & 2) << 3 | (val & 1) << 5 | (val & 4) << 4 | (val & 8) << 4;
	delta = (old ^ lines) >> 4 & 0x0B;
	if (old & ~lines & BIT(6))
		delta |= BIT(2); /* RI tells its trailing edge only */
	u->msr = lines | (old & 0x0F) | delta;
	fill(u);
	update_irq(u);
}

static u32 uart_read(void *dev, u16 port, unsigned size)
{
	struct uart *u = dev;
	bool dlab = u->lcr & LCR_DLAB;

	if (unlikely(size != 1))
		return pio_read_bytes(uart_read, dev, port, size);
	if (likely((port & 7) == REG_LSR))
		return read_lsr(u);
	switch (port & 7) {
	case REG_DATA:
		return dlab ? u->dll : read_data(u);
	case REG_IER:
		return dlab ? u->dlm : u->ier;
	case REG_IIR:
		return read_iir(u);
	case REG_LCR:
		return u->lcr;
	case REG_MCR:
		return u->mcr;
	case REG_MSR:
		return read_msr(u);
	}
	return u->scr;
}

static void uart_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct uart *u = dev;
	bool dlab = u->lcr & LCR_DLAB;

	if (unlikely(size != 1)) {
		pio_write_bytes(uart_write, dev, port, size, val);
		return;
	}
	if (likely((port & 7) == REG_DATA && !dlab)) {
		write_data(u, (u8)val);
		return;
	}
	switch (port & 7) {
	case REG_DATA:
		u->dll = (u8)val;
		break;
	case REG_IER:
		if (dlab)
			u->dlm = (u8)val;
		else
			write_ier(u, (u8)val);
		break;
	case REG_IIR:
		write_fcr(u, (u8)val);
		break;
	case REG_LCR:
		u->lcr = (u8)val;
		break;
	case REG_MCR:
		write_mcr(u, (u8)val);
		break;
	case REG_SCR:
		u->scr = (u8)val;
		break;
	}
}

static const struct pio_ops ops = {uart_read, uart_write};

int uart_create(struct vm *vm)
{
	struct uart *u = vm_zalloc(vm, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->vm = vm;
	u->lsr = LSR_EMPTY;
	u->msr = MSR_LINES;
	u->dll = 1; /* 115200 baud */
	u->lcr = 3; /* 8N1 */
	vm_console_register(vm, input, u);
	return bus_add_pio(vm, PORT_COM1, 8, &ops, u, "16550A UART");
}
