/* What the exit ring tells. */
#include "debug/mon.h"
#include "host/tsc.h"
#include "lib/errno.h"

#define ULL(x) ((unsigned long long)(x))

static const struct exit_record *record(const struct vcpu *v, u32 i)
{
	return &v->ring[i % EXIT_RING_SIZE];
}

void mon_show_exits(const struct mon *m, u32 n)
{
	const struct vcpu *v = m->v;
	u64 before = 0;

	n = MIN(n, MIN(v->exits, (u32)EXIT_RING_SIZE));
	say(m, "the last %u of %u exits, in ticks since the one before:\n", n, v->exits);
	for (u32 i = v->exits - n; i != v->exits; i++) {
		const struct exit_record *r = record(v, i);

		say(m, "%12llu  rip %016llx  %s", ULL(before ? r->tsc - before : 0), ULL(r->rip),
		    v->ops->exit_name(r->reason));
		/* The vendor's number, which its manual lists. */
		say(m, " (%#llx)\n", ULL(r->reason));
		before = r->tsc;
	}
}

int mon_trace(struct mon *m)
{
	u64 n;

	if (!mon_value(m, 1, 16, &n))
		return -EINVAL;
	mon_show_exits(m, (u32)MIN(n, (u64)EXIT_RING_SIZE));
	return 0;
}

/* Each reason among the last exits, where it first occurs. */
int mon_info_exits(struct mon *m)
{
	const struct vcpu *v = m->v;
	u32 n = MIN(v->exits, (u32)EXIT_RING_SIZE), first = v->exits - n;

	say(m, "%u exits in all; among the last %u:\n", v->exits, n);
	for (u32 i = first; i != v->exits; i++) {
		u64 reason = record(v, i)->reason;
		u32 same = 0, j = first;

		while (record(v, j)->reason != reason)
			j++;
		if (j != i)
			continue;
		for (; j != v->exits; j++)
			same += record(v, j)->reason == reason;
		say(m, "%4u  %s\n", same, v->ops->exit_name(reason));
	}
	return 0;
}
