/* Instructions that only move data, and are seldom used on device memory. */
#include "vm/emulate.h"

bool emulate_move(struct vcpu *v, const struct insn *i, unsigned bits, u64 gpa)
{
	unsigned op = i->map << 8 | i->opcode, size = i->op_size, reg = insn_reg(i);
	u64 val;

	switch (op) {
	case 0xA0:
	case 0xA1:
		reg = RAX;
		val = gpa_load(v, gpa, size);
		break;
	case 0xA2:
	case 0xA3:
		gpa_store(v, gpa, size, v->regs[RAX]);
		return true;
	case OP_0F | 0xB6: /* MOVZX */
	case OP_0F | 0xB7:
		val = gpa_load(v, gpa, 1 + (op & 1));
		break;
	case OP_0F | 0xBE: /* MOVSX */
		val = (u64)(s64)(s8)gpa_load(v, gpa, 1);
		break;
	case OP_0F | 0xBF:
		val = (u64)(s64)(s16)gpa_load(v, gpa, 2);
		break;
	case 0x63: /* MOVSXD, in other code ARPL; without REX.W it is a plain MOV */
		if (bits != 64)
			return false;
		val = (s32)gpa_load(v, gpa, MIN(size, 4u));
		break;
	case OP_0F38 | 0xF0: /* MOVBE; with F2 it is CRC32 */
	case OP_0F38 | 0xF1:
		if (i->rep == 0xF2)
			return false;
		val = op & 1 ? reg_read(v, reg, size, true) : gpa_load(v, gpa, size);
		val = __builtin_bswap64(val) >> (64 - 8 * size);
		if (!(op & 1))
			break;
		gpa_store(v, gpa, size, val);
		return true;
	default:
		return false;
	}
	reg_write(v, reg, size, true, val);
	return true;
}
