/* String instructions with an operand in device memory. */
#include "host/cpu.h"
#include "vm/emulate.h"

/* Iterations of a REP a call, so that no guest can hold the CPU for long. */
#define STRING_MAX 256

/* One operand of a string instruction; false with the page fault queued. */
static bool string_operand(struct vcpu *v, u64 linear, unsigned size, bool write, u64 *val)
{
	unsigned step = (linear & ~PAGE_MASK) + size > PAGE_SIZE ? 1 : size; /* across two pages: by bytes */
	u64 gpa, part = 0;

	if (!write)
		*val = 0;
	for (unsigned n = 0; n < size; n += step) {
		if (!linear_translate(v, linear + n, write ? PF_WRITE : 0, &gpa))
			return false;
		if (write) {
			gpa_store(v, gpa, step, *val >> 8 * n);
		} else {
			part = gpa_load(v, gpa, step);
			*val |= part << 8 * n;
		}
	}
	return true;
}

/* One iteration: MOVS, CMPS, STOS, LODS or SCAS by opcode. False on a page fault. */
static bool string_step(struct vcpu *v, const struct insn *i, unsigned bits, u64 *flags)
{
	unsigned size = i->op_size, op = i->opcode & ~1u;
	bool uses_si = op == 0xA4 || op == 0xA6 || op == 0xAC;
	u64 mask = ~0ULL >> (64 - 8 * i->addr_size), delta = *flags & RFLAGS_DF ? -(u64)size : size;
	u64 a = v->regs[RAX], b, di = 0;

	if (op != 0xAC)
		di = seg_linear(v, SEG_ES, v->regs[RDI] & mask, bits);
	if (uses_si && !string_operand(v, seg_linear(v, i->seg, v->regs[RSI] & mask, bits), size, false, &a))
		return false;
	if (op == 0xA6 || op == 0xAE) {
		if (!string_operand(v, di, size, false, &b))
			return false;
		alu(ALU_CMP, a, b, size, flags);
	} else if (op == 0xAC) {
		reg_write(v, RAX, size, true, a);
	} else if (!string_operand(v, di, size, true, &a)) {
		return false;
	}
	if (uses_si)
		reg_advance(v, RSI, i->addr_size, delta);
	if (op != 0xAC)
		reg_advance(v, RDI, i->addr_size, delta);
	return true;
}

bool emulate_string(struct vcpu *v, const struct insn *i, unsigned bits)
{
	u64 mask = ~0ULL >> (64 - 8 * i->addr_size), flags = v->ops->get(v, VREG_RFLAGS);
	bool compares = (i->opcode & ~1u) == 0xA6 || (i->opcode & ~1u) == 0xAE, done = false;

	if (i->map != MAP_1 || i->opcode < 0xA4 || i->opcode > 0xAF || (i->opcode & ~1u) == 0xA8)
		return false;
	for (unsigned n = 0; n < STRING_MAX && !done; n++) {
		if (i->rep && !(v->regs[RCX] & mask)) {
			done = true;
			break;
		}
		if (!string_step(v, i, bits, &flags))
			break;
		if (!i->rep) {
			done = true;
			break;
		}
		reg_advance(v, RCX, i->addr_size, -1ULL);
		done = compares && !(flags & RFLAGS_ZF) == (i->rep == 0xF3);
	}
	v->ops->set(v, VREG_RFLAGS, flags);
	if (done || (i->rep && !(v->regs[RCX] & mask)))
		v->ops->skip(v, i->len);
	return true;
}
