/* MSR numbers that more than one file needs (SDM 4, APM 2 appendix A). */
#pragma once

#include "lib/types.h"

enum {
	MSR_TSC = 0x10,
	MSR_APIC_BASE = 0x1B,
	MSR_FEATURE_CONTROL = 0x3A,
	MSR_SYSENTER_CS = 0x174,
	MSR_SYSENTER_ESP = 0x175,
	MSR_SYSENTER_EIP = 0x176,
	MSR_DEBUGCTL = 0x1D9,
	MSR_PAT = 0x277,
	MSR_VMX_BASIC = 0x480,
	MSR_VMX_PINBASED = 0x481,
	MSR_VMX_MISC = 0x485,
	MSR_VMX_CR0_FIXED0 = 0x486,
	MSR_VMX_CR0_FIXED1 = 0x487,
	MSR_VMX_CR4_FIXED0 = 0x488,
	MSR_VMX_CR4_FIXED1 = 0x489,
	MSR_VMX_PROCBASED2 = 0x48B,
	MSR_VMX_EPT_VPID_CAP = 0x48C,
	MSR_VMX_TRUE_PINBASED = 0x48D, /* the other three TRUE MSRs follow in the order of 481h-484h */
};
#define MSR_EFER	   0xC0000080U
#define MSR_STAR	   0xC0000081U
#define MSR_LSTAR	   0xC0000082U
#define MSR_CSTAR	   0xC0000083U
#define MSR_FMASK	   0xC0000084U
#define MSR_FS_BASE	   0xC0000100U
#define MSR_GS_BASE	   0xC0000101U
#define MSR_KERNEL_GS_BASE 0xC0000102U
#define MSR_TSC_AUX	   0xC0000103U
#define MSR_VM_CR	   0xC0010114U
#define MSR_VM_HSAVE_PA	   0xC0010117U

/* Each byte of a PAT is one of UC, WC, WT, WP, WB, UC- (SDM 3A table 12-10). */
static inline bool msr_pat_valid(u64 pat)
{
	for (unsigned i = 0; i < 64; i += 8) {
		u8 type = (u8)(pat >> i);

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static inline bool canonical(u64 addr)
{
	return (s64)(addr << 16) >> 16 == (s64)addr;
}
