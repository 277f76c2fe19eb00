#include "vm/debug.h"

#include "host/cpu.h"
#include "vm/emulate.h"
#include "vm/exits.h"
#include "vm/vm.h"

bool debug_exception(struct vcpu *v, u8 vector, u64 dr6)
{
	if (likely(!(v->debug & ~(u32)DEBUG_EXCEPTIONS)) || (vector != X86_DB && vector != X86_BP))
		return false;
	return v->vm->debugger->exception(v, vector, dr6);
}

void debug_set_state(struct vcpu *v, const struct cpu_state *s)
{
	if (v->rip != s->rip)
		v->halted = false;
	vcpu_set_state(v, s);
}

void exit_mov_dr(struct vcpu *v, unsigned n, bool read, unsigned reg, unsigned len)
{
	unsigned size = vcpu_code_bits(v) == 64 ? 8 : 4;
	u64 val;

	if (vcpu_cpl(v)) {
		vcpu_gp(v);
		return;
	}
	if (n == 4 || n == 5) { /* other names of DR6 and DR7 (SDM 3B 18.2.2) */
		if (v->ops->get(v, VREG_CR4) & CR4_DE) {
			vcpu_ud(v);
			return;
		}
		n += 2;
	}
	if (read) {
		reg_write(v, reg, size, true, v->own_dr[n]);
	} else {
		val = reg_read(v, reg, size, true);
		if (n >= 6 && val >> 32) {
			vcpu_gp(v);
			return;
		}
		v->own_dr[n] = n == 7 ? val | BIT(10) : n == 6 ? val | 0xFFFF0FF0 : val;
	}
	v->ops->skip(v, len);
}
