/* MSRs that the VMCB holds, and the MSR permission map (APM 2 15.11). */

#include "host/msr.h"
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "svm/svm.h"
#include "vm/exits.h"

#define DEBUGCTL_BITS 0x3FULL /* LBR, BTF, PB0 to PB3 (APM 2 13.1.1.6): every CPU has them */

/* Two bits an MSR, read and write, in three ranges of 2 KiB. */
static void pass_through(void *arg, u32 msr)
{
	static const u32 bases[] = {0, 0xC0000000, 0xC0010000};
	struct svm_vcpu *x = arg;

	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		u32 n = msr - bases[i];

		if (n < 0x2000)
			x->msrpm[i * 2048 + n / 4] &= (u8) ~(3U << n % 4 * 2);
	}
}

void svm_msrpm_init(struct svm_vcpu *x)
{
	memset(x->msrpm, 0xFF, SVM_MSRPM_SIZE);
	msr_policy_passthrough(pass_through, x);
}

/* Where the VMCB holds an MSR; NULL: nowhere. */
static u64 *vmcb_msr(struct vcpu *v, u32 msr)
{
	static const struct {
		u32 first;
		u16 count, offset;
	} places[] = {
		{MSR_STAR, 4, VMCB_star}, /* LSTAR, CSTAR, FMASK */
		{MSR_KERNEL_GS_BASE, 1, VMCB_kernel_gs_base},
		{MSR_SYSENTER_CS, 3, VMCB_sysenter_cs}, /* ESP, EIP */
		{MSR_FS_BASE, 1, VMCB_fs + offsetof(struct vmcb_segment, base)},
		{MSR_GS_BASE, 1, VMCB_gs + offsetof(struct vmcb_segment, base)},
		{MSR_PAT, 1, VMCB_g_pat},
		{MSR_DEBUGCTL, 1, VMCB_debugctl}, /* without LBR virtualization it only lies there */
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (msr - places[i].first < places[i].count)
			return (u64 *)(to_svm(v)->vmcb + places[i].offset) + (msr - places[i].first);
	return NULL;
}

int svm_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	const u64 *field = vmcb_msr(v, msr);

	if (msr == MSR_TSC_AUX)
		return rdmsr_safe(msr, val);
	if (!field)
		return -ENOENT;
	*val = *field;
	return 0;
}

int svm_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	u64 *field = vmcb_msr(v, msr);

	if (msr == MSR_TSC_AUX)
		return wrmsr_safe(msr, val);
	if (!field)
		return -ENOENT;
	if (msr == MSR_DEBUGCTL && val & ~DEBUGCTL_BITS)
		return -EPERM;
	*field = val;
	return 0;
}
