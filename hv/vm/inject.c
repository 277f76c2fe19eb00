/* What goes into the guest at its next entry: exceptions, interrupts, NMIs, and whatever was cut short. */
#include "host/apic.h"
#include "host/cpu.h"
#include "host/irq.h"
#include "host/percpu.h"
#include "vm/debug.h"
#include "vm/vm.h"

#define EVENT_VALID	 BIT(31)
#define EVENT_HAS_ERROR	 BIT(11)
#define EVENT_TYPE(info) ((info) >> 8 & 7)

static void set_events(struct vcpu *v, u32 events)
{
	__atomic_or_fetch(&v->events, events, __ATOMIC_RELEASE);
}

void vcpu_kick(struct vcpu *v, u32 events)
{
	set_events(v, events);
	if (likely(cpu_count == 1) || this_cpu()->vcpu == v)
		return;
	for (u32 i = 0; i < cpu_count; i++)
		if (cpus[i].vcpu == v)
			apic_send_ipi(cpus[i].apic_id, VEC_KICK);
}

/* SDM 3A table 6-4. Interrupts and software events are benign. */
enum severity { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE_FAULT };

static enum severity classify(u32 info)
{
	if (EVENT_TYPE(info) != EVENT_EXCEPTION)
		return BENIGN;
	switch (info & 0xFF) {
	case X86_DE:
	case X86_TS:
	case X86_NP:
	case X86_SS:
	case X86_GP:
		return CONTRIBUTORY;
	case X86_PF:
		return PAGE_FAULT;
	case X86_DF:
		return DOUBLE_FAULT;
	default:
		return BENIGN;
	}
}

__cold void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	u32 info = vector | EVENT_EXCEPTION << 8 | (has_error ? EVENT_HAS_ERROR : 0) | EVENT_VALID;
	u32 before = v->events & EV_EXCEPTION  ? v->exception.info
		     : v->events & EV_REINJECT ? v->reinject.info
					       : (u32)EVENT_EXTINT << 8;
	enum severity first = classify(before), second = classify(info);

	/* One exception after the other: on some emulators no interrupt of the host's ends that, nor tells
	 * the watch. */
	if (unlikely(!(vcpu_exits(v) & 0xFFF)))
		set_events(v, EV_TIMER);
	if (unlikely(v->debug & DEBUG_EXCEPTIONS))
		vcpu_chain_add(v, before & EVENT_VALID ? before : 0, vector, error);
	if (first == DOUBLE_FAULT && second != BENIGN) {
		vcpu_triple_fault(v);
		return;
	}
	/* SDM 3A table 6-5. Where it says "handle serially" the first comes again by itself when its
	 * instruction does. */
	if ((first == CONTRIBUTORY && second == CONTRIBUTORY) || (first == PAGE_FAULT && second != BENIGN)) {
		info = X86_DF | EVENT_EXCEPTION << 8 | EVENT_HAS_ERROR | EVENT_VALID;
		error = 0;
	}
	__atomic_and_fetch(&v->events, ~EV_REINJECT, __ATOMIC_RELAXED);
	v->exception = (struct vcpu_event){.info = info, .error = error};
	set_events(v, EV_EXCEPTION);
}

__cold void vcpu_page_fault(struct vcpu *v, u64 addr, u32 error)
{
	v->ops->set(v, VREG_CR2, addr);
	vcpu_exception(v, X86_PF, true, error);
}

static void put_in(struct vcpu *v, const struct vcpu_event *e)
{
	v->injected = *e;
	v->injected_at = vcpu_exits(v);
	v->ops->inject(v, e);
}

/* Is INTR raised for v by the 8259s? The pin is the boot CPU's. */
static bool extint_pending(struct vcpu *v)
{
	return v->vm->extint && v->index == 0 && lapic_accepts_extint(v);
}

/* The 8259s always give a vector, if only the spurious one. */
static u8 acknowledge_extint(struct vm *vm)
{
	u8 vector;

	spin_lock(&vm->lock);
	vector = (u8)vm->extint_ack(vm->extint_chip);
	spin_unlock(&vm->lock);
	return vector;
}

