#include "vm/debug.h"

#include "host/cpu.h"
#include "vm/vm.h"

bool debug_exception(struct vcpu *v, u8 vector, u64 dr6)
{
	if (likely(!v->debug) || (vector != X86_DB && vector != X86_BP))
		return false;
	return v->vm->debugger->exception(v, vector, dr6);
}

void exit_mov_dr(struct vcpu *v, unsigned n, bool read, u64 *reg, unsigned len)
{
	bool de = v->ops->get(v, VREG_CR4) & CR4_DE;

	if (vcpu_cpl(v)) {
		vcpu_gp(v);
		return;
	}
	if (n == 4 || n == 5) { /* other names of DR6 and DR7 (SDM 3B 18.2.2) */
		if (de) {
			vcpu_exception(v, X86_UD, false, 0);
			return;
		}
		n += 2;
	}
	if (read)
		*reg = v->own_dr[n];
	else
		v->own_dr[n] = n == 7 ? (u32)*reg | BIT(10) : n == 6 ? (u32)*reg | 0xFFFF0FF0 : *reg;
	v->ops->skip(v, len);
}
