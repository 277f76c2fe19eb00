/* What the exits were, and what of them nobody answered. */
#include "debug/mon.h"
#include "host/tsc.h"
#include "lib/errno.h"

#define ULL(x) ((unsigned long long)(x))

void mon_show_exits(const struct mon *m, u64 n)
{
	struct vcpu *v = m->v;
	u64 all = vcpu_exits(v), before = 0;

	n = MIN(n, MIN(all, (u64)EXIT_RING_SIZE));
	say(m, "the last %llu of %llu exits, in ticks since the one before:\n", ULL(n), ULL(all));
	for (u64 i = all - n + 1; i <= all; i++) {
		const struct exit_record *r = vcpu_exit(v, i);

		/* The vendor's number behind its name is what its manual lists. */
		say(m, "%12llu  rip %016llx  %s (%#x)\n", ULL(before ? r->tsc - before : 0), ULL(r->rip),
		    v->ops->exit_name(r->reason), r->reason);
		before = r->tsc;
	}
}

void mon_trace(struct mon *m)
{
	u64 n;

	if (!mon_value(m, 1, 16, &n))
		return;
	mon_show_exits(m, n);
}

void mon_show_unclaimed(const struct mon *m)
{
	const struct vm *vm = m->vm;

	say(m, "nobody's: %llu reads, %llu writes, last port %04x; unknown MSRs: %llu, last %x\n",
	    ULL(vm->unclaimed_reads), ULL(vm->unclaimed_writes), vm->last_unclaimed_port,
	    ULL(vm->unknown_msrs), vm->last_unknown_msr);
}

/* Each reason with how often it was one. */
void mon_info_exits(struct mon *m)
{
	const struct vcpu *v = m->v;

	say(m, "%llu exits in all:\n", ULL(vcpu_exits(v)));
	for (u32 kind = 0; kind < EXIT_KINDS; kind++)
		if (v->exit_counts[kind])
			say(m, "%10llu  %s\n", ULL(v->exit_counts[kind]), v->ops->exit_name(kind));
}
