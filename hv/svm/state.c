/* A guest's architectural state in its VMCB. */

#include "host/cpu.h"
#include "lib/string.h"
#include "svm/svm.h"

static struct vmcb_segment *segment(struct svm_vcpu *x, enum seg s)
{
	static const u16 offsets[SEG_COUNT] = {VMCB_es, VMCB_cs, VMCB_ss,   VMCB_ds,
					       VMCB_fs, VMCB_gs, VMCB_ldtr, VMCB_tr};

	return (struct vmcb_segment *)(x->vmcb + offsets[s]);
}

u64 svm_get(struct vcpu *v, enum vreg r)
{
	void *b = to_svm(v)->vmcb;

	switch (r) {
	case VREG_RIP:
		return v->rip;
	case VREG_RSP:
		return *vmcb_rsp(b);
	case VREG_RFLAGS:
		return *vmcb_rflags(b);
	case VREG_CR0:
		return *vmcb_cr0(b);
	case VREG_CR2:
		return *vmcb_cr2(b);
	case VREG_CR3:
		return *vmcb_cr3(b);
	case VREG_CR4:
		return *vmcb_cr4(b);
	case VREG_DR6:
		return *vmcb_dr6(b);
	case VREG_DR7:
		return *vmcb_dr7(b);
	default:
		return *vmcb_efer(b) & ~EFER_SVME;
	}
}

void svm_set(struct vcpu *v, enum vreg r, u64 val)
{
	void *b = to_svm(v)->vmcb;

	switch (r) {
	case VREG_RIP:
		v->rip = val;
		*vmcb_rip(b) = val;
		break;
	case VREG_RSP:
		*vmcb_rsp(b) = val;
		break;
	case VREG_RFLAGS:
		*vmcb_rflags(b) = val | RFLAGS_FIXED;
		break;
	case VREG_CR0:
		*vmcb_cr0(b) = val;
		break;
	case VREG_CR2:
		*vmcb_cr2(b) = val;
		write_cr2(val); /* Bochs' VMRUN does not load it */
		break;
	case VREG_CR3:
		*vmcb_cr3(b) = val;
		break;
	case VREG_CR4:
		*vmcb_cr4(b) = val;
		break;
	case VREG_DR6:
		*vmcb_dr6(b) = val;
		break;
	case VREG_DR7:
		*vmcb_dr7(b) = val;
		break;
	default:
		*vmcb_efer(b) = val | EFER_SVME;
	}
}

void svm_get_seg(struct vcpu *v, enum seg s, struct segment *out)
{
	const struct vmcb_segment *in = segment(to_svm(v), s);

	out->selector = in->selector;
	out->limit = in->limit;
	out->base = in->base;
	out->attr = (u16)((in->attr & 0xFF) | (in->attr & 0xF00) << 4);
	/* There is no "unusable" here: a null selector's segment is simply not present. */
	if (!(in->attr & 0x80))
		out->attr |= SEG_UNUSABLE;
}

static void set_seg(struct svm_vcpu *x, enum seg s, const struct segment *in)
{
	u16 attr = in->attr & SEG_UNUSABLE ? 0 : (u16)((in->attr & 0xFF) | (in->attr >> 4 & 0xF00));

	*segment(x, s) = (struct vmcb_segment){
		.selector = in->selector, .attr = attr, .limit = in->limit, .base = in->base};
}

void svm_get_state(struct vcpu *v, struct cpu_state *s)
{
	void *b = to_svm(v)->vmcb;

	memcpy(s->gpr, v->regs, sizeof(s->gpr));
	s->gpr[RSP] = *vmcb_rsp(b);
	s->rip = *vmcb_rip(b);
	s->rflags = *vmcb_rflags(b);
	s->cr0 = *vmcb_cr0(b);
	s->cr2 = *vmcb_cr2(b);
	s->cr3 = *vmcb_cr3(b);
	s->cr4 = *vmcb_cr4(b);
	s->efer = *vmcb_efer(b) & ~EFER_SVME;
	s->dr7 = *vmcb_dr7(b);
	for (unsigned i = 0; i < SEG_COUNT; i++)
		svm_get_seg(v, i, &s->seg[i]);
	s->gdtr.base = vmcb_gdtr(b)->base;
	s->gdtr.limit = (u16)vmcb_gdtr(b)->limit;
	s->idtr.base = vmcb_idtr(b)->base;
	s->idtr.limit = (u16)vmcb_idtr(b)->limit;
}

void svm_set_state(struct vcpu *v, const struct cpu_state *s)
{
	struct svm_vcpu *x = to_svm(v);
	void *b = x->vmcb;

	memcpy(v->regs, s->gpr, sizeof(s->gpr));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		set_seg(x, i, &s->seg[i]);
	*vmcb_cpl(b) = (s->cr0 & CR0_PE) ? s->seg[SEG_SS].attr >> 5 & 3 : 0;
	*vmcb_rsp(b) = s->gpr[RSP];
	svm_set(v, VREG_RIP, s->rip);
	svm_set(v, VREG_RFLAGS, s->rflags);
	*vmcb_cr0(b) = s->cr0;
	*vmcb_cr2(b) = s->cr2;
	*vmcb_cr3(b) = s->cr3;
	*vmcb_cr4(b) = s->cr4;
	*vmcb_efer(b) = s->efer | EFER_SVME;
	*vmcb_dr7(b) = s->dr7;
	vmcb_gdtr(b)->base = s->gdtr.base;
	vmcb_gdtr(b)->limit = s->gdtr.limit;
	vmcb_idtr(b)->base = s->idtr.base;
	vmcb_idtr(b)->limit = s->idtr.limit;
	svm_tlb_flush(v);
}
