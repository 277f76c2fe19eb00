/* The CPU's local APIC (xAPIC or x2APIC, as found or as better) and the IOAPIC of the PC. */
#pragma once

#include "lib/types.h"

/* Turns the running CPU's LAPIC on: spurious vector, LINT0 masked, LINT1 NMI, timer stopped. On the boot
 * CPU it also masks both 8259s and routes the console's IRQs through the IOAPIC, if there is one. After
 * time_init() and acpi_init(); no BIOS call may follow. */
void apic_init(void);

bool apic_is_x2apic(void);
u32 apic_id(void);
void apic_eoi(void);

/* Arms the one-shot timer for the TSC value deadline (past values fire at once); ~0 stops it. TSC-deadline
 * mode where the CPU has it, else one-shot with the calibrated rate: then it fires early when deadline is
 * further away than 32 bits count (4 s at 1 GHz). */
void apic_timer_arm(u64 deadline);

/* Sends a fixed interrupt or an NMI to the CPU with apic_id. */
void apic_send_ipi(u32 apic_id, u8 vector);
void apic_send_nmi(u32 apic_id);
