/* The interrupts in a LAPIC: requested, in service, ended; and errors (SDM 3A 11.5.3, 11.8). */

#include "vm/lapic_internal.h"
#include "vm/vm.h"

static u32 *bank_word(const struct lapic *l, u32 bank, u8 vector)
{
	return lapic_reg(l, bank + (vector >> 5) * 16);
}

/* Mostly no bit is set: eight loads say so. */
int lapic_highest(const struct lapic *l, u32 bank)
{
	const u32 *word = lapic_reg(l, bank);
	int i = 7;

	if (!(word[28] | word[24] | word[20] | word[16])) {
		if (!(word[12] | word[8] | word[4] | word[0]))
			return -1;
		i = 3;
	}
	while (!word[i * 4])
		i--;
	return i * 32 + 31 - __builtin_clz(word[i * 4]);
}

u32 lapic_update_ppr(struct lapic *l)
{
	u32 tpr = *lapic_reg(l, LAPIC_TPR);
	int isr = lapic_highest(l, LAPIC_ISR);
	u32 in_service = isr < 0 ? 0 : isr & 0xF0;

	return *lapic_reg(l, LAPIC_PPR) = (tpr & 0xF0) >= in_service ? tpr : in_service;
}

int lapic_pending(struct vcpu *v)
{
	struct lapic *l = &v->lapic;
	int irr = lapic_highest(l, LAPIC_IRR);

	return irr >= 0 && (irr & 0xF0) > (int)(lapic_update_ppr(l) & 0xF0) ? irr : -1;
}

void lapic_kick_if_pending(struct vcpu *v)
{
	if (lapic_pending(v) >= 0)
		vcpu_kick(v, EV_INTERRUPT);
}

void lapic_ack(struct vcpu *v, u8 vector)
{
	struct lapic *l = &v->lapic;
	u32 bit = 1U << (vector & 31);

	__atomic_fetch_and(bank_word(l, LAPIC_IRR, vector), ~bit, __ATOMIC_RELAXED);
	*bank_word(l, LAPIC_ISR, vector) |= bit;
	*lapic_reg(l, LAPIC_PPR) = vector & 0xF0; /* or it had not been pending */
}

bool lapic_set_irr(struct vcpu *v, u8 vector, bool level)
{
	struct lapic *l = &v->lapic;
	u32 bit = 1U << (vector & 31);

	if (!(l->base & APIC_BASE_EN) || !(*lapic_reg(l, LAPIC_SVR) & SVR_ENABLE))
		return false;
	if (unlikely(vector < 16)) {
		lapic_error(v, ESR_RECV_VECTOR);
		return false;
	}
	if (level)
		__atomic_fetch_or(bank_word(l, LAPIC_TMR, vector), bit, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(bank_word(l, LAPIC_TMR, vector), ~bit, __ATOMIC_RELAXED);
	if (v->ops->apic_irr && v->ops->apic_irr(v, vector))
		return true;
	__atomic_fetch_or(bank_word(l, LAPIC_IRR, vector), bit, __ATOMIC_RELEASE);
	vcpu_kick(v, EV_INTERRUPT);
	return true;
}

void lapic_eoi_induced(struct vcpu *v, u8 vector)
{
	if (*bank_word(&v->lapic, LAPIC_TMR, vector) & 1U << (vector & 31))
		lapic_broadcast_eoi(v, vector);
}

void lapic_end_of_interrupt(struct vcpu *v)
{
	struct lapic *l = &v->lapic;
	int vector = lapic_highest(l, LAPIC_ISR);

	if (vector < 0)
		return;
	*bank_word(l, LAPIC_ISR, (u8)vector) &= ~(1U << (vector & 31));
	lapic_eoi_induced(v, (u8)vector);
	lapic_kick_if_pending(v);
}

void lapic_raise_lvt(struct vcpu *v, u32 lvt)
{
	u32 val = *lapic_reg(&v->lapic, lvt);

	if (!(val & LVT_MASKED))
		lapic_set_irr(v, (u8)val, false);
}

__cold void lapic_error(struct vcpu *v, u32 esr_bit)
{
	if (v->lapic.errors & esr_bit)
		return;
	v->lapic.errors |= esr_bit;
	lapic_raise_lvt(v, LAPIC_LVTERR);
}

bool lapic_accepts_extint(struct vcpu *v)
{
	u32 lvt0 = *lapic_reg(&v->lapic, LAPIC_LVT0);

	return (lvt0 & (LVT_MASKED | LVT_DELIVERY)) == LVT_EXTINT || !(v->lapic.base & APIC_BASE_EN);
}
