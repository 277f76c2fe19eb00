/* What the files of the LAPIC share with each other: registers in lapic.c, timer and messages in a file each.
 */
#pragma once

#include "vm/vcpu.h"

#define SVR_ENABLE	BIT(8)
#define LVT_MASKED	BIT(16)
#define LVT_EXTINT	0x700U
#define LVT_NMI		0x400U
#define LVT_DELIVERY	0x700U
#define LVTT_MODE	0x60000U
#define LVTT_PERIODIC	0x20000U
#define LVTT_DEADLINE	0x40000U
#define ESR_SEND_VECTOR BIT(5)
#define ESR_RECV_VECTOR BIT(6)
#define ESR_ADDRESS	BIT(7)

static inline u32 *lapic_reg(const struct lapic *l, u32 offset)
{
	return (u32 *)(l->page + offset);
}

static inline bool lapic_is_x2apic(const struct lapic *l)
{
	return l->base & APIC_BASE_EXTD;
}

/* lapic_irq.c. Recomputes PPR (SDM 3A 11.8.3.1) and stores it in the page too, where hardware may let the
 * guest read it. */
u32 lapic_update_ppr(struct lapic *l);
void lapic_kick_if_pending(struct vcpu *v);
void lapic_end_of_interrupt(struct vcpu *v);

/* Notes an ESR bit, and raises the error interrupt if it was not noted already: that interrupt's own vector
 * may be the error. */
void lapic_error(struct vcpu *v, u32 esr_bit);

/* Raises a local interrupt (LAPIC_LVTT or LAPIC_LVTERR), unless masked. */
void lapic_raise_lvt(struct vcpu *v, u32 lvt);

/* lapic_timer.c. start: TMICT was written; divide: TDCR; mode: LVTT. reset: they have their power-up values.
 */
void lapic_timer_create(struct vcpu *v);
void lapic_timer_reset(struct vcpu *v);
void lapic_timer_start(struct vcpu *v);
void lapic_timer_divide(struct vcpu *v);
void lapic_timer_mode(struct vcpu *v);
void lapic_timer_set_deadline(struct vcpu *v, u64 guest_tsc);
u32 lapic_timer_count(struct vcpu *v);

/* lapic_ipi.c. Sends what ICR's low half says to dest, which is 8 bits wide in xAPIC mode. */
void lapic_send_ipi(struct vcpu *v, u32 icr, u32 dest);
void lapic_broadcast_eoi(struct vcpu *v, u8 vector);
