/* What guests have in the CPU itself, and not in a VMCS or VMCB, since the host uses none of it. */
#include "host/cpu.h"
#include "host/msr.h"

/* An XSAVE area whose header says that all is as after FNINIT. MXCSR is asked for all the same (SDM
 * 1 13.8.1), and FXRSTOR knows no header. */
static struct {
	u16 fcw;
	u8 reserved[22];
	u32 mxcsr;
	u8 rest[548];
} initial __aligned(64);

void cpu_forget_guest(u64 xcr0)
{
	static const u32 msrs[] = {MSR_STAR,  MSR_LSTAR,	  MSR_CSTAR,
				   MSR_FMASK, MSR_KERNEL_GS_BASE, MSR_TSC_AUX};

	initial.fcw = 0x37F;
	initial.mxcsr = 0x1F80;
	if (xcr0) {
		xsetbv_safe(0, xcr0);
		__asm__ volatile("xrstor64 %0" ::"m"(initial), "a"(~0), "d"(~0));
		xsetbv_safe(0, 1);
	} else {
		__asm__ volatile("fxrstor64 %0" ::"m"(initial));
	}
	write_dr0(0);
	write_dr1(0);
	write_dr2(0);
	write_dr3(0);
	write_dr6(0xFFFF0FF0);
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		wrmsr_safe(msrs[i], 0);
}
