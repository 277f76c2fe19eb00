/* What the exits were, and what of them nobody answered. */
#include "debug/mon.h"
#include "host/tsc.h"
#include "lib/errno.h"

#define ULL(x)	((unsigned long long)(x))
#define MILLION 1000000

/* Exit i, in 39 columns. */
static void show_exit(const struct mon *m, u64 i, bool first)
{
	const struct exit_record *r = vcpu_exit(m->v, i);
	u64 ticks = first ? 0 : r->tsc - vcpu_exit(m->v, i - 1)->tsc;
	const char *name = m->v->ops->exit_name(r->reason);
	bool many = ticks >= MILLION;

	say(m, "%6llu%c %016llx ", ULL(many ? ticks / MILLION : ticks), many ? 'M' : ' ', ULL(r->rip));
	if (*name == '?') /* the vendor's number, which its manual lists */
		say(m, "%-14x", r->reason);
	else
		say(m, "%-14.14s", name);
}

void mon_show_exits(const struct mon *m, u64 n)
{
	u64 all = vcpu_exits(m->v), first, rows;

	n = MIN(n, MIN(all, (u64)EXIT_RING_SIZE));
	first = all - n + 1;
	rows = (n + 1) / 2;
	say(m, "the last %llu of %llu exits, in ticks since the one before:\n", ULL(n), ULL(all));
	for (u64 i = first; i < first + rows; i++) {
		show_exit(m, i, i == first);
		if (i + rows <= all) {
			say(m, "  ");
			show_exit(m, i + rows, false);
		}
		say(m, "\n");
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
