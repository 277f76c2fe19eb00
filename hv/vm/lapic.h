/* A vcpu's local APIC, xAPIC and x2APIC. It is the vcpu's own, not a device on the bus: entry code, the
 * vendors' APIC virtualization and every IPI work on its register page directly. */
#pragma once

#include "lib/types.h"
#include "vm/timer.h"

struct vcpu;

#define LAPIC_BASE 0xFEE00000ULL
/* The timer's input clock with divisor 1, which is what CPUID leaf 15h must give as crystal frequency (ECX):
 * Linux takes the timer's rate from there. 25 MHz, as PCs have it; small, because Linux computes the TSC's
 * rate as crystal kHz * EBX / EAX in 32 bits and so gets it exact to some millionths. */
#define LAPIC_TIMER_HZ 25000000

#define APIC_BASE_BSP  BIT(8)
#define APIC_BASE_EXTD BIT(10)
#define APIC_BASE_EN   BIT(11)

/* SDM 3A table 11-1, offsets in the xAPIC page; an x2APIC MSR is 800h + offset/16. */
enum lapic_reg {
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
	LAPIC_SELF_IPI = 0x3F0, /* x2APIC only */
};

/* n registers from first on as bits, by their offsets / 16; the LVTs; and what can be read in both modes. */
#define LAPIC_REGS(first, n) ((BIT(n) - 1) << ((first) >> 4))
#define LAPIC_LVTS	     LAPIC_REGS(LAPIC_LVTT, 6)
#define LAPIC_READABLE                                                                                       \
	(LAPIC_REGS(LAPIC_ID, 2) | LAPIC_REGS(LAPIC_TPR, 1) | LAPIC_REGS(LAPIC_PPR, 1) |                     \
	 LAPIC_REGS(LAPIC_LDR, 1) | LAPIC_REGS(LAPIC_SVR, 1) | LAPIC_REGS(LAPIC_ISR, 24) |                   \
	 LAPIC_REGS(LAPIC_ESR, 1) | LAPIC_REGS(LAPIC_ICR, 1) | LAPIC_LVTS | LAPIC_REGS(LAPIC_TMICT, 2) |     \
	 LAPIC_REGS(LAPIC_TDCR, 1))

struct lapic {
	u8 *page;	  /* 4 KiB of registers, also the virtual-APIC page */
	u64 base;	  /* IA32_APIC_BASE */
	u64 tsc_deadline; /* guest TSC, 0 when disarmed */
	u64 timer_start;  /* host TSC at which TMICT was written */
	/* LVTT's mode bits, and TDCR as a shift: what the timer runs by, even when hardware has put new
	 * values into the page already. */
	u32 timer_mode;
	u32 timer_shift;
	u32 errors;	    /* ESR bits since the guest last wrote ESR, which makes them visible */
	bool init_received; /* an INIT IPI came: the vcpu waits for a SIPI */
	bool sipi_received;
	u8 sipi_vector; /* start at vector << 12 */
};

/* Allocates the register page from the VM and resets; v->vm, v->index and v->timers must be set. 0 or
 * -ENOMEM. */
int lapic_create(struct vcpu *v);

/* Power-up state (SDM 3A 11.4.7.1), but with LINT0 = ExtINT and LINT1 = NMI unmasked, as a BIOS leaves them:
 * guests booted without one do not set LINT0 and would never hear the 8259s. The caller tells the vendor
 * (ops->apic_mode), once there is one. */
void lapic_reset(struct vcpu *v);

/* Register access by MMIO offset (0..0xFFF, rounded down to 4 bytes); writes have all their side effects.
 * xAPIC mode; what is no register reads as 0 and sets ESR's "illegal register address". */
u32 lapic_read(struct vcpu *v, u32 offset);
void lapic_write(struct vcpu *v, u32 offset, u32 val);

/* x2APIC MSRs 800h-8FFh, and APIC_BASE (1Bh), TSC_DEADLINE (6E0h): 0, or -EPERM for #GP, which APIC_BASE
 * gives for moving the page away from LAPIC_BASE too; -ENOENT for others. */
int lapic_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int lapic_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* After hardware has already stored the value in the page (APIC-write exit): its side effects. */
void lapic_after_write(struct vcpu *v, u32 offset);

/* v->tsc_offset changed: the TSC deadline is at another host time now. */
void lapic_tsc_changed(struct vcpu *v);

/* EOI of vector, as virtual-interrupt delivery reports it (EOI-induced exit). */
void lapic_eoi_induced(struct vcpu *v, u8 vector);

/* Sets vector in IRR and TMR and kicks the vcpu, unless the vendor's virtual-interrupt delivery takes the
 * vector (v->ops->apic_irr; TMR is set before that call). False, it is dropped: the LAPIC is disabled; or a
 * vector below 16, which is an ESR error. Any CPU may call it. */
bool lapic_set_irr(struct vcpu *v, u8 vector, bool level);

/* The vector that could be delivered now, above PPR; -1 when none. lapic_ack moves it from IRR to ISR. */
int lapic_pending(struct vcpu *v);
void lapic_ack(struct vcpu *v, u8 vector);

/* Highest bit set of the IRR or ISR bank (offset LAPIC_IRR or LAPIC_ISR), -1 when empty. */
int lapic_highest(const struct lapic *l, u32 bank);

/* Does LINT0 let the 8259s through (ExtINT, unmasked, or LAPIC disabled)? */
bool lapic_accepts_extint(struct vcpu *v);

/* Is v among dest? An x2APIC-wide destination: 0xFFFFFFFF is everyone, and who has 8 bits passes 0xFF as
 * that. */
bool lapic_matches(struct vcpu *v, u32 dest, bool logical);
