/* The 16550A UART at COM1. What is sent is gone at once, so that the transmitter is always empty; what is
 * received comes from the VM's console as fast as the guest takes it, so that nothing overruns. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "lib/errno.h"

enum {		     /* register = port & 7 */
       REG_DATA = 0, /* receiver buffer, transmitter holding; divisor low with DLAB */
       REG_IER = 1,  /* divisor high with DLAB */
       REG_IIR = 2,  /* written: */
       REG_FCR = 2,
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
	u8 reg[8];     /* but the first, and IIR; FCR is in that one's place */
	u8 divisor[2]; /* what DLAB puts over the first two */
	u8 polls;
	bool thre; /* the "transmitter empty" interrupt is due */
	bool irq;
	u8 head, count; /* of the receive FIFO */
	u8 fifo[16];
};

static unsigned source(const struct uart *u)
{
	static const u8 trigger[4] = {1, 4, 8, 14};

	if ((u->reg[REG_IER] & IER_LINE) && (u->reg[REG_LSR] & LSR_ERRS))
		return IIR_LINE;
	/* Below the trigger level hardware waits four characters' time; here input is interactive. */
	if ((u->reg[REG_IER] & IER_RX) && u->count)
		return (u->reg[REG_FCR] & FCR_ENABLE) && u->count < trigger[u->reg[REG_FCR] >> 6]
			       ? IIR_RX_TIMEOUT
			       : IIR_RX;
	if ((u->reg[REG_IER] & IER_THRE) && u->thre)
		return IIR_THRE;
	if ((u->reg[REG_IER] & IER_MODEM) && (u->reg[REG_MSR] & 0x0F))
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
	return u->reg[REG_FCR] & FCR_ENABLE ? sizeof(u->fifo) : 1;
}

static void push(struct uart *u, u8 c)
{
	u->fifo[(u->head + u->count++) % sizeof(u->fifo)] = c;
	u->reg[REG_LSR] |= LSR_DR;
}

/* Takes what the console has and the FIFO has room for. In loopback the line is cut off. */
static void fill(struct uart *u)
{
	int c;

	while (!(u->reg[REG_MCR] & MCR_LOOP) && u->count < depth(u) && (c = vm_console_getc(u->vm)) >= 0)
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
		u->reg[REG_LSR] &= ~LSR_DR;
	input(u);
	return c;
}

static void write_data(struct uart *u, u8 c)
{
	if (unlikely(u->reg[REG_MCR] & MCR_LOOP)) {
		if (u->count < depth(u))
			push(u, c);
		else
			u->reg[REG_LSR] |= LSR_OE;
	} else {
		u->polls = 0;
		vm_console_putc(u->vm, c);
	}
	if (!((u->reg[REG_IER] & IER_THRE) || (u->reg[REG_MCR] & MCR_LOOP)))
		return;
	/* Writing withdraws the interrupt until the byte is out. Without FIFO that must be seen as an edge,
	 * for drivers that never read IIR; with it the guest may be filling the FIFO, and one edge is enough.
	 */
	if (!(u->reg[REG_FCR] & FCR_ENABLE)) {
		u->thre = false;
		update_irq(u);
	}
	u->thre = true;
	update_irq(u);
}

static u8 read_iir(struct uart *u)
{
	unsigned iir = source(u);

	if (iir == IIR_THRE) /* reading it is its acknowledgement */
		u->thre = false;
	return iir | (u->reg[REG_FCR] & FCR_ENABLE ? IIR_FIFO : 0);
}

static u8 read_lsr(struct uart *u)
{
	u8 lsr = u->reg[REG_LSR];

	if (unlikely(u->polls < POLLS && ++u->polls == POLLS)) {
		vm_console_listen(u->vm, true);
		fill(u);
	}
	if (unlikely(lsr & LSR_ERRS)) {
		u->reg[REG_LSR] &= ~LSR_ERRS;
		update_irq(u);
	}
	return lsr;
}

static void write_ier(struct uart *u, u8 val)
{
	if (val & ~u->reg[REG_IER] & IER_THRE)
		u->thre =
			true; /* enabling it with an empty transmitter raises it: drivers start sending so */
	if ((val ^ u->reg[REG_IER]) & IER_RX)
		vm_console_listen(u->vm, val & IER_RX);
	u->reg[REG_IER] = val & 0x0F;
}

static void write_fcr(struct uart *u, u8 val)
{
	if ((val & FCR_CLEAR_RX) || ((val ^ u->reg[REG_FCR]) & FCR_ENABLE)) {
		u->count = u->head = 0;
		u->reg[REG_LSR] &= ~LSR_DR;
	}
	u->reg[REG_FCR] =
		val & FCR_ENABLE ? val & 0xC9 : 0; /* without the enable bit nothing else is taken */
}

/* Loopback feeds RTS, DTR, OUT1 and OUT2 back as CTS, DSR, RI and DCD. */
static void write_mcr(struct uart *u, u8 val)
{
	u8 old = u->reg[REG_MSR], lines = MSR_LINES, delta;

	u->reg[REG_MCR] = val & 0x1F;
	if (val & MCR_LOOP)
		lines = (val & 2) << 3 | (val & 1) << 5 | (val & 4) << 4 | (val & 8) << 4;
	delta = (old ^ lines) >> 4 & 0x0B;
	if (old & ~lines & BIT(6))
		delta |= BIT(2); /* RI tells its trailing edge only */
	u->reg[REG_MSR] = lines | (old & 0x0F) | delta;
}

static u32 uart_read(void *dev, u16 port, unsigned size)
{
	struct uart *u = dev;
	unsigned reg = port & 7;
	u32 val;

	if (likely(reg == REG_LSR))
		return read_lsr(u);
	if (reg <= REG_IER && (u->reg[REG_LCR] & LCR_DLAB))
		return u->divisor[reg];
	switch (reg) {
	case REG_DATA:
		return read_data(u);
	case REG_IIR:
		val = read_iir(u);
		break;
	case REG_MSR:
		val = u->reg[REG_MSR];
		u->reg[REG_MSR] &= ~0x0F;
		break;
	default:
		return u->reg[reg];
	}
	update_irq(u);
	return val;
}

static void uart_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct uart *u = dev;
	unsigned reg = port & 7;

	if (reg <= REG_IER && (u->reg[REG_LCR] & LCR_DLAB)) {
		u->divisor[reg] = (u8)val;
		return;
	}
	if (likely(reg == REG_DATA)) {
		write_data(u, (u8)val);
		return;
	}
	switch (reg) {
	case REG_IER:
		write_ier(u, (u8)val);
		break;
	case REG_FCR:
		write_fcr(u, (u8)val);
		break;
	case REG_MCR:
		write_mcr(u, (u8)val);
		break;
	case REG_LCR:
	case REG_SCR:
		u->reg[reg] = (u8)val;
		/* fall through */
	default:
		return;
	}
	input(u);
}

static const struct pio_ops ops = {uart_read, uart_write};

int uart_create(struct vm *vm)
{
	struct uart *u = vm_zalloc(vm, sizeof(*u));

	if (!u)
		return -ENOMEM;
	u->vm = vm;
	u->reg[REG_LSR] = LSR_EMPTY;
	u->reg[REG_MSR] = MSR_LINES;
	u->divisor[0] = 1;   /* 115200 baud */
	u->reg[REG_LCR] = 3; /* 8N1 */
	vm_console_register(vm, input, u);
	return bus_add_pio(vm, PORT_COM1, 8, &ops, u, "16550A UART");
}
