/* What AMD-V may have beside nested paging (CPUID 8000000Ah:EDX, APM 3 E.4.9), for people who ask. */
#include "host/cpu.h"
#include "svm/svm.h"

static const struct {
	u8 bit;
	const char *name, *why; /* why it is not used; NULL: it is */
} features[] = {
	{3, "next RIP", NULL},
	{1, "LBR virtualization", "nobody reads branch records"},
	{4, "TSC rate", "guests see the true TSC frequency"},
	{5, "VMCB clean bits", "everything is loaded at each entry"},
	{6, "flush by ASID", "flushes are rare, and all ASIDs' will do"},
	{7, "decode assists", "instructions are decoded in software, for CPUs without"},
	{10, "PAUSE filter", "no vcpu waits for another one's host CPU"},
	{13, "AVIC", "interrupts are injected"},
	{15, "virtual VMSAVE and VMLOAD", "guests are shown no AMD-V"},
	{16, "virtual GIF", "guests are shown no AMD-V"},
	{25, "virtual NMI", "an IRET intercept tells an NMI's end"},
};

bool svm_feature(unsigned i, struct cpu_feature *f)
{
	static const struct cpu_feature nested = {"nested paging", NULL, true},
					large = {"1 GiB pages", NULL, true};

	if (i < 2) {
		*f = i ? large : nested;
		f->present = !i || svm_caps.npt_1g;
		return true;
	}
	i -= 2;
	if (i >= ARRAY_SIZE(features))
		return false;
	f->name = features[i].name;
	f->why = features[i].why;
	f->present = cpuid(0x8000000A, 0).edx & BIT(features[i].bit);
	return true;
}