/* Injects the pending interrupt if it can go in now; true when one is left that needs a window. */
static bool inject_interrupt(struct vcpu *v, bool busy)
{
	for (;;) {
		bool extint = extint_pending(v);
		int vector = extint || v->virtual_interrupts ? -1 : lapic_pending(v);
		struct vcpu_event e = {0};

		if (!extint && vector < 0)
			return false;
		if (busy || !v->ops->can_take_interrupt(v))
			return true;
		if (extint)
			vector = acknowledge_extint(v->vm);
		else
			lapic_ack(v, (u8)vector);
		e.info = (u8)vector | EVENT_EXTINT << 8 | EVENT_VALID;
		put_in(v, &e);
		busy = true;
	}
}

static bool inject_nmi(struct vcpu *v, bool *busy)
{
	static const struct vcpu_event nmi = {.info = X86_NMI | EVENT_NMI << 8 | EVENT_VALID};

	if (!v->nmi_pending)
		return false;
	if (*busy || !v->ops->can_take_nmi(v))
		return true;
	v->nmi_pending = false;
	put_in(v, &nmi);
	*busy = true;
	return false;
}

/* One event an entry, in the order of SDM 3A table 6-2; windows for what has to wait. */
static void inject(struct vcpu *v, u32 events)
{
	bool busy = events & (EV_REINJECT | EV_EXCEPTION), nmi_waits, interrupt_waits;

	if (events & EV_REINJECT) {
		put_in(v, &v->reinject);
		if (events & EV_EXCEPTION)
			set_events(v, EV_EXCEPTION);
	} else if (events & EV_EXCEPTION) {
		put_in(v, &v->exception);
	}
	/* No interrupt comes between a step and its instruction. */
	if (unlikely(v->debug & (DEBUG_STEP | DEBUG_EXCEPTIONS))) {
		set_events(v, EV_INTERRUPT | (events & EV_WINDOW));
		return;
	}
	nmi_waits = inject_nmi(v, &busy);
	interrupt_waits = inject_interrupt(v, busy);

	if (interrupt_waits || (events & EV_WINDOW))
		v->ops->interrupt_window(v, interrupt_waits);
	if (nmi_waits || (events & EV_WINDOW))
		v->ops->nmi_window(v, nmi_waits);
	if (interrupt_waits || nmi_waits)
		set_events(v, EV_WINDOW);
}

bool vcpu_prepare_entry(struct vcpu *v)
{
	for (;;) {
		/* Taken before they are looked at, so that one which another CPU sets meanwhile is not lost.
		 */
		u32 events = __atomic_exchange_n(&v->events, 0, __ATOMIC_ACQUIRE);

		if (unlikely(events & EV_END)) {
			set_events(v, events);
			return false;
		}
		if (unlikely(events & EV_MONITOR)) {
			set_events(v, events & ~EV_MONITOR);
			console_monitor.serve(v);
			continue;
		}
		if (unlikely(events & EV_DEBUG)) {
			set_events(v, events & ~EV_DEBUG);
			v->vm->debugger->stop(v);
			continue;
		}
		if (unlikely(v->debug & DEBUG_STEP) && (events & (EV_EXCEPTION | EV_REINJECT)))
			v->vm->debugger->deliver(
				v, (u8)(events & EV_REINJECT ? v->reinject.info : v->exception.info));
		if (events & EV_TIMER) {
			set_events(v, events & ~EV_TIMER);
			vcpu_run_timers(v);
			continue;
		}
		if (v->halted) {
			set_events(v, events);
			vcpu_wait(v);
			continue;
		}
		inject(v, events);
		return true;
	}
}

bool vcpu_can_wake(struct vcpu *v)
{
	if (v->events & (EV_EXCEPTION | EV_REINJECT))
		return true;
	if (v->nmi_pending && v->ops->can_take_nmi(v))
		return true;
	return (extint_pending(v) || lapic_pending(v) >= 0) && v->ops->can_take_interrupt(v);
}
