/* What pxHV needs of the PC's ACPI tables. */
#pragma once

#include "host/percpu.h"
#include "lib/types.h"

struct acpi_info {
	bool present;	 /* an RSDP with a valid checksum was found */
	u64 lapic_base;	 /* 0xFEE00000 unless the MADT says otherwise */
	u32 ioapic_base; /* 0: none */
	u32 ioapic_gsi_base;
	u32 cpu_count; /* enabled CPUs in the MADT, at least 1 */
	u32 apic_ids[MAX_CPUS];
	struct {
		u32 gsi;
		bool level, low;
	} isa_irq[16];	   /* where each ISA IRQ arrives, overrides applied */
	u16 pm_timer_port; /* 0: none */
	bool pm_timer_32;  /* 32 bits wide, else 24 */
	u16 pm1a_cnt, pm1b_cnt;
	u16 smi_cmd; /* 0: ACPI mode needs no turning on */
	u8 acpi_enable;
	u8 s5_typ_a, s5_typ_b; /* SLP_TYP of \_S5 */
	bool s5_valid;
	bool reset_valid;
	u8 reset_space; /* 0 memory, 1 I/O port */
	u64 reset_addr;
	u8 reset_value;
	u64 mcfg_base; /* PCIe ECAM of segment 0, 0: none */
	u8 mcfg_bus_end;
	bool x2apic_opt_out; /* firmware asks in the DMAR not to turn x2APIC on */
};

extern struct acpi_info acpi;

/* Finds and reads the tables. Every table is bounds- and checksum-checked; a bad one is named and left
 * out. Never fails: without ACPI the fields say so. */
void acpi_init(void);

/* Powers the PC off or resets it by every known way; does not return (halts as the last resort). */
void __attribute__((noreturn)) acpi_power_off(void);
void __attribute__((noreturn)) acpi_reset(void);
