/* A guest's architectural state in the current VMCS. */

#include "host/cpu.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

#define AR_UNUSABLE BIT(16)

u64 vmx_get(struct vcpu *v, enum vreg r)
{
	switch (r) {
	case VREG_RIP:
		return v->rip;
	case VREG_RSP:
		return vmread(VMCS_GUEST_RSP);
	case VREG_RFLAGS:
		return vmread(VMCS_GUEST_RFLAGS);
	case VREG_CR0:
		return vmx_guest_cr0();
	case VREG_CR2:
		return read_cr2();
	case VREG_CR3:
		return vmx_guest_cr3(v);
	case VREG_CR4:
		return vmx_guest_cr4();
	case VREG_DR6:
		return read_dr6();
	case VREG_DR7:
		return vmread(VMCS_GUEST_DR7);
	default:
		return vmread(VMCS_GUEST_EFER);
	}
}

void vmx_set(struct vcpu *v, enum vreg r, u64 val)
{
	switch (r) {
	case VREG_RIP:
		v->rip = val;
		vmwrite(VMCS_GUEST_RIP, val);
		break;
	case VREG_RSP:
		vmwrite(VMCS_GUEST_RSP, val);
		break;
	case VREG_RFLAGS:
		vmwrite(VMCS_GUEST_RFLAGS, val | RFLAGS_FIXED);
		break;
	case VREG_CR0:
		vmx_load_mode(v, val, vmx_guest_cr4(), vmread(VMCS_GUEST_EFER), vmx_guest_cr3(v));
		break;
	case VREG_CR2:
		write_cr2(val);
		break;
	case VREG_CR3:
		vmx_load_mode(v, vmx_guest_cr0(), vmx_guest_cr4(), vmread(VMCS_GUEST_EFER), val);
		break;
	case VREG_CR4:
		vmx_load_mode(v, vmx_guest_cr0(), val, vmread(VMCS_GUEST_EFER), vmx_guest_cr3(v));
		break;
	case VREG_DR6:
		write_dr6(val);
		break;
	case VREG_DR7:
		vmwrite(VMCS_GUEST_DR7, val);
		break;
	default:
		vmx_load_mode(v, vmx_guest_cr0(), vmx_guest_cr4(), val, vmx_guest_cr3(v));
	}
}

void vmx_get_seg(struct vcpu *v, enum seg s, struct segment *out)
{
	u64 ar = vmread(VMCS_SEG_AR(s));

	out->selector = (u16)vmread(VMCS_SEG_SELECTOR(s));
	out->limit = (u32)vmread(VMCS_SEG_LIMIT(s));
	out->base = vmread(VMCS_SEG_BASE(s));
	out->attr = (u16)(ar & 0xF0FF) | (ar & AR_UNUSABLE ? SEG_UNUSABLE : 0);
}

static void set_seg(enum seg s, const struct segment *in)
{
	vmwrite(VMCS_SEG_SELECTOR(s), in->selector);
	vmwrite(VMCS_SEG_LIMIT(s), in->limit);
	vmwrite(VMCS_SEG_BASE(s), in->base);
	vmwrite(VMCS_SEG_AR(s), (in->attr & 0xF0FF) | (in->attr & SEG_UNUSABLE ? AR_UNUSABLE : 0));
}

void vmx_get_state(struct vcpu *v, struct cpu_state *s)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		s->gpr[i] = v->regs[i];
	s->gpr[RSP] = vmread(VMCS_GUEST_RSP);
	s->rip = vmread(VMCS_GUEST_RIP);
	s->rflags = vmread(VMCS_GUEST_RFLAGS);
	s->cr0 = vmx_guest_cr0();
	s->cr2 = read_cr2();
	s->cr3 = vmx_guest_cr3(v);
	s->cr4 = vmx_guest_cr4();
	s->efer = vmread(VMCS_GUEST_EFER);
	s->dr7 = vmread(VMCS_GUEST_DR7);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		vmx_get_seg(v, i, &s->seg[i]);
	s->gdtr.base = vmread(VMCS_GUEST_GDTR_BASE);
	s->gdtr.limit = (u16)vmread(VMCS_GUEST_GDTR_LIMIT);
	s->idtr.base = vmread(VMCS_GUEST_IDTR_BASE);
	s->idtr.limit = (u16)vmread(VMCS_GUEST_IDTR_LIMIT);
}

void vmx_set_state(struct vcpu *v, const struct cpu_state *s)
{
	for (unsigned i = 0; i < GPR_COUNT; i++)
		v->regs[i] = s->gpr[i];
	for (unsigned i = 0; i < SEG_COUNT; i++)
		set_seg(i, &s->seg[i]);
	vmwrite(VMCS_GUEST_RSP, s->gpr[RSP]);
	vmx_set(v, VREG_RIP, s->rip);
	vmx_set(v, VREG_RFLAGS, s->rflags);
	vmwrite(VMCS_GUEST_DR7, s->dr7);
	vmwrite(VMCS_GUEST_GDTR_BASE, s->gdtr.base);
	vmwrite(VMCS_GUEST_GDTR_LIMIT, s->gdtr.limit);
	vmwrite(VMCS_GUEST_IDTR_BASE, s->idtr.base);
	vmwrite(VMCS_GUEST_IDTR_LIMIT, s->idtr.limit);
	write_cr2(s->cr2);
	vmx_load_mode(v, s->cr0, s->cr4, s->efer, s->cr3);
}

/* For GDB, which cannot execute VMREAD by itself (tools/gdb/pxhv.py). */
__attribute__((used)) u64 vmcs_read(u64 field)
{
	return vmread((enum vmcs_field)field);
}
