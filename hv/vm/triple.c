/* How a triple fault came about. Nobody watches exceptions while a guest runs, and the exit says nothing of
 * them; but the guest's state is still that before the instruction (SDM 3C 28.1), so it runs once more with
 * every exception exiting. Where that shows nothing (AMD calls the state undefined, APM 2 15.14.3) the fault
 * alone is told. */
#include "lib/exception.h"
#include "vm/vm.h"

void vcpu_chain_add(struct vcpu *v, u32 delivering, u8 vector, u32 error)
{
	struct fault_chain *c = &v->chain;

	if (c->count == FAULT_CHAIN_MAX) { /* they do not end in a triple fault this time */
		vcpu_replay_over(v);
		return;
	}
	c->fault[c->count].delivering = delivering;
	c->fault[c->count].vector = vector;
	c->fault[c->count].error = error;
	c->fault[c->count++].addr = v->ops->get(v, VREG_CR2);
}

static void begin(struct vcpu *v)
{
	__atomic_and_fetch(&v->events, ~(EV_EXCEPTION | EV_REINJECT), __ATOMIC_RELAXED);
	vcpu_get_state(v, &v->chain.state);
	v->chain.count = 0;
	v->chain.ring_pos = v->ring_pos;
	v->debug |= DEBUG_EXCEPTIONS;
	v->ops->debug(v);
	/* It may have come of what had gone in, or of the first instruction behind. */
	if (v->injected_at + 1 == vcpu_exits(v)) {
		v->reinject = v->injected;
		v->events |= EV_REINJECT;
	}
	vtimer_arm(&v->watch.timer, tsc_now() + tsc_hz / 50);
}

void vcpu_replay_over(struct vcpu *v)
{
	const struct fault_chain *c = &v->chain;

	v->debug &= ~(u32)DEBUG_EXCEPTIONS;
	v->ops->debug(v);
	vcpu_set_state(v, &c->state);
	v->ring_pos = c->ring_pos; /* those of the second run are ours */
	if (c->count)
		vm_died(v->vm, "triple fault at rip %#llx: %s could not be delivered, nor the #DF after it",
			(unsigned long long)c->state.rip, exception_name(c->fault[c->count > 1].vector));
	else
		vm_died(v->vm, "triple fault at rip %#llx", (unsigned long long)c->state.rip);
}

void vcpu_triple_fault(struct vcpu *v)
{
	if (v->debug & DEBUG_EXCEPTIONS)
		vcpu_replay_over(v);
	else if (v->vm->end == VM_RUNNING)
		begin(v);
}
