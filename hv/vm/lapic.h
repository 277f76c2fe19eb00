/* A vcpu's local APIC, xAPIC and x2APIC. It is the vcpu's own, not a device on the bus: entry code, the
 * vendors' APIC virtualization and every IPI work on its register page directly. */
#pragma once

#include "lib/types.h"
#include "vm/timer.h"

struct vcpu;

#define LAPIC_BASE 0xFEE00000ULL
#define APIC_BASE_BSP BIT(8)
#define APIC_BASE_EXTD BIT(10)
#define APIC_BASE_EN BIT(11)

enum lapic_reg { /* SDM 3A table 11-1, offsets in the xAPIC page; an x2APIC MSR is 800h + offset/16 */
	LAPIC_ID = 0x20,
	LAPIC_VERSION = 0x30,
	LAPIC_TPR = 0x80,
	LAPIC_PPR = 0xA0,
	LAPIC_EOI = 0xB0,
	LAPIC_LDR = 0xD0,
	LAPIC_DFR = 0xE0,
	LAPIC_SVR = 0xF0,
	LAPIC_ISR = 0x100,
	LAPIC_TMR = 0x180,
	LAPIC_IRR = 0x200,
	LAPIC_ESR = 0x280,
	LAPIC_ICR = 0x300,
	LAPIC_ICR2 = 0x310,
	LAPIC_LVTT = 0x320,
	LAPIC_LVTTHMR = 0x330,
	LAPIC_LVTPC = 0x340,
	LAPIC_LVT0 = 0x350,
	LAPIC_LVT1 = 0x360,
	LAPIC_LVTERR = 0x370,
	LAPIC_TMICT = 0x380,
	LAPIC_TMCCT = 0x390,
	LAPIC_TDCR = 0x3E0,
	LAPIC_SELF_IPI = 0x3F0,
};

struct lapic {
	u8 *page;	 /* 4 KiB of registers, also the virtual-APIC page */
	u64 base;	 /* IA32_APIC_BASE */
	u64 tsc_deadline; /* guest TSC, 0 when disarmed */
	u64 timer_start; /* host TSC at which TMICT was written */
	struct vtimer timer;
	struct vcpu *vcpu;
	u64 tick_num; /* LAPIC timer: 1 tick of the bus clock = tick_num / 2^32 TSC ticks */
};

int lapic_create(struct vcpu *v);
void lapic_reset(struct vcpu *v);

/* Register access by MMIO offset (0..0xFFF, 4-byte registers); writes have all their side effects. */
u32 lapic_read(struct vcpu *v, u32 offset);
void lapic_write(struct vcpu *v, u32 offset, u32 val);

/* x2APIC MSRs 800h-8FFh, and APIC_BASE, TSC_DEADLINE: 0, or -EPERM for #GP. */
int lapic_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int lapic_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* After hardware has already stored the value in the page (APIC-write exit): its side effects. */
void lapic_after_write(struct vcpu *v, u32 offset);

/* EOI of vector, as virtual-interrupt delivery reports it (EOI-induced exit). */
void lapic_eoi_induced(struct vcpu *v, u8 vector);

/* Sets vector in IRR (and TMR) and kicks the vcpu. */
void lapic_set_irr(struct vcpu *v, u8 vector, bool level);

/* The vector that could be delivered now, above PPR; -1 when none. lapic_ack moves it from IRR to ISR. */
int lapic_pending(struct vcpu *v);
void lapic_ack(struct vcpu *v, u8 vector);

/* Highest bit set of the IRR or ISR bank (offset LAPIC_IRR or LAPIC_ISR), -1 when empty. */
int lapic_highest(const struct lapic *l, u32 bank);

/* Does LINT0 let the 8259s through (ExtINT, unmasked, or LAPIC disabled)? */
bool lapic_accepts_extint(struct vcpu *v);

/* Does msg's destination include v? */
bool lapic_matches(struct vcpu *v, u8 dest, bool logical);
