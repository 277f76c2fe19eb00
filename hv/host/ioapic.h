/* The PC's IOAPIC: the one with the ISA interrupts. */
#pragma once

#include "lib/types.h"

/* Masks all its inputs. Returns 0, or -ENODEV when there is none. */
int ioapic_init(void);

/* Sends an ISA IRQ as vector to the CPU with apic_id. Returns 0, or -EINVAL when the IOAPIC has no such input
 * or cannot address that CPU. */
int ioapic_route_isa(unsigned irq, u8 vector, u32 apic_id);
