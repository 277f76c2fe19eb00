/* A guest's architectural state in the current VMCS. */

#include "host/cpu.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

#define AR_UNUSABLE BIT(16)

/* Those that are a field; 0 for others. */
static const u16 fields[VREG_COUNT] = {
	[VREG_RIP] = VMCS_GUEST_RIP,   [VREG_RFLAGS] = VMCS_GUEST_RFLAGS, [VREG_DR7] = VMCS_GUEST_DR7,
	[VREG_EFER] = VMCS_GUEST_EFER, [VREG_RSP] = VMCS_GUEST_RSP,
};

u64 vmx_get(struct vcpu *v, enum vreg r)
{
	u16 field = fields[r];

	if (field)
		return vmread(field) | (r == VREG_EFER ? to_vmx(v)->lme : 0);
	switch (r) {
	case VREG_CR3:
		return vmx_guest_cr3(v);
	case VREG_CR0:
		return vmx_guest_cr0();
	case VREG_CR4:
		return vmx_guest_cr4();
	case VREG_CR2:
		return read_cr2();
	default:
		return read_dr6();
	}
}

void vmx_set(struct vcpu *v, enum vreg r, u64 val)
{
	struct cpu_mode m;

	switch (r) {
	case VREG_CR2:
		write_cr2(val);
		return;
	case VREG_DR6:
		write_dr6(val);
		return;
	case VREG_CR0:
	case VREG_CR3:
	case VREG_CR4:
	case VREG_EFER:
		vmx_get_mode(v, &m);
		m.vreg[r - VREG_MODE] = val;
		vmx_set_mode(v, &m);
		return;
	case VREG_RIP:
		v->rip = val;
		break;
	case VREG_RFLAGS:
		val |= RFLAGS_FIXED;
		break;
	default:
		break;
	}
	vmwrite(fields[r], val);
}

void vmx_get_mode(struct vcpu *v, struct cpu_mode *m)
{
	for (unsigned i = 0; i < ARRAY_SIZE(m->vreg); i++)
		m->vreg[i] = vmx_get(v, VREG_MODE + i);
}

void vmx_get_seg(struct vcpu *v, enum seg s, struct segment *out)
{
	u64 ar;

	out->limit = (u32)vmread(VMCS_SEG_LIMIT(s));
	out->base = vmread(VMCS_SEG_BASE(s));
	if (unlikely(s >= SEG_GDTR))
		return;
	ar = vmread(VMCS_SEG_AR(s));
	out->selector = (u16)vmread(VMCS_SEG_SELECTOR(s));
	out->attr = (u16)(ar & 0xF0FF) | (ar & AR_UNUSABLE ? SEG_UNUSABLE : 0);
}

void vmx_set_seg(struct vcpu *v, enum seg s, const struct segment *in)
{
	vmwrite(VMCS_SEG_LIMIT(s), in->limit);
	vmwrite(VMCS_SEG_BASE(s), in->base);
	if (s >= SEG_GDTR)
		return;
	vmwrite(VMCS_SEG_SELECTOR(s), in->selector);
	vmwrite(VMCS_SEG_AR(s), (in->attr & 0xF0FF) | (in->attr & SEG_UNUSABLE ? AR_UNUSABLE : 0));
}

/* For GDB, which cannot execute VMREAD by itself (tools/gdb/pxhv.py). */
__attribute__((used)) u64 vmcs_read(u64 field)
{
	return vmread((enum vmcs_field)field);
}
