/* What AMD-V may have beside nested paging (CPUID 8000000Ah:EDX, APM 3 E.4.9), for people who ask. */
#include "host/cpu.h"
#include "lib/string.h"
#include "svm/svm.h"

enum { NESTED = 32, LARGE }; /* beside the bits */

/* F(bit, name, why it is not used; "": it is). */
#define FEATURES(F)                                                                                          \
	F(NESTED, "nested paging", "")                                                                       \
	F(LARGE, "1 GiB pages", "")                                                                          \
	F(3, "next RIP", "")                                                                                 \
	F(1, "LBR virtualization", "nobody reads branch records")                                            \
	F(4, "TSC rate", "guests see the true TSC frequency")                                                \
	F(5, "VMCB clean bits", "everything is loaded at each entry")                                        \
	F(6, "flush by ASID", "flushes are rare, and all ASIDs' will do")                                    \
	F(7, "decode assists", "instructions are decoded in software, for CPUs without")                     \
	F(10, "PAUSE filter", "no vcpu waits for another one's host CPU")                                    \
	F(13, "AVIC", "interrupts are injected")                                                             \
	F(15, "virtual VMSAVE and VMLOAD", "guests are shown no AMD-V")                                      \
	F(16, "virtual GIF", "guests are shown no AMD-V")                                                    \
	F(25, "virtual NMI", "an IRET intercept tells an NMI's end")

bool svm_feature(unsigned i, struct cpu_feature *f)
{
#define F(bit, name, why) bit,
	static const u8 bits[] = {FEATURES(F)};
#undef F
#define F(bit, name, why) name "\0" why "\0"
	static const char texts[] = FEATURES(F);
#undef F
	u64 present = cpuid(0x8000000A, 0).edx | BIT(NESTED) | (u64)svm_caps.npt_1g << LARGE;

	if (i >= ARRAY_SIZE(bits))
		return false;
	f->name = nth_string(texts, 2 * i);
	f->why = nth_string(texts, 2 * i + 1);
	f->present = present >> bits[i] & 1;
	return true;
}
