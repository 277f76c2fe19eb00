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

static void pass_through(void *arg, u32 msr, bool read, bool write)
{
	vmx_msr_intercept(arg, msr, !read, !write);
}

void vmx_msr_bitmap_init(struct vmx_vcpu *x)
{
	memset(x->msr_bitmap, 0xFF, PAGE_SIZE);
	msr_policy_passthrough(pass_through, x);
}

/* The VMCS fields behind MSRs. */
static const struct {
	u32 msr;
	enum vmcs_field field;
} vmcs_msrs[] = {
	{MSR_SYSENTER_CS, VMCS_GUEST_SYSENTER_CS},
	{MSR_SYSENTER_ESP, VMCS_GUEST_SYSENTER_ESP},
	{MSR_SYSENTER_EIP, VMCS_GUEST_SYSENTER_EIP},
	{MSR_FS_BASE, VMCS_GUEST_FS_BASE},
	{MSR_GS_BASE, VMCS_GUEST_GS_BASE},
	{MSR_PAT, VMCS_GUEST_PAT},
	{MSR_EFER, VMCS_GUEST_EFER},
};

/* MSRs that stay in the CPU while the host runs, which uses none of them. */
static bool in_cpu(u32 msr)
{
	return (msr >= MSR_STAR && msr <= MSR_STAR + 3) || msr == MSR_KERNEL_GS_BASE || msr == MSR_TSC_AUX;
}

int vmx_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	for (size_t i = 0; i < ARRAY_SIZE(vmcs_msrs); i++)
		if (vmcs_msrs[i].msr == msr) {
			*val = vmread(vmcs_msrs[i].field);
			return 0;
		}
	if (msr == MSR_DEBUGCTL) {
		*val = vmread(VMCS_GUEST_DEBUGCTL);
		return 0;
	}
	if (in_cpu(msr))
		return rdmsr_safe(msr, val) ? -EPERM : 0;
	return -ENOENT;
}

int vmx_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	if (msr == MSR_EFER)
		return vmx_set_efer(v, val);
	if (msr == MSR_DEBUGCTL) {
		/* Only LBR and BTF: both work in a guest without more state to switch than the VMCS has. */
		if (val & ~3ULL)
			return -EPERM;
		vmwrite(VMCS_GUEST_DEBUGCTL, val);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(vmcs_msrs); i++) {
		if (vmcs_msrs[i].msr != msr)
			continue;
		if (msr == MSR_PAT ? !msr_pat_valid(val) : msr != MSR_SYSENTER_CS && !canonical(val))
			return -EPERM;
		vmwrite(vmcs_msrs[i].field, val);
		return 0;
	}
	if (in_cpu(msr))
		return wrmsr_safe(msr, val) ? -EPERM : 0;
	return -ENOENT;
}
