/* The exits that are a line or two on top of a policy or the bus: most of them are hot. */
#include "vm/exits.h"

#include "guest/pxhv.h"
#include "host/msr.h"
#include "lib/errno.h"
#include "vm/vm.h"

void exit_rdmsr(struct vcpu *v)
{
	u32 msr = v->regs[RCX];
	u64 val = v->lapic.base;
	int err = 0;

	if (msr != MSR_APIC_BASE)
		err = lapic_rdmsr(v, msr, &val);
	if (unlikely(err == -ENOENT))
		err = vcpu_rdmsr(v, msr, &val);
	if (unlikely(err)) {
		vcpu_gp(v);
		return;
	}
	v->regs[RAX] = (u32)val;
	v->regs[RDX] = val >> 32;
	v->ops->skip(v, 0);
}

void exit_wrmsr(struct vcpu *v)
{
	u32 msr = v->regs[RCX];
	u64 val = v->regs[RDX] << 32 | (u32)v->regs[RAX];
	int err = lapic_wrmsr(v, msr, val);

	if (unlikely(err == -ENOENT))
		err = vcpu_wrmsr(v, msr, val);
	if (unlikely(err))
		vcpu_gp(v);
	else
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

	if (unlikely(number != PXHV_HC_NOP)) {
		hypercall(v, number);
		return;
	}
	v->regs[RAX] = 0;
	v->ops->skip(v, 0);
}
