/* Device memory: performs the instruction whose access left the guest's RAM. The access that caused the exit
 * has been checked by the CPU already (segment limits, paging), so that its address is taken from the exit;
 * only a string instruction's other operand is walked. An access that crosses into the next page is taken as
 * contiguous. */
#include "vm/emulate.h"
#include "vm/exits.h"
#include "vm/vm.h"

/* The instructions that only move data; false for others. */
static bool move(struct vcpu *v, const struct insn *i, unsigned bits, u64 gpa)
{
	unsigned size = i->op_size, op = i->map << 8 | i->opcode, reg = insn_reg(i);

	if (likely((op & ~1u) == 0x88) || op == (OP_0F | 0xC3)) { /* MOV; MOVNTI */
		gpa_store(v, gpa, size, reg_read(v, reg, size, i->rex));
		return true;
	}
	if (likely((op & ~1u) == 0x8A)) {
		reg_write(v, reg, size, i->rex, gpa_load(v, gpa, size));
		return true;
	}
	if (likely((op & ~1u) == 0xC6) && !(reg & 7)) {
		gpa_store(v, gpa, size, i->imm);
		return true;
	}
	return emulate_move(v, i, bits, gpa);
}

void exit_mmio(struct vcpu *v, u64 gpa)
{
	unsigned bits;
	const struct insn *i;
	bool known = true;

	if (unlikely(v->events & EV_REINJECT)) {
		vm_died(v->vm, "an event was to be delivered through %#llx, where there is no RAM",
			(unsigned long long)gpa);
		return;
	}
	bits = fetch_insn(v);
	if (!bits)
		return;
	i = &v->fetch->insn;
	if (unlikely(!i->len || i->modrm >= 0xC0)) /* a register operand cannot have made this exit */
		known = false;
	else if (move(v, i, bits, gpa) || emulate_arithmetic(v, i, gpa))
		v->ops->skip(v, i->len);
	else
		known = emulate_string(v, i, bits);
	if (known)
		return;
	if (!bus_mmio_at(v->vm, gpa) && !guest_ptr(v->vm, gpa, 1))
		vm_died(v->vm,
			"the instruction at rip %#llx uses %#llx, where there is neither memory nor a "
			"device: a wrong pointer, or stack?",
			(unsigned long long)v->rip, (unsigned long long)gpa);
	else
		vm_died(v->vm, "MMIO at 0x%llx by an instruction pxHV does not know: %016llx",
			(unsigned long long)gpa, (unsigned long long)__builtin_bswap64(v->fetch->now[0]));
}
