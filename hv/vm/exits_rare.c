/* The exits that are short and rare. */
#include "host/cpu.h"
#include "vm/exits.h"
#include "vm/vm.h"

void vcpu_ud(struct vcpu *v)
{
	vcpu_exception(v, X86_UD, false, 0);
}

void vcpu_gp(struct vcpu *v)
{
	vcpu_exception(v, X86_GP, true, 0);
}

void exit_ignore(struct vcpu *v)
{
	v->ops->skip(v, 0);
}

void exit_ferr(struct vcpu *v)
{
	spin_lock(&v->vm->lock);
	vm_irq_set(v->vm, IRQ_FPU, true);
	spin_unlock(&v->vm->lock);
	v->halted = true;
	if (v->debug & DEBUG_STEP) /* in which no interrupt comes: it ends where it began */
		vcpu_kick(v, EV_DEBUG);
}

void exit_task_switch(struct vcpu *v, u16 selector)
{
	vm_died(v->vm, "hardware task switch to selector %#x at rip %#llx, which pxHV does not emulate",
		selector, (unsigned long long)v->rip);
}

void exit_page_walk(struct vcpu *v, u64 gpa)
{
	vm_died(v->vm, "the guest's page tables lead to %#llx, where there is no RAM for them",
		(unsigned long long)gpa);
}

/* Combinations that the CPU refuses (SDM 1 13.3): no x87, AVX without SSE, part of AVX-512 or without AVX. */
static bool xcr0_valid(u64 val)
{
	u64 avx512 = val & 0xE0;

	return !(val & ~cpuid_xcr0_mask()) && val & 1 && (!(val & 4) || val & 2) &&
	       (!avx512 || (avx512 == 0xE0 && val & 4));
}

void exit_xsetbv(struct vcpu *v)
{
	u64 val = v->regs[RDX] << 32 | (u32)v->regs[RAX];

	if (!(v->ops->get(v, VREG_CR4) & CR4_OSXSAVE)) {
		vcpu_ud(v);
		return;
	}
	/* The bits are the CPU's own, so that a refusal here is a guest's doing too. XCR0 stays the guest's
	 * while it runs on this CPU: the hypervisor uses no extended state. */
	if (vcpu_cpl(v) || (u32)v->regs[RCX] || !xcr0_valid(val) || xsetbv_safe(0, val)) {
		vcpu_gp(v);
		return;
	}
	v->ops->skip(v, 0);
}
