/* What the emulation of an instruction works with: registers by number, guest-physical loads and stores that
 * reach RAM, the LAPIC page and devices alike, and the arithmetic with its flags (vm/mmio_arithmetic.c). */
#pragma once

#include "lib/types.h"
#include "vm/vcpu.h"

#define OP_0F	0x100 /* insn.map << 8, beside the opcode */
#define OP_0F38 0x200

/* The bits of a value or an address of size (1, 2, 4 or 8) bytes. */
static inline u64 size_mask(unsigned size)
{
	return ~0ULL >> (64 - 8 * size);
}

/* Register n (0..15) as an operand of size bytes (1, 2, 4 or 8); without a REX prefix byte registers 4 to 7
 * are AH, CH, DH and BH. Writes of 4 bytes clear the upper half, shorter ones keep the rest. */
u64 reg_read(struct vcpu *v, unsigned n, unsigned size, bool rex);
void reg_write(struct vcpu *v, unsigned n, unsigned size, bool rex, u64 val);

/* The linear address of seg:offset in code of bits 16, 32 or 64. Limits are not checked. */
u64 seg_linear(struct vcpu *v, enum seg seg, u64 offset, unsigned bits);

/* Where linear is, w->gpa, for an access of PF_WRITE or PF_FETCH or a read, with the guest's privilege; false
 * with the page fault, or #GP for a non-canonical address, queued. */
bool linear_translate(struct vcpu *v, u64 linear, u32 access, struct page_walk *w);

/* size (1, 2, 4 or 8) bytes at gpa, zero-extended: the vcpu's LAPIC, RAM, or a device. Stores to ROM are
 * dropped. An access that leaves its device or RAM slot counts as unclaimed. */
u64 gpa_load(struct vcpu *v, u64 gpa, unsigned size);
void gpa_store(struct vcpu *v, u64 gpa, unsigned size, u64 val);

/* The eight operations of opcodes 00-3F and 80-83, in their order; AND that only sets flags; and what is b.
 */
enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP, ALU_TEST, ALU_PUT };

#define RFLAGS_ARITH 0x8D5ULL /* OF, SF, ZF, AF, PF, CF */

/* a op b in size bytes; *rflags is updated as the CPU does it (AF is cleared where it is undefined). CMP
 * returns the difference. */
u64 alu(enum alu_op op, u64 a, u64 b, unsigned size, u64 *rflags);

/* Fetches and decodes the instruction at RIP into *v->fetch: insn, with len 0 if it is unknown, and its
 * bytes. Returns which code it is, 16, 32 or 64; 0 when it could not be fetched: the fault is queued, or the
 * VM has died. */
unsigned fetch_insn(struct vcpu *v);

/* The instructions that move data from or to gpa, but for the plain MOVs. False for others. */
bool emulate_move(struct vcpu *v, const struct insn *i, unsigned bits, u64 gpa);

/* The instructions that read memory at gpa, compute, and mostly write it back. False for others. */
bool emulate_arithmetic(struct vcpu *v, const struct insn *i, u64 gpa);

/* MOVS, CMPS, STOS, LODS, SCAS, INS and OUTS, with or without REP, which it skips when they are through.
 * False for others. */
bool emulate_string(struct vcpu *v, const struct insn *i, unsigned bits);
