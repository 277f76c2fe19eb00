/* Ending the PC by the registers that ACPI names, and by those that PCs have always had. */
#include "host/acpi.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "host/paging.h"

#define PM1_SCI_EN   BIT(0)
#define PM1_SLP_TYP  (7 << 10)
#define PM1_SLP_EN   BIT(13)
#define PCI_RESET    0xCF9
#define KBC_COMMAND  0x64
#define KBC_RESET    0xFE
#define ENABLE_LOOPS 300000 /* firmware takes milliseconds for it */
#define RESET_LOOPS  1000000

static void enable(void)
{
	if (!acpi.smi_cmd || !acpi.acpi_enable || inw(acpi.pm1a_cnt) & PM1_SCI_EN)
		return;
	outb(acpi.smi_cmd, acpi.acpi_enable);
	for (unsigned i = 0; i < ENABLE_LOOPS && !(inw(acpi.pm1a_cnt) & PM1_SCI_EN); i++)
		cpu_relax();
}

static void sleep(u16 port, u8 typ)
{
	if (port)
		outw(port, (u16)((inw(port) & ~PM1_SLP_TYP) | (typ & 7) << 10 | PM1_SLP_EN));
}

void acpi_power_off(void)
{
	if (acpi.s5_valid && acpi.pm1a_cnt) {
		enable();
		sleep(acpi.pm1a_cnt, acpi.s5_typ_a);
		sleep(acpi.pm1b_cnt, acpi.s5_typ_b);
		for (unsigned i = 0; i < ENABLE_LOOPS; i++)
			cpu_relax();
	}
	halt_forever();
}

static void settle(void)
{
	for (unsigned i = 0; i < RESET_LOOPS; i++)
		cpu_relax();
}

void acpi_reset(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed no_idt = {0, 0};
	volatile u8 *reg;

	cli();
	if (acpi.reset_valid && acpi.reset_space == 1) {
		outb((u16)acpi.reset_addr, acpi.reset_value);
		settle();
	} else if (acpi.reset_valid && (reg = mmio_map(acpi.reset_addr, 1))) {
		*reg = acpi.reset_value;
		settle();
	}
	outb(PCI_RESET, 2);
	outb(PCI_RESET, 6);
	settle();
	outb(KBC_COMMAND, KBC_RESET);
	settle();
	__asm__ volatile("lidt %0; int3" ::"m"(no_idt)); /* a triple fault is the last way */
	halt_forever();
}
