/* The LAPIC timer (SDM 3A 11.5.4): one-shot, periodic and TSC-deadline. Like the 8254 it does not count: the
 * count that the guest reads is computed from the TSC. */

#include "lib/math.h"
#include "vm/lapic_internal.h"
#include "vm/vm.h"

/* No guest may have more timer interrupts than 50,000 a second. */
#define MIN_PERIOD_HZ 50000

/* Divide configuration: bits 0, 1 and 3 are the power of two, less one; 7 is none (SDM 3A figure 11-10). */
static unsigned divide_shift(u32 tdcr)
{
	return (((tdcr & 3) | (tdcr >> 1 & 4)) + 1) & 7;
}

/* The whole count as TSC ticks. */
static u64 period(const struct lapic *l)
{
	u64 ticks = (u64)*lapic_reg(l, LAPIC_TMICT) << l->timer_shift;

	return muldiv64(ticks, tsc_hz, LAPIC_TIMER_HZ);
}

/* The queue is shared with the VM's devices, which arm their timers under the VM's lock. */
static void arm(struct vcpu *v, u64 deadline)
{
	spin_lock(&v->vm->lock);
	vtimer_arm(&v->lapic_timer, deadline);
	spin_unlock(&v->vm->lock);
}

/* Called with the VM's lock held, as all timers are. A late periodic timer skips what it missed, as IRR would
 * merge it anyway. */
static void fire(void *dev, u64 deadline)
{
	struct vcpu *v = dev;
	struct lapic *l = &v->lapic;
	u64 now = tsc_now(), ticks = period(l);

	if (l->timer_mode == LVTT_DEADLINE)
		l->tsc_deadline = 0;
	lapic_raise_lvt(v, LAPIC_LVTT);
	if (l->timer_mode != LVTT_PERIODIC || !ticks)
		return;
	l->timer_start += (now - l->timer_start) / ticks * ticks;
	vtimer_arm(&v->lapic_timer, MAX(l->timer_start + ticks, now + tsc_hz / MIN_PERIOD_HZ));
}

void lapic_timer_create(struct vcpu *v)
{
	vtimer_init(&v->lapic_timer, &v->timers, fire, v);
}

static void stop(struct vcpu *v)
{
	v->lapic.tsc_deadline = 0;
	*lapic_reg(&v->lapic, LAPIC_TMICT) = 0;
	arm(v, TIMER_NEVER);
}

void lapic_timer_reset(struct vcpu *v)
{
	stop(v);
	v->lapic.timer_mode = 0;
	v->lapic.timer_shift = divide_shift(0);
}

void lapic_timer_start(struct vcpu *v)
{
	struct lapic *l = &v->lapic;

	if (l->timer_mode == LVTT_DEADLINE) { /* the count is dead in this mode */
		*lapic_reg(l, LAPIC_TMICT) = 0;
		return;
	}
	l->timer_start = tsc_now();
	arm(v, *lapic_reg(l, LAPIC_TMICT) ? l->timer_start + period(l) : TIMER_NEVER);
}

void lapic_timer_divide(struct vcpu *v)
{
	struct lapic *l = &v->lapic;
	unsigned shift = divide_shift(*lapic_reg(l, LAPIC_TDCR));

	if (shift == l->timer_shift)
		return;
	l->timer_shift = shift;
	if (*lapic_reg(l, LAPIC_TMICT) && v->lapic_timer.deadline != TIMER_NEVER)
		lapic_timer_start(v);
}

void lapic_timer_mode(struct vcpu *v)
{
	u32 mode = *lapic_reg(&v->lapic, LAPIC_LVTT) & LVTT_MODE, changed = mode ^ v->lapic.timer_mode;

	v->lapic.timer_mode = mode;
	/* Going to TSC-deadline mode or away from it disarms the timer (SDM 3A 11.5.4.1). */
	if (changed & LVTT_DEADLINE)
		stop(v);
}

void lapic_timer_set_deadline(struct vcpu *v, u64 guest_tsc)
{
	struct lapic *l = &v->lapic;
	u64 deadline = guest_tsc - v->tsc_offset;

	if (l->timer_mode != LVTT_DEADLINE)
		return;
	l->tsc_deadline = guest_tsc;
	if (!guest_tsc)
		deadline = TIMER_NEVER;
	else if ((s64)v->tsc_offset > 0 && guest_tsc < v->tsc_offset)
		deadline = 0; /* before the host's time began */
	else if ((s64)v->tsc_offset < 0 && deadline < guest_tsc)
		deadline = TIMER_NEVER; /* past its end */
	arm(v, deadline);
}

void lapic_tsc_changed(struct vcpu *v)
{
	if (v->lapic.tsc_deadline)
		lapic_timer_set_deadline(v, v->lapic.tsc_deadline);
}

u32 lapic_timer_count(struct vcpu *v)
{
	struct lapic *l = &v->lapic;
	u32 initial = *lapic_reg(l, LAPIC_TMICT);
	u64 gone;

	if (!initial)
		return 0;
	gone = muldiv64(tsc_now() - l->timer_start, LAPIC_TIMER_HZ, tsc_hz) >> l->timer_shift;
	if (l->timer_mode == LVTT_PERIODIC)
		return initial - gone % initial;
	return gone < initial ? initial - gone : 0;
}
