/* What VT-x may have beside what pxHV insists on, for people who ask why something is slow or missing. */
#include "lib/string.h"
#include "vm/vcpu.h"
#include "vmx/controls.h"

enum { CTL_EPT = CTL_WORDS }; /* a bit of IA32_VMX_EPT_VPID_CAP */

/* F(word, bit, name, why it is not used): an empty name is the control's own, an empty why is "used". */
#define FEATURES(F)                                                                                          \
	F(EPT, 16, "2 MiB EPT pages", "")                                                                    \
	F(EPT, 17, "1 GiB EPT pages", "")                                                                    \
	F(EPT, 21, "EPT accessed and dirty bits", "nobody asks which pages were touched")                    \
	F(PROC2, 5, "", "")                                                                                  \
	F(PROC2, 7, "", "")                                                                                  \
	F(PROC2, 3, "", "")                                                                                  \
	F(PROC2, 12, "", "")                                                                                 \
	F(PROC, 21, "", "")                                                                                  \
	F(PROC2, 0, "", "")                                                                                  \
	F(PROC2, 4, "", "")                                                                                  \
	F(PROC2, 8, "", "")                                                                                  \
	F(PROC2, 9, "", "")                                                                                  \
	F(PIN, 5, "", "")                                                                                    \
	F(PROC, 22, "", "")                                                                                  \
	F(PIN, 6, "", "")                                                                                    \
	F(PIN, 7, "posted interrupts", "devices are emulated on the CPU that runs the guest")                \
	F(PROC, 27, "monitor trap flag",                                                                     \
	  "steps are made by RFLAGS.TF: some emulators offer this and lack it")                              \
	F(PROC2, 2, "descriptor-table exiting", "the guest's tables are its own affair")                     \
	F(PROC2, 10, "PAUSE-loop exiting", "no vcpu waits for another one's host CPU")                       \
	F(PROC2, 13, "VM functions", "guests have one EPT each")                                             \
	F(PROC2, 14, "VMCS shadowing", "guests are shown no VT-x")                                           \
	F(PROC2, 17, "page-modification log", "nobody asks which pages were touched")                        \
	F(PROC2, 18, "EPT-violation #VE", "guests do not handle their own EPT violations")                   \
	F(PROC2, 20, "XSAVES", "guests are shown XSAVE only")                                                \
	F(PROC2, 25, "TSC scaling", "guests see the true TSC frequency")

static const struct {
	u8 word, bit;
} features[] = {
#define F(word, bit, name, why) {CTL_##word, bit},
	FEATURES(F)
#undef F
};

bool vmx_feature(unsigned i, struct cpu_feature *f)
{
#define F(word, bit, name, why) name "\0" why "\0"
	static const char texts[] = FEATURES(F);
#undef F

	if (i >= ARRAY_SIZE(features))
		return false;

	unsigned word = features[i].word, bit = features[i].bit;

	f->name = nth_string(texts, 2 * i);
	if (!*f->name)
		f->name = vmx_control_name((enum control_word)word, bit);
	f->why = nth_string(texts, 2 * i + 1);
	f->present = (word == CTL_EPT ? vmx_caps.ept_vpid : vmx_caps.may[word]) >> bit & 1;
	/* Interrupts go through all four of these, or none. */
	if (word == CTL_PROC2 && (bit == 0 || bit == 8 || bit == 9) && !vmx_has_apicv())
		f->why = "only useful together";
	return true;
}
