/* 64-bit arithmetic with 128-bit intermediates. */
#pragma once

#include "lib/types.h"

/* a * b / c, rounded down, without overflow in the product. The quotient must fit 64 bits and c must
 * not be 0, else the CPU raises #DE. */
static inline u64 muldiv64(u64 a, u64 b, u64 c)
{
	u64 q, hi, lo;

	__asm__("mulq %3" : "=a"(lo), "=d"(hi) : "a"(a), "rm"(b) : "cc");
	__asm__("divq %3" : "=a"(q), "+d"(hi) : "a"(lo), "rm"(c) : "cc");
	return q;
}
