/* Decodes one x86 instruction: its exact length, and what is needed to emulate those that touch devices.
 * Knows the one-byte, 0F, 0F 38 and 0F 3A maps; not VEX, EVEX, XOP or 3DNow!. */
#pragma once

#include "lib/types.h"

#define INSN_MAX 15

enum insn_map { MAP_1 = 0, MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3 };

struct insn {
	u8 len;
	u8 map; /* enum insn_map */
	u8 opcode;
	u8 modrm;     /* 0 when there is none */
	u8 rex;	      /* 40h-4Fh, 0 when there is none */
	u8 op_size;   /* of the operand, in bytes: 1, 2, 4 or 8; 1 for the byte forms */
	u8 addr_size; /* in bytes: 2, 4 or 8 */
	u8 seg;	      /* enum seg: the override, else SEG_DS */
	u8 rep;	      /* F2h, F3h, or 0 */
	u8 args;      /* where ModRM or what else follows the opcode is */
	bool lock;
	u64 imm; /* immediate, sign-extended, or the offset of MOV A0-A3 */
};

/* The ModRM fields, REX included. */
static inline unsigned insn_reg(const struct insn *i)
{
	return (i->modrm >> 3 & 7) | (i->rex & 4) << 1;
}
static inline unsigned insn_rm(const struct insn *i)
{
	return (i->modrm & 7) | (i->rex & 1) << 3;
}

/* Decodes the instruction at bytes, of which avail are there, as code of bits 16, 32 or 64. Returns 0,
 * -ERANGE when more bytes are needed (never with avail >= 15), or -EINVAL for what it does not know or no CPU
 * takes. */
int decode_insn(const u8 *bytes, size_t avail, unsigned bits, struct insn *i);
