/* The 82093AA IOAPIC, version 20h: 24 pins, with the EOI register. A line is "asserted" whatever polarity the
 * guest sets, as KVM has it: nothing here has a voltage. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "lib/errno.h"

/* MMIO offsets */
#define IOREGSEL   0x00
#define IOWIN	   0x10
#define IOAPIC_EOI 0x40

/* Indices for IOREGSEL */
enum { REG_ID = 0, REG_VERSION = 1, REG_ARB = 2, REG_REDIR = 0x10 };
#define VERSION 0x20

/* A redirection entry */
#define REDIR_STATUS	 BIT(12)
#define REDIR_REMOTE_IRR BIT(14)
#define REDIR_LEVEL	 BIT(15)
#define REDIR_MASKED	 BIT(16)
#define REDIR_LOW_RW	 0x1AFFFU
#define REDIR_HIGH_RW	 0xFF000000U

struct ioapic {
	struct vm *vm;
	u32 id;
	u8 select;
	u32 lines;	/* asserted */
	u32 remote_irr; /* pins whose entry has it set */
	u64 redir[IOAPIC_PINS];
};

static bool send(struct ioapic *io, u64 e)
{
	struct apic_msg msg = {
		.dest = e >> 56,
		.vector = (u8)e,
		.delivery = e >> 8 & 7,
		.logical = e >> 11 & 1,
		.level = !!(e & REDIR_LEVEL),
	};

	return vm_apic_deliver(io->vm, &msg);
}

/* A level-triggered pin sends while its line is asserted and no sent interrupt waits for its EOI: remote IRR
 * is of those that a LAPIC has accepted (82093AA 3.2.4). */
static void service_level(struct ioapic *io, unsigned pin)
{
	u64 e = io->redir[pin];

	if (!(io->lines & BIT(pin)) || (e & (REDIR_MASKED | REDIR_REMOTE_IRR)))
		return;
	if (send(io, e)) {
		io->redir[pin] |= REDIR_REMOTE_IRR;
		io->remote_irr |= BIT(pin);
	}
}

static void ioapic_set(void *chip, unsigned gsi, bool level)
{
	struct ioapic *io = chip;
	unsigned pin = gsi == IRQ_PIT ? IOAPIC_PIN_PIT : gsi;
	u32 old = io->lines;

	if (pin >= IOAPIC_PINS)
		return;
	if (!level) {
		io->lines = old & ~BIT(pin);
		return;
	}
	io->lines = old | BIT(pin);
	if (io->redir[pin] & REDIR_LEVEL)
		service_level(io, pin);
	else if (!(old & BIT(pin)) && !(io->redir[pin] & REDIR_MASKED))
		send(io, io->redir[pin]);
}

static const struct irqchip_ops irqchip_ops = {ioapic_set};

static void ioapic_eoi(void *chip, u8 vector)
{
	struct ioapic *io = chip;

	for (u32 left = io->lines | io->remote_irr; left; left &= left - 1) {
		unsigned pin = __builtin_ctz(left);

		if ((u8)io->redir[pin] == vector) {
			io->redir[pin] &= ~REDIR_REMOTE_IRR;
			io->remote_irr &= ~BIT(pin);
		}
		if (io->redir[pin] & REDIR_LEVEL)
			service_level(io, pin);
	}
}

static u32 read_register(struct ioapic *io)
{
	unsigned pin = (io->select - REG_REDIR) / 2;

	if (io->select == REG_ID || io->select == REG_ARB)
		return io->id;
	if (io->select == REG_VERSION)
		return VERSION | (IOAPIC_PINS - 1) << 16;
	if (io->select < REG_REDIR || pin >= IOAPIC_PINS)
		return 0;
	return (u32)(io->select & 1 ? io->redir[pin] >> 32 : io->redir[pin]);
}

static void write_register(struct ioapic *io, u32 val)
{
	unsigned pin = (io->select - REG_REDIR) / 2;
	u64 *e;

	if (io->select == REG_ID)
		io->id = val & 0x0F000000;
	if (io->select < REG_REDIR || pin >= IOAPIC_PINS)
		return;
	e = &io->redir[pin];
	if (io->select & 1) {
		*e = (u32)*e | (u64)(val & REDIR_HIGH_RW) << 32;
		return;
	}
	*e = (*e & ~(u64)REDIR_LOW_RW) | (val & REDIR_LOW_RW);
	if (!(*e & REDIR_LEVEL)) { /* how guests clear a stuck remote IRR */
		*e &= ~REDIR_REMOTE_IRR;
		io->remote_irr &= ~BIT(pin);
	} else {
		service_level(io, pin);
	}
}

static u64 ioapic_read(void *dev, u64 offset, unsigned size)
{
	struct ioapic *io = dev;

	if (offset == IOWIN)
		return read_register(io);
	return offset == IOREGSEL ? io->select : 0;
}

static void ioapic_write(void *dev, u64 offset, unsigned size, u64 val)
{
	struct ioapic *io = dev;

	if (offset == IOREGSEL)
		io->select = (u8)val;
	else if (offset == IOWIN)
		write_register(io, (u32)val);
	else if (offset == IOAPIC_EOI)
		ioapic_eoi(io, (u8)val);
}

static const struct mmio_ops mmio_ops = {ioapic_read, ioapic_write};

int ioapic_create(struct vm *vm)
{
	struct ioapic *io = vm_zalloc(vm, sizeof(*io));
	int err;

	if (!io)
		return -ENOMEM;
	io->vm = vm;
	io->id = IOAPIC_ID << 24;
	for (unsigned i = 0; i < IOAPIC_PINS; i++)
		io->redir[i] = REDIR_MASKED;
	vm_eoi_register(vm, ioapic_eoi, io);
	err = vm_add_irqchip(vm, &irqchip_ops, io);
	return err ? err : bus_add_mmio(vm, IOAPIC_BASE, PAGE_SIZE, &mmio_ops, io, "IOAPIC");
}
