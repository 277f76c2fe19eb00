/* MSRs that the VMCS holds, and the MSR bitmap (SDM 3C 25.6.9). */

#include "host/msr.h"
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/exits.h"
#include "vmx/vmx.h"

#define BITMAP_READ_LOW	 0
#define BITMAP_READ_HIGH 0x400
#define BITMAP_WRITE	 0x800

void vmx_msr_intercept(struct vmx_vcpu *x, u32 msr, bool read, bool write)
{
	u32 byte = (msr & 0x1FFF) / 8 + (msr >= 0xC0000000 ? BITMAP_READ_HIGH : BITMAP_READ_LOW);
	u8 bit = (u8)(1 << (msr & 7));
	u8 *r = &x->msr_bitmap[byte], *w = &x->msr_bitmap[byte + BITMAP_WRITE];

	*r = (u8)(read ? *r | bit : *r & ~bit);
	*w = (u8)(write ? *w | bit : *w & ~bit);
}

static void pass_through(void *arg, u32 msr)
{
	vmx_msr_intercept(arg, msr, false, false);
}

void vmx_msr_bitmap_init(struct vmx_vcpu *x)
{
	memset(x->msr_bitmap, 0xFF, sizeof(x->msr_bitmap));
	msr_policy_passthrough(pass_through, x);
	vmx_msr_intercept(x, MSR_TSC, false, true); /* the CPU adds the offset; QEMU's AMD-V reads 0 */
}

/* The VMCS field behind an MSR; 0 for none. */
static u16 field_of(u32 msr)
{
	static const struct {
		u32 msr;
		u16 field;
	} fields[] = {
		{MSR_SYSENTER_CS, VMCS_GUEST_SYSENTER_CS},   {MSR_SYSENTER_ESP, VMCS_GUEST_SYSENTER_ESP},
		{MSR_SYSENTER_EIP, VMCS_GUEST_SYSENTER_EIP}, {MSR_FS_BASE, VMCS_GUEST_FS_BASE},
		{MSR_GS_BASE, VMCS_GUEST_GS_BASE},	     {MSR_PAT, VMCS_GUEST_PAT},
		{MSR_DEBUGCTL, VMCS_GUEST_DEBUGCTL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (fields[i].msr == msr)
			return fields[i].field;
	return 0;
}

/* MSRs that stay in the CPU while the host runs, which uses none of them. */
static bool in_cpu(u32 msr)
{
	return msr - MSR_STAR < 4 || msr == MSR_KERNEL_GS_BASE || msr == MSR_TSC_AUX;
}

int vmx_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	u16 field = field_of(msr);

	if (!field)
		return in_cpu(msr) ? rdmsr_safe(msr, val) : -ENOENT;
	*val = vmread(field);
	return 0;
}

int vmx_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	u16 field = field_of(msr);

	if (!field)
		return in_cpu(msr) ? wrmsr_safe(msr, val) : -ENOENT;
	/* Only LBR and BTF: both work in a guest without more state to switch than the VMCS has. */
	if (msr == MSR_DEBUGCTL && val & ~(DEBUGCTL_LBR | DEBUGCTL_BTF))
		return -EPERM;
	vmwrite(field, val);
	return 0;
}
