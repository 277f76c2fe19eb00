/* The time stamp counter: pxHV's clock. Unit tests put a header of the same name first on their include
 * path and set the time by hand. */
#pragma once

#include "lib/types.h"

/* Now, in TSC ticks since the CPU's reset. */
static inline u64 tsc_now(void)
{
	u64 lo, hi; /* RDTSC clears the upper halves */

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return hi << 32 | lo;
}

/* The TSC's frequency in Hz, measured at boot (host/time.c); never 0 after time_init(). */
extern u64 tsc_hz;
