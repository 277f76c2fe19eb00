/* host/percpu.h for unit tests: one CPU, and no GS base to find it by. */
#pragma once

#define this_cpu this_cpu_real
#include_next "host/percpu.h"
#undef this_cpu

extern struct cpu fake_cpu;

static inline struct cpu *this_cpu(void)
{
	return &fake_cpu;
}
