/* MSRs that the VMCB holds, and the MSR permission map (APM 2 15.11). */

#include "host/msr.h"
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "svm/svm.h"
#include "vm/exits.h"

/* Two bits an MSR, read then write, in three ranges of 2 KiB. */
static void intercept(struct svm_vcpu *x, u32 msr, bool read, bool write)
{
	static const u32 bases[] = {0, 0xC0000000, 0xC0010000};

	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		u32 n = msr - bases[i];

		if (n >= 0x2000)
			continue;
		u8 *byte = &x->msrpm[i * 2048 + n / 4], shift = n % 4 * 2;

		*byte = (u8)((*byte & ~(3U << shift)) | (read | (u32)write << 1) << shift);
	}
}

static void pass_through(void *arg, u32 msr, bool read, bool write)
{
	intercept(arg, msr, !read, !write);
}

void svm_msrpm_init(struct svm_vcpu *x)
{
	memset(x->msrpm, 0xFF, SVM_MSRPM_SIZE);
	msr_policy_passthrough(pass_through, x);
}

static u64 *vmcb_msr(void *b, u32 msr)
{
	switch (msr) {
	case MSR_STAR:
		return vmcb_star(b);
	case MSR_LSTAR:
		return vmcb_lstar(b);
	case MSR_CSTAR:
		return vmcb_cstar(b);
	case MSR_FMASK:
		return vmcb_sfmask(b);
	case MSR_KERNEL_GS_BASE:
		return vmcb_kernel_gs_base(b);
	case MSR_FS_BASE:
		return &vmcb_fs(b)->base;
	case MSR_GS_BASE:
		return &vmcb_gs(b)->base;
	case MSR_SYSENTER_CS:
		return vmcb_sysenter_cs(b);
	case MSR_SYSENTER_ESP:
		return vmcb_sysenter_esp(b);
	case MSR_SYSENTER_EIP:
		return vmcb_sysenter_eip(b);
	case MSR_PAT:
		return vmcb_g_pat(b);
	default:
		return NULL;
	}
}

int svm_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	void *b = to_svm(v)->vmcb;
	u64 *field = vmcb_msr(b, msr);

	if (field)
		*val = *field;
	else if (msr == MSR_EFER)
		*val = *vmcb_efer(b) & ~EFER_SVME;
	else if (msr == MSR_DEBUGCTL)
		*val = 0;
	else if (msr == MSR_TSC_AUX)
		return rdmsr_safe(msr, val) ? -EPERM : 0;
	else
		return -ENOENT;
	return 0;
}

static int set_efer(void *b, u64 val)
{
	u64 old = *vmcb_efer(b), cr0 = *vmcb_cr0(b);

	if ((val & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) ||
	    ((cr0 & CR0_PG) && ((val ^ old) & EFER_LME)))
		return -EPERM;
	*vmcb_efer(b) = (val & ~EFER_LMA) | (old & EFER_LMA) | EFER_SVME;
	return 0;
}

int svm_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	void *b = to_svm(v)->vmcb;
	u64 *field = vmcb_msr(b, msr);

	if (msr == MSR_EFER) {
		svm_tlb_flush(v);
		return set_efer(b, val);
	}
	if (msr == MSR_DEBUGCTL)
		return val ? -EPERM : 0;
	if (msr == MSR_TSC_AUX)
		return wrmsr_safe(msr, val) ? -EPERM : 0;
	if (!field)
		return -ENOENT;
	if (msr == MSR_PAT ? !msr_pat_valid(val)
			   : msr != MSR_STAR && msr != MSR_FMASK && msr != MSR_SYSENTER_CS && !canonical(val))
		return -EPERM;
	*field = val;
	return 0;
}
