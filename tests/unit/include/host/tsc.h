/* host/tsc.h for unit tests: time stands still until the test moves it. */
#pragma once

#define tsc_now tsc_now_real
#include_next "host/tsc.h"
#undef tsc_now

extern u64 fake_tsc;

static inline u64 tsc_now(void)
{
	return fake_tsc;
}
