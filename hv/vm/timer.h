/* Virtual timers: what devices arm and a vcpu's loop fires. Times are host TSC ticks. */
#pragma once

#include "host/tsc.h"
#include "lib/types.h"

#define TIMER_NEVER (~0ULL)
#define TIMERS_MAX  12

struct vtimer {
	u64 deadline; /* TIMER_NEVER when idle */
	void (*fire)(void *dev, u64 deadline);
	void *dev;
	struct timer_queue *queue;
};

struct timer_queue { /* one a vcpu; the VM's devices use vcpu 0's */
	u64 next;    /* the earliest deadline */
	u32 count;
	struct vtimer *timers[TIMERS_MAX];
};

/* Prepares t and enters it in q, idle. */
void vtimer_init(struct vtimer *t, struct timer_queue *q, void (*fire)(void *, u64), void *dev);

/* Sets t's deadline; TIMER_NEVER stops it. A deadline in the past fires at the next timers_run(). */
void vtimer_arm(struct vtimer *t, u64 deadline);

/* Fires all timers due at now, the earliest first; each is idle when its fire() is called and may arm
 * itself again (at most 16 rounds a call, so that no timer can hold the CPU). Returns the next deadline. */
u64 timers_run(struct timer_queue *q, u64 now);

/* Hook: the earliest deadline of the queue changed, so the CPU's timer must be armed for it (vm/wait.c). Not
 * called from within timers_run(), whose caller does it once with the result. */
void host_timer_rearm(u64 deadline);
