/* vcpus that will do nothing any more, so that somebody hears of it. One exits again and again at one
 * instruction, with nothing changed by it: an exception whose delivery raises it anew, or a mistake of ours.
 * One has halted with interrupts off: that is also how kernels end whose author sits there and reads their
 * last words. */
#include "host/cpu.h"
#include "host/exit.h"
#include "lib/printf.h"
#include "vm/debug.h"
#include "vm/vm.h"

#define ROUNDS	20
#define BUSY	1000 /* exits a round that are at least suspicious */
#define PER_SEC 10
#define JITTER	0x3FF /* ticks: looks must not fall into step with a loop */

static u64 sum_of(const struct vcpu *v)
{
	u64 sum = v->rip;

	for (unsigned i = 0; i < GPR_COUNT; i++)
		sum = sum * 31 + (i == RSP ? 0 : v->regs[i]);
	return sum;
}

static const struct exit_record *exit_before_last(struct vcpu *v, u32 n)
{
	return vcpu_exit(v, vcpu_exits(v) - 1 - n);
}

/* All exits in the ring, but for the one that led here, were at the RIP where the guest still is. */
static bool at_one_place(struct vcpu *v)
{
	for (u32 i = 0; i < EXIT_RING_SIZE - 1; i++) {
		const struct exit_record *r = exit_before_last(v, i);

		if (r->rip != v->rip || r->reason != exit_before_last(v, 0)->reason)
			return false;
	}
	return true;
}

static bool halted_for_good(struct vcpu *v)
{
	return v->halted && !v->nmi_pending && !(v->ops->get(v, VREG_RFLAGS) & RFLAGS_IF);
}

static bool debugged(const struct vm *vm)
{
	return vm->debugger && vm->debugger->attends && vm->debugger->attends();
}

static void tell(struct vcpu *v)
{
	static const char halted[] = "halted with interrupts off: only an NMI or a reset would wake it";

	if (!halted_for_good(v))
		vm_died(v->vm, "no progress: %s exits at rip %#llx change nothing, and nothing else happens",
			v->ops->exit_name(exit_before_last(v, 0)->reason), (unsigned long long)v->rip);
	else if (!console_monitor.attended)
		vm_died(v->vm, "%s", halted);
	else {
		vm_console_leave(v->vm);
		printk("vm '%s': %s\n", v->vm->config->name, halted);
		if (!debugged(v->vm)) /* nobody may be there */
			host_would_exit(EXIT_GUEST_DIED);
	}
}

static void look(void *dev, u64 deadline)
{
	struct vcpu *v = dev;
	struct watch *w = &v->watch;
	u64 sum = sum_of(v), exits = vcpu_exits(v);

	if (v->debug & DEBUG_EXCEPTIONS) {
		vcpu_replay_over(v);
		return;
	}
	if (halted_for_good(v) || (exits - w->exits > BUSY && sum == w->regs && at_one_place(v)))
		w->rounds++;
	else
		w->rounds = 0;
	w->exits = exits;
	w->regs = sum;
	if (w->rounds == ROUNDS)
		tell(v);
	vtimer_arm(&w->timer, tsc_now() + tsc_hz / PER_SEC + (exits & JITTER));
}

void vcpu_watch(struct vcpu *v)
{
	vtimer_init(&v->watch.timer, &v->timers, look, v);
	look(v, 0);
}
