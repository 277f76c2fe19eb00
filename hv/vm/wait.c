/* The host CPU's time while a guest has no use for it, and the interrupts that end the wait. */
#include "host/apic.h"
#include "host/console.h"
#include "host/cpu.h"
#include "host/irq.h"
#include "host/percpu.h"
#include "vm/vm.h"

void host_timer_rearm(u64 deadline)
{
	struct cpu *c = this_cpu();

	if (c->timer_deadline == deadline)
		return;
	/* What is due already need not wait for an interrupt. */
	if (unlikely(deadline <= tsc_now()) && c->vcpu) {
		__atomic_or_fetch(&c->vcpu->events, EV_TIMER, __ATOMIC_RELEASE);
		return;
	}
	apic_timer_arm(deadline);
	c->timer_deadline = deadline;
}

static void timer_interrupt(void)
{
	struct cpu *c = this_cpu();

	c->timer_deadline = TIMER_NEVER; /* one-shot */
	if (c->vcpu)
		__atomic_or_fetch(&c->vcpu->events, EV_TIMER, __ATOMIC_RELEASE);
}

static void console_interrupt(void)
{
	console_poll();
	vm_console_input();
}

void vm_host_init(void)
{
	irq_set_handler(VEC_TIMER, timer_interrupt);
	irq_set_handler(VEC_COM1, console_interrupt);
	irq_set_handler(VEC_KEYBOARD, console_interrupt);
	/* VEC_KICK has made the CPU leave its guest or its halt, which is all that is wanted of it. */
}

void vcpu_run_timers(struct vcpu *v)
{
	u64 next;

	spin_lock(&v->vm->lock);
	next = timers_run(&v->timers, tsc_now());
	spin_unlock(&v->vm->lock);
	host_timer_rearm(next);
}

void vcpu_wait(struct vcpu *v)
{
	bool idle = false;

	for (;;) {
		u32 events = __atomic_load_n(&v->events, __ATOMIC_ACQUIRE);

		if (events & (EV_END | EV_DEBUG | EV_MONITOR))
			return;
		if (events & EV_TIMER) {
			__atomic_and_fetch(&v->events, ~EV_TIMER, __ATOMIC_ACQUIRE);
			vcpu_run_timers(v);
			continue; /* the next timer may be due already */
		}
		if (vcpu_can_wake(v)) {
			v->halted = false;
			__atomic_or_fetch(&v->events, EV_INTERRUPT, __ATOMIC_RELEASE);
			return;
		}
		if (!idle) {
			idle = true;
			spin_lock(&v->vm->lock);
			vm_console_flush(v->vm);
			spin_unlock(&v->vm->lock);
		}
		/* Interrupts are off since the look at events, so what comes now ends the halt. */
		v->idle -= tsc_now();
		wait_for_interrupt();
		v->idle += tsc_now();
	}
}
