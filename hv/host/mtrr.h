/* The memory types that firmware gave physical memory (SDM 3A 12.11). Under EPT the CPU does not look at the
 * MTRRs, so whoever maps memory there has to. */
#pragma once

#include "lib/types.h"

#define MTRR_VARIABLE_MAX 32

struct mtrr_state {
	u64 cap;       /* IA32_MTRRCAP */
	u64 def_type;  /* IA32_MTRR_DEF_TYPE */
	u64 fixed[11]; /* 64K_00000, 16K_80000, 16K_A0000, 4K_C0000 .. 4K_F8000 */
	struct {
		u64 base, mask;
	} variable[MTRR_VARIABLE_MAX];
	u64 pa_mask; /* the physical address bits that the CPU has */
};

/* The memory type (0 UC, 1 WC, 4 WT, 5 WP, 6 WB) of [pa, pa+size), or -1 if it changes within. Pure. */
int mtrr_state_type(const struct mtrr_state *m, u64 pa, u64 size);

/* The same of the host's own memory. The MSRs are read at the first call; a CPU without MTRRs has only WB. */
int mtrr_type(u64 pa, u64 size);
