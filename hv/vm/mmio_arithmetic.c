/* Arithmetic on device memory. */
#include "host/cpu.h"
#include "vm/emulate.h"

u64 alu(enum alu_op op, u64 a, u64 b, unsigned size, u64 *rflags)
{
	u64 mask = size_mask(size), r, carry = 0, flags;
	unsigned top = 8 * size - 1;
	u64 cin = *rflags & RFLAGS_CF;

	a &= mask;
	b &= mask;
	switch (op) {
	case ALU_OR:
		r = a | b;
		break;
	case ALU_AND:
	case ALU_TEST:
		r = a & b;
		break;
	case ALU_XOR:
		r = a ^ b;
		break;
	case ALU_PUT:
		r = b;
		break;
	case ALU_ADD:
	case ALU_ADC:
		r = a + b + (op == ALU_ADC ? cin : 0);
		carry = (a & b) | ((a | b) & ~r); /* out of each bit */
		break;
	default:
		r = a - b - (op == ALU_SBB ? cin : 0);
		carry = (~a & b) | (~(a ^ b) & r); /* the borrows */
	}
	r &= mask;
	flags = carry >> top & 1;
	flags |= (carry >> 3 & 1) << 4;				  /* AF */
	flags |= ((carry >> top ^ carry >> (top - 1)) & 1) << 11; /* OF */
	flags |= (u64)!r << 6 | (r >> top & 1) << 7;		  /* ZF, SF */
	flags |= (u64)!__builtin_parity((u8)r) << 2;		  /* PF */
	*rflags = (*rflags & ~RFLAGS_ARITH) | flags;
	return r;
}

/* How an instruction computes, beside the enum alu_op in bits 0-3. The other operand than memory is the
 * register unless it is said here; the result goes to memory. */
enum how {
	OP = 0xF,
	TO_REG = BIT(4),   /* the result goes to the register, and the other operand comes first */
	REVERSED = BIT(5), /* the other operand comes first */
	SWAPPED = BIT(6),  /* the register gets what memory held */
	IMM = BIT(7),	   /* the other operand is the immediate, or 0 where the instruction has none; */
	ONE = BIT(8),	   /* 1; */
	ONE_BIT = BIT(9),  /* that bit of its number, and CF is what memory held there; */
	NOT = BIT(10),	   /* all its bits inverted */
	KEEP = BIT(11),	   /* the flags stay as they are */
	KEEP_CF = BIT(12),
	CMPXCHG = BIT(13),
	UNKNOWN = BIT(14),
};

static unsigned classify(const struct insn *i)
{
	/* By opcode, but for its bit 0, and bit of ModRM's reg field in groups. */
	static const struct {
		u16 opcode, how;
		u8 group;
	} rows[] = {
		{0x84, ALU_TEST, 0xFF},
		{0x86, ALU_PUT | SWAPPED | KEEP, 0xFF}, /* XCHG */
		{0xF6, ALU_TEST | IMM, 3},		/* TEST has two places */
		{0xF6, ALU_XOR | IMM | NOT | KEEP, 4},	/* NOT */
		{0xF6, ALU_SUB | IMM | REVERSED, 8},	/* NEG */
		{0xFE, ALU_ADD | ONE | KEEP_CF, 1},	/* INC */
		{0xFE, ALU_SUB | ONE | KEEP_CF, 2},	/* DEC */
		{OP_0F | 0xB0, ALU_PUT | CMPXCHG, 0xFF},
		{OP_0F | 0xC0, ALU_ADD | SWAPPED, 0xFF}, /* XADD */
	};
	/* BT, BTS, BTR, BTC */
	static const u16 bits[] = {ALU_TEST | ONE_BIT | KEEP, ALU_OR | ONE_BIT | KEEP,
				   ALU_AND | ONE_BIT | NOT | KEEP, ALU_XOR | ONE_BIT | KEEP};
	unsigned opcode = i->map << 8 | i->opcode, n = i->modrm >> 3 & 7;

	if (opcode < 0x40 && !(opcode & 4))
		return opcode >> 3 | (opcode & 2 ? TO_REG : 0);
	if ((opcode & ~3u) == 0x80)
		return n | IMM;
	if ((opcode & ~0x18u) ==
	    (OP_0F | 0xA3)) /* the exit's address has the upper part of the bit number in it already */
		return bits[opcode >> 3 & 3];
	if (opcode == (OP_0F | 0xBA) && n >= 4)
		return bits[n & 3] | IMM;
	for (unsigned r = 0; r < ARRAY_SIZE(rows); r++)
		if (rows[r].opcode == (opcode & ~1u) && rows[r].group >> n & 1)
			return rows[r].how;
	return UNKNOWN;
}

bool emulate_arithmetic(struct vcpu *v, const struct insn *i, u64 gpa)
{
	unsigned how = classify(i), op = how & OP, size = i->op_size, reg = insn_reg(i);
	u64 flags = v->ops->get(v, VREG_RFLAGS), old = flags, mem, val, src;

	if (how & UNKNOWN)
		return false;
	mem = gpa_load(v, gpa, size);
	src = how & IMM ? i->imm : how & ONE ? 1 : reg_read(v, reg, size, i->rex);
	if (how & ONE_BIT) {
		src = BIT(src & (8 * size - 1));
		old = mem & src ? old | RFLAGS_CF : old & ~RFLAGS_CF;
	}
	if (how & NOT)
		src = ~src;
	if (how & CMPXCHG) { /* writes in either case (SDM 2A) */
		alu(ALU_CMP, v->regs[RAX], mem, size, &flags);
		old = flags;
		if (!(flags & RFLAGS_ZF)) {
			reg_write(v, RAX, size, true, mem);
			src = mem;
		}
	}
	val = how & (REVERSED | TO_REG) ? alu(op, src, mem, size, &flags) : alu(op, mem, src, size, &flags);
	if (how & (KEEP | CMPXCHG))
		flags = old;
	else if (how & KEEP_CF)
		flags = (flags & ~RFLAGS_CF) | (old & RFLAGS_CF);
	if (how & SWAPPED)
		reg_write(v, reg, size, i->rex, mem);
	if (how & TO_REG && op != ALU_CMP)
		reg_write(v, reg, size, i->rex, val);
	else if (op != ALU_CMP && op != ALU_TEST)
		gpa_store(v, gpa, size, val);
	v->ops->set(v, VREG_RFLAGS, flags);
	return true;
}
