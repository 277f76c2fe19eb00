/* What VT-x may have beside what pxHV insists on, for people who ask why something is slow or missing. */
#include "vm/vcpu.h"
#include "vmx/controls.h"

enum { CAP_EPT = CTL_WORDS }; /* a bit of IA32_VMX_EPT_VPID_CAP */

static const struct {
	u8 word, bit;
	const char *name; /* NULL: the control's own */
	const char *why;  /* not used; NULL: used */
} features[] = {
	{CAP_EPT, 16, "2 MiB EPT pages", NULL},
	{CAP_EPT, 17, "1 GiB EPT pages", NULL},
	{CAP_EPT, 21, "EPT accessed and dirty bits", "nobody asks which pages were touched"},
	{CTL_PROC2, 5, NULL, NULL},
	{CTL_PROC2, 7, NULL, NULL},
	{CTL_PROC2, 3, NULL, NULL},
	{CTL_PROC2, 12, NULL, NULL},
	{CTL_PROC, 21, NULL, NULL},
	{CTL_PROC2, 0, NULL, NULL},
	{CTL_PROC2, 4, NULL, NULL},
	{CTL_PROC2, 8, NULL, NULL},
	{CTL_PROC2, 9, NULL, NULL},
	{CTL_PIN, 5, NULL, NULL},
	{CTL_PROC, 22, NULL, NULL},
	{CTL_PIN, 6, NULL, NULL},
	{CTL_PIN, 7, "posted interrupts", "devices are emulated on the CPU that runs the guest"},
	{CTL_PROC, 27, "monitor trap flag",
	 "steps are made by RFLAGS.TF: some emulators offer this and lack it"},
	{CTL_PROC2, 2, "descriptor-table exiting", "the guest's tables are its own affair"},
	{CTL_PROC2, 10, "PAUSE-loop exiting", "no vcpu waits for another one's host CPU"},
	{CTL_PROC2, 13, "VM functions", "guests have one EPT each"},
	{CTL_PROC2, 14, "VMCS shadowing", "guests are shown no VT-x"},
	{CTL_PROC2, 17, "page-modification log", "nobody asks which pages were touched"},
	{CTL_PROC2, 18, "EPT-violation #VE", "guests do not handle their own EPT violations"},
	{CTL_PROC2, 20, "XSAVES", "guests are shown XSAVE only"},
	{CTL_PROC2, 25, "TSC scaling", "guests see the true TSC frequency"},
};

bool vmx_feature(unsigned i, struct cpu_feature *f)
{
	if (i >= ARRAY_SIZE(features))
		return false;

	unsigned word = features[i].word, bit = features[i].bit;

	f->name = features[i].name ? features[i].name : vmx_control_name((enum control_word)word, bit);
	f->present = (word == CAP_EPT ? vmx_caps.ept_vpid : vmx_caps.may[word]) >> bit & 1;
	f->why = features[i].why;
	/* Interrupts go through all four of these, or none. */
	if (word == CTL_PROC2 && (bit == 0 || bit == 8 || bit == 9) && !vmx_has_apicv())
		f->why = "only useful together";
	return true;
}
