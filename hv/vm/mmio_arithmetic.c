/* Arithmetic on device memory. */
#include "host/cpu.h"
#include "vm/emulate.h"

/* What an arithmetic instruction does. */
enum kind { UNKNOWN, ALU_TO_MEM, ALU_TO_REG, TEST, INC, NOT, NEG, BIT_OP, XCHG, XADD, CMPXCHG };

/* Classifies i: *op is the ALU or bit operation, *src the operand that is not in memory. */
static enum kind classify(struct vcpu *v, const struct insn *i, unsigned *op, u64 *src)
{
	unsigned opcode = i->map << 8 | i->opcode, nnn = i->modrm >> 3 & 7;
	static const enum kind group3[4] = {TEST, TEST, NOT, NEG};

	*op = nnn;
	*src = i->imm;
	if (opcode >= 0x80 && opcode <= 0x83)
		return ALU_TO_MEM;
	if (opcode == (OP_0F | 0xBA)) /* BT, BTS, BTR, BTC by an immediate */
		return nnn < 4 ? UNKNOWN : BIT_OP;
	if ((opcode & ~1u) == 0xFE) {
		*op = nnn ? ALU_SUB : ALU_ADD;
		*src = 1;
		return nnn < 2 ? INC : UNKNOWN;
	}
	if ((opcode & ~1u) == 0xF6)
		return nnn < 4 ? group3[nnn] : UNKNOWN;
	*src = reg_read(v, insn_reg(i), i->op_size, i->rex);
	if (opcode < 0x40) {
		*op = opcode >> 3;
		return (opcode & 7) < 2 ? ALU_TO_MEM : (opcode & 7) < 4 ? ALU_TO_REG : UNKNOWN;
	}
	switch (opcode) {
	case 0x84:
	case 0x85:
		return TEST;
	case 0x86:
	case 0x87:
		return XCHG;
	case OP_0F | 0xA3:
	case OP_0F | 0xAB:
	case OP_0F | 0xB3:
	case OP_0F | 0xBB:
		*op = opcode >> 3; /* the exit's address has the upper part of the bit number in it already */
		return BIT_OP;
	case OP_0F | 0xB0:
	case OP_0F | 0xB1:
		return CMPXCHG;
	case OP_0F | 0xC0:
	case OP_0F | 0xC1:
		return XADD;
	default:
		return UNKNOWN;
	}
}

bool emulate_arithmetic(struct vcpu *v, const struct insn *i, u64 gpa)
{
	unsigned size = i->op_size, op, reg = insn_reg(i);
	u64 src, mem, val, flags = v->ops->get(v, VREG_RFLAGS), bit, cf;
	enum kind kind = classify(v, i, &op, &src);

	if (kind == UNKNOWN)
		return false;
	mem = gpa_load(v, gpa, size);
	switch (kind) {
	case ALU_TO_MEM:
		val = alu(op, mem, src, size, &flags);
		if (op != ALU_CMP)
			gpa_store(v, gpa, size, val);
		break;
	case ALU_TO_REG:
		val = alu(op, src, mem, size, &flags);
		if (op != ALU_CMP)
			reg_write(v, reg, size, i->rex, val);
		break;
	case TEST:
		alu(ALU_AND, mem, src, size, &flags);
		break;
	case INC:
		cf = flags & RFLAGS_CF;
		gpa_store(v, gpa, size, alu(op, mem, src, size, &flags));
		flags = (flags & ~RFLAGS_CF) | cf;
		break;
	case NOT:
		gpa_store(v, gpa, size, ~mem);
		break;
	case NEG:
		gpa_store(v, gpa, size, alu(ALU_SUB, 0, mem, size, &flags));
		break;
	case BIT_OP:
		bit = BIT(src & (8 * size - 1));
		flags = (flags & ~RFLAGS_CF) | (mem & bit ? RFLAGS_CF : 0);
		if (op & 3) /* BTS, BTR, BTC; 0 is BT */
			gpa_store(v, gpa, size,
				  (op & 3) == 1	  ? mem | bit
				  : (op & 3) == 2 ? mem & ~bit
						  : mem ^ bit);
		break;
	case XCHG:
		gpa_store(v, gpa, size, src);
		reg_write(v, reg, size, i->rex, mem);
		break;
	case XADD:
		gpa_store(v, gpa, size, alu(ALU_ADD, mem, src, size, &flags));
		reg_write(v, reg, size, i->rex, mem);
		break;
	default: /* CMPXCHG writes in either case (SDM 2A) */
		alu(ALU_CMP, v->regs[RAX], mem, size, &flags);
		gpa_store(v, gpa, size, flags & RFLAGS_ZF ? src : mem);
		if (!(flags & RFLAGS_ZF))
			reg_write(v, RAX, size, true, mem);
	}
	v->ops->set(v, VREG_RFLAGS, flags);
	return true;
}
