/* The exits that are a line or two on top of a policy or the bus: most of them are hot. */
#include "vm/exits.h"

#include "guest/pxhv.h"
#include "host/cpu.h"
#include "host/msr.h"
#include "vm/vm.h"

void exit_rdmsr(struct vcpu *v)
{
	u64 val = v->lapic.base;

	if ((u32)v->regs[RCX] != MSR_APIC_BASE && vcpu_rdmsr(v, v->regs[RCX], &val)) {
		vcpu_gp(v);
		return;
	}
	v->regs[RAX] = (u32)val;
	v->regs[RDX] = val >> 32;
	v->ops->skip(v, 0);
}

void exit_wrmsr(struct vcpu *v)
{
	if (vcpu_wrmsr(v, v->regs[RCX], v->regs[RDX] << 32 | (u32)v->regs[RAX]))
		vcpu_gp(v);
	else
		v->ops->skip(v, 0);
}

/* Combinations that the CPU refuses (SDM 1 13.3): no x87, AVX without SSE, part of AVX-512 or without AVX. */
static bool xcr0_valid(u64 val)
{
	u64 avx512 = val & 0xE0;

	return !(val & ~cpuid_xcr0_mask()) && val & 1 && (!(val & 4) || val & 2) &&
	       (!avx512 || (avx512 == 0xE0 && val & 4));
}

__cold void exit_xsetbv(struct vcpu *v)
{
	u64 val = v->regs[RDX] << 32 | (u32)v->regs[RAX];

	if (!(v->ops->get(v, VREG_CR4) & CR4_OSXSAVE)) {
		vcpu_exception(v, X86_UD, false, 0);
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

void exit_hlt(struct vcpu *v)
{
	v->halted = true;
	v->idle = 0;
	v->ops->skip(v, 0);
}

void exit_io(struct vcpu *v, u16 port, unsigned size, bool in)
{
	u64 rax = v->regs[RAX];

	if (!in) {
		bus_pio_write(v->vm, port, size, size == 1 ? (u8)rax : size == 2 ? (u16)rax : (u32)rax);
	} else {
		u32 val = bus_pio_read(v->vm, port, size);

		if (size == 1)
			v->regs[RAX] = (rax & ~0xFFULL) | (u8)val;
		else if (size == 2)
			v->regs[RAX] = (rax & ~0xFFFFULL) | (u16)val;
		else
			v->regs[RAX] = val;
	}
	v->ops->skip(v, 0);
}

void exit_hypercall(struct vcpu *v)
{
	u32 number = v->regs[RAX];

	v->regs[RAX] = likely(number == PXHV_HC_NOP) ? 0 : hypercall(v, number);
	v->ops->skip(v, 0);
}
