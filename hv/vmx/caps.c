/* What VT-x this CPU has, and refusals that explain themselves. */

#include "host/cpu.h"
#include "host/msr.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vmx/controls.h"

struct vmx_caps vmx_caps;

static const struct control {
	u8 word, bit, use;
} controls[] = {
#define C(word, bit, id, name, use) {CTL_##word, bit, CTL_##use},
	VMX_CONTROLS(C)
#undef C
};

static const char control_names[] =
#define C(word, bit, id, name, use) name "\0"
	VMX_CONTROLS(C)
#undef C
	;

const char vmx_control_word_names[] = "pin-based\0processor-based\0secondary\0VM-exit\0VM-entry";

const char *vmx_control_name(enum control_word w, unsigned bit)
{
	for (unsigned i = 0; i < ARRAY_SIZE(controls); i++)
		if (controls[i].word == w && controls[i].bit == bit)
			return nth_string(control_names, i);
	return NULL;
}

bool vmx_has_apicv(void)
{
	return vmx_has(CTL_PROC, PROC_TPR_SHADOW) &&
	       vmx_has(CTL_PROC2, PROC2_APIC_ACCESSES | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS);
}

/* Where word's allowed settings are read from (SDM 3D A.3-A.5). */
static u32 control_msr(enum control_word w)
{
	static const u8 index[CTL_WORDS] = {0, 1, 0, 2, 3};

	if (w == CTL_PROC2)
		return MSR_VMX_PROCBASED2;
	return (vmx_caps.basic & BIT(55) ? MSR_VMX_TRUE_PINBASED : MSR_VMX_PINBASED) + index[w];
}

static int check_controls(void)
{
	for (unsigned w = 0; w < CTL_WORDS; w++) {
		if (w == CTL_PROC2 && !vmx_has(CTL_PROC, PROC_SECONDARY))
			continue;
		u64 v = rdmsr(control_msr(w));

		vmx_caps.must[w] = vmx_caps.base[w] = (u32)v;
		vmx_caps.may[w] = (u32)(v >> 32);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(controls); i++) {
		const struct control *c = &controls[i];
		u32 bit = 1U << c->bit;

		if (vmx_caps.may[c->word] & bit) {
			if (c->use == CTL_REQUIRED || c->use == CTL_OPTIONAL)
				vmx_caps.base[c->word] |= bit;
		} else if (c->use == CTL_REQUIRED || c->use == CTL_DYNAMIC) {
			bool ept = c->word == CTL_PROC2 || !vmx_has(CTL_PROC, PROC_SECONDARY);

			printk("pxHV: this CPU's VT-x lacks '%s' (%s control bit %u, MSR %#x bit %u).\n"
			       "pxHV needs %s: Intel CPUs have it from 2008 on (Nehalem). Try another PC, or "
			       "`tools/pxhv run --engine bochs`.\n",
			       ept ? "enable EPT" : nth_string(control_names, i),
			       nth_string(vmx_control_word_names, ept ? CTL_PROC2 : c->word),
			       ept ? 1U : c->bit, ept ? MSR_VMX_PROCBASED2 : control_msr(c->word),
			       ept ? 33U : c->bit + 32U, ept ? "extended page tables (EPT)" : "it");
			return -ENODEV;
		}
	}
	return 0;
}

static int check_ept(void)
{
	static const u8 needed[] = {6, 14, 16, 20};
	static const char names[] = "a page-walk length of 4\0write-back structures\0002 MiB pages\0INVEPT";

	vmx_caps.ept_vpid = rdmsr(MSR_VMX_EPT_VPID_CAP);
	for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
		if (vmx_caps.ept_vpid & BIT(needed[i]))
			continue;
		printk("pxHV: this CPU's EPT lacks %s (MSR %#x bit %u), which pxHV needs.\n"
		       "Try another PC, or `tools/pxhv run --engine bochs`.\n",
		       nth_string(names, i), MSR_VMX_EPT_VPID_CAP, needed[i]);
		return -ENODEV;
	}
	return 0;
}

int vmx_check(void)
{
	if (!(cpuid(1, 0).ecx & BIT(5))) {
		printk("pxHV: this CPU has no VT-x (CPUID.1:ECX bit 5 is 0).\n");
		if (cpuid(1, 0).ecx & BIT(31))
			printk("It is a virtual CPU: its hypervisor does not offer VT-x. Under KVM, load "
			       "kvm_intel "
			       "with nested=1 and use -cpu host; QEMU without KVM cannot emulate VT-x, Bochs "
			       "can.\n");
		else
			printk("Use a PC with VT-x or AMD-V, or `tools/pxhv run --engine bochs` on any "
			       "PC.\n");
		return -ENODEV;
	}
	u64 fc = rdmsr(MSR_FEATURE_CONTROL);

	if ((fc & BIT(0)) && !(fc & BIT(2))) {
		printk("pxHV: the firmware has locked VT-x off (MSR %#x IA32_FEATURE_CONTROL = %#llx: bit 0 "
		       "set, bit 2 "
		       "clear).\nSwitch on \"Intel Virtualization Technology\" in the firmware setup, then "
		       "turn the PC "
		       "off and on.\n",
		       MSR_FEATURE_CONTROL, (unsigned long long)fc);
		return -ENODEV;
	}
	vmx_caps.basic = rdmsr(MSR_VMX_BASIC);
	if (((vmx_caps.basic >> 50) & 0xF) != 6) {
		printk("pxHV: this CPU wants its VMCS in memory of type %u (MSR %#x bits 50-53), not "
		       "write-back.\n",
		       (unsigned)(vmx_caps.basic >> 50) & 0xF, MSR_VMX_BASIC);
		return -ENODEV;
	}
	vmx_caps.misc = rdmsr(MSR_VMX_MISC);
	vmx_caps.cr0_must = rdmsr(MSR_VMX_CR0_FIXED0);
	vmx_caps.cr0_may = rdmsr(MSR_VMX_CR0_FIXED1);
	vmx_caps.cr4_must = rdmsr(MSR_VMX_CR4_FIXED0);
	vmx_caps.cr4_may = rdmsr(MSR_VMX_CR4_FIXED1);

	int r = check_controls();

	return r ? r : check_ept();
}
