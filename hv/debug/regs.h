/* The registers that people and GDB name, in GDB's order of an x86-64 (GDB manual, appendix G). */
#pragma once

#include "vm/vcpu.h"

enum {
	REG_PC = 16, /* the general ones are before it */
	REG_FLAGS,
	REG_SEG,		/* selectors */
	REG_ST = REG_SEG + 6,	/* ten bytes each */
	REG_X87 = REG_ST + 8,	/* control and status of the x87 */
	REG_BASE = REG_X87 + 8, /* of FS and GS */
	REG_CONTROL = REG_BASE + 2,
	REG_CR0 = REG_CONTROL,
	REG_CR4 = REG_CR0 + 3,
	REG_EFER,
	REG_GDB_COUNT, /* those behind it are not GDB's */
};

const char *reg_name(unsigned n);

/* The number of the register called name[0..len), -1 for none. */
int reg_find(const char *name, size_t len);

/* The bits of a register that have names, from bit 0 on; there are none in most. */
struct reg_bits {
	const char *name, *next; /* not ended by a NUL */
	unsigned len, bit;
};
void reg_bits_begin(struct reg_bits *b, unsigned n);
bool reg_bits_next(struct reg_bits *b);

/* Its place in s and its bytes there, 8 or, of a selector, 2; NULL for the x87's. */
void *reg_place(const struct cpu_state *s, unsigned n, unsigned *size);
