#include "host/ioapic.h"

#include "host/acpi.h"
#include "host/paging.h"
#include "lib/errno.h"

/* Intel 82093AA data sheet, 3.0. */
#define IOREGSEL    0
#define IOWIN	    (0x10 / 4)
#define REG_VERSION 0x01
#define REG_RTE(n)  (0x10 + 2 * (n))
#define RTE_LOW	    BIT(13)
#define RTE_LEVEL   BIT(15)
#define RTE_MASKED  BIT(16)
#define DEST_MAX    254 /* 255 is everybody */

static volatile u32 *regs;
static unsigned inputs;

static u32 read_reg(u32 reg)
{
	regs[IOREGSEL] = reg;
	return regs[IOWIN];
}

static void write_reg(u32 reg, u32 val)
{
	regs[IOREGSEL] = reg;
	regs[IOWIN] = val;
}

int ioapic_init(void)
{
	if (acpi.ioapic_base)
		regs = mmio_map(acpi.ioapic_base, PAGE_SIZE);
	if (!regs)
		return -ENODEV;
	inputs = (read_reg(REG_VERSION) >> 16 & 0xFF) + 1;
	for (unsigned i = 0; i < inputs; i++)
		write_reg(REG_RTE(i), RTE_MASKED);
	return 0;
}

int ioapic_route_isa(unsigned irq, u8 vector, u32 apic_id)
{
	u32 input = acpi.isa_irq[irq].gsi - acpi.ioapic_gsi_base;
	u32 low = vector;

	if (input >= inputs || apic_id > DEST_MAX)
		return -EINVAL;
	if (acpi.isa_irq[irq].low)
		low |= RTE_LOW;
	if (acpi.isa_irq[irq].level)
		low |= RTE_LEVEL;
	write_reg(REG_RTE(input) + 1, apic_id << 24);
	write_reg(REG_RTE(input), low);
	return 0;
}
