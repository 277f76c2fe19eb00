/* Virtual timers. A queue holds at most TIMERS_MAX of them, so that a scan beats any ordered structure. */
#include "vm/timer.h"

#define MAX_ROUNDS 16

static struct vtimer *first(const struct timer_queue *q)
{
	struct vtimer *min = NULL;

	for (u32 i = 0; i < q->count; i++)
		if (!min || q->timers[i]->deadline < min->deadline)
			min = q->timers[i];
	return min;
}

static u64 earliest(const struct timer_queue *q)
{
	const struct vtimer *t = first(q);

	return t ? t->deadline : TIMER_NEVER;
}

__cold void vtimer_init(struct vtimer *t, struct timer_queue *q, void (*fire)(void *, u64), void *dev)
{
	if (q->count == 0)
		q->next = TIMER_NEVER;
	if (q->count == TIMERS_MAX)
		__builtin_trap(); /* the machine has more timers than TIMERS_MAX: our own bug */
	*t = (struct vtimer){.deadline = TIMER_NEVER, .fire = fire, .dev = dev, .queue = q};
	q->timers[q->count++] = t;
}

void vtimer_arm(struct vtimer *t, u64 deadline)
{
	struct timer_queue *q = t->queue;
	u64 old = t->deadline, next;

	t->deadline = deadline;
	if (deadline < q->next)
		next = deadline;
	else if (old == q->next)
		next = earliest(q);
	else
		return;
	if (next == q->next)
		return;
	q->next = next;
	host_timer_rearm(next);
}

u64 timers_run(struct timer_queue *q, u64 now)
{
	for (unsigned i = 0; i < MAX_ROUNDS; i++) {
		struct vtimer *t = first(q);
		u64 deadline;

		if (!t || t->deadline > now || t->deadline == TIMER_NEVER)
			break;
		/* With next at 0 a timer that fire() arms is not the earliest, so the host's timer is left
		 * alone until our caller knows the final deadline. */
		q->next = 0;
		deadline = t->deadline;
		t->deadline = TIMER_NEVER;
		t->fire(t->dev, deadline);
	}
	return q->next = earliest(q);
}
