/* A guest's architectural state in its VMCB. */

#include "host/cpu.h"
#include "svm/svm.h"

static struct vmcb_segment *segment(struct vcpu *v, enum seg s)
{
	static const u16 offsets[SEG_ALL] = {VMCB_es, VMCB_cs,	 VMCB_ss, VMCB_ds,   VMCB_fs,
					     VMCB_gs, VMCB_ldtr, VMCB_tr, VMCB_gdtr, VMCB_idtr};

	return (struct vmcb_segment *)(to_svm(v)->vmcb + offsets[s]);
}

static u64 *reg(struct vcpu *v, enum vreg r)
{
	static const u16 offsets[VREG_COUNT] = {
		[VREG_RIP] = VMCB_rip, [VREG_RFLAGS] = VMCB_rflags, [VREG_CR2] = VMCB_cr2,
		[VREG_DR7] = VMCB_dr7, [VREG_CR0] = VMCB_cr0,	    [VREG_CR3] = VMCB_cr3,
		[VREG_CR4] = VMCB_cr4, [VREG_EFER] = VMCB_efer,	    [VREG_RSP] = VMCB_rsp,
		[VREG_DR6] = VMCB_dr6,
	};

	return (u64 *)(to_svm(v)->vmcb + offsets[r]);
}

u64 svm_get(struct vcpu *v, enum vreg r)
{
	u64 val = *reg(v, r);

	return r == VREG_EFER ? val & ~EFER_SVME : val;
}

void svm_set(struct vcpu *v, enum vreg r, u64 val)
{
	if (r == VREG_RIP)
		v->rip = val;
	else if (r == VREG_RFLAGS)
		val |= RFLAGS_FIXED;
	else if (r == VREG_CR2)
		write_cr2(val); /* Bochs' VMRUN does not load it */
	else if (r == VREG_EFER) {
		val |= EFER_SVME;
		svm_tlb_flush(v);
	}
	*reg(v, r) = val;
}

void svm_get_seg(struct vcpu *v, enum seg s, struct segment *out)
{
	const struct vmcb_segment *in = segment(v, s);

	out->selector = in->selector;
	out->limit = in->limit;
	out->base = in->base;
	out->attr = (u16)((in->attr & 0xFF) | (in->attr & 0xF00) << 4);
	/* There is no "unusable" here: a null selector's segment is simply not present. */
	if (!(in->attr & 0x80))
		out->attr |= SEG_UNUSABLE;
	/* SYSRET leaves another DPL in a null SS; the privilege level is the VMCB's own field (APM 2 15.5.1).
	 */
	if (s == SEG_SS)
		out->attr = (u16)((out->attr & ~0x60) | *vmcb_cpl(to_svm(v)->vmcb) << 5);
}

void svm_set_seg(struct vcpu *v, enum seg s, const struct segment *in)
{
	u16 attr = (u16)((in->attr & (in->attr & SEG_UNUSABLE ? 0x7F : 0xFF)) | (in->attr >> 4 & 0xF00));

	*segment(v, s) = (struct vmcb_segment){
		.selector = in->selector, .attr = attr, .limit = in->limit, .base = in->base};
}

void svm_set_mode(struct vcpu *v, const struct cpu_mode *m)
{
	for (unsigned i = 0; i < ARRAY_SIZE(m->vreg); i++)
		svm_set(v, VREG_MODE + i, m->vreg[i]);
	*vmcb_cpl(to_svm(v)->vmcb) = m->cr0 & CR0_PE ? vmcb_ss(to_svm(v)->vmcb)->attr >> 5 & 3 : 0;
	svm_tlb_flush(v);
}
