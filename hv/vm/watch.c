/* A vcpu that exits again and again at one instruction, with nothing changed by it, will never do anything
 * else: an exception whose delivery raises it anew, or a mistake of ours. Its VM dies, so that somebody hears
 * of it. */
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

/* All exits in the ring, but for the one that led here, were at the RIP where the guest still is. */
static bool at_one_place(const struct vcpu *v)
{
	const struct exit_record *first = &v->ring[(v->exits - 2) % EXIT_RING_SIZE];

	for (u32 i = 2; i <= EXIT_RING_SIZE; i++) {
		const struct exit_record *r = &v->ring[(v->exits - i) % EXIT_RING_SIZE];

		if (r->rip != v->rip || r->reason != first->reason)
			return false;
	}
	return true;
}

static void look(void *dev, u64 deadline)
{
	struct vcpu *v = dev;
	struct watch *w = &v->watch;
	u64 sum = sum_of(v);

	if (v->debug & DEBUG_EXCEPTIONS) {
		vcpu_replay_over(v);
		return;
	}
	if (v->exits - w->exits > BUSY && sum == w->regs && at_one_place(v))
		w->rounds++;
	else
		w->rounds = 0;
	w->exits = v->exits;
	w->regs = sum;
	if (w->rounds == ROUNDS)
		vm_died(v->vm, "no progress: %s exits at rip %#llx change nothing, and nothing else happens",
			v->ops->exit_name(v->ring[(v->exits - 2) % EXIT_RING_SIZE].reason),
			(unsigned long long)v->rip);
	vtimer_arm(&w->timer, tsc_now() + tsc_hz / PER_SEC + (v->exits & JITTER));
}

void vcpu_watch(struct vcpu *v)
{
	vtimer_init(&v->watch.timer, &v->timers, look, v);
	look(v, 0);
}
