/* VM-execution, VM-exit and VM-entry controls by their SDM names (SDM 3C 25.6-25.8), once:
 * C(word, bit, NAME, "name", use). word is which of the five control fields; use says what pxHV does with
 * it: REQUIRED stops the boot when missing, OPTIONAL changes the plan, DYNAMIC is switched at run time and
 * required, DYNAMIC_OPTIONAL likewise but may be missing. */
#pragma once

#include "lib/types.h"

enum control_word { CTL_PIN, CTL_PROC, CTL_PROC2, CTL_EXIT, CTL_ENTRY, CTL_WORDS };
enum control_use { CTL_REQUIRED, CTL_OPTIONAL, CTL_DYNAMIC, CTL_DYNAMIC_OPTIONAL };

#define VMX_CONTROLS(C)                                                                                      \
	C(PROC, 31, SECONDARY, "activate secondary controls", REQUIRED)                                      \
	C(PROC2, 1, EPT, "enable EPT", REQUIRED)                                                             \
	C(PIN, 0, EXTINT_EXITING, "external-interrupt exiting", REQUIRED)                                    \
	C(PIN, 3, NMI_EXITING, "NMI exiting", REQUIRED)                                                      \
	C(PIN, 5, VIRTUAL_NMIS, "virtual NMIs", OPTIONAL)                                                    \
	C(PIN, 6, PREEMPTION_TIMER, "activate VMX-preemption timer", OPTIONAL)                               \
	C(PROC, 2, INTERRUPT_WINDOW, "interrupt-window exiting", DYNAMIC)                                    \
	C(PROC, 3, TSC_OFFSETTING, "use TSC offsetting", REQUIRED)                                           \
	C(PROC, 7, HLT_EXITING, "HLT exiting", REQUIRED)                                                     \
	C(PROC, 10, MWAIT_EXITING, "MWAIT exiting", REQUIRED)                                                \
	C(PROC, 11, RDPMC_EXITING, "RDPMC exiting", REQUIRED)                                                \
	C(PROC, 15, CR3_LOAD_EXITING, "CR3-load exiting", DYNAMIC)                                           \
	C(PROC, 16, CR3_STORE_EXITING, "CR3-store exiting", DYNAMIC)                                         \
	C(PROC, 19, CR8_LOAD_EXITING, "CR8-load exiting", DYNAMIC)                                           \
	C(PROC, 20, CR8_STORE_EXITING, "CR8-store exiting", DYNAMIC)                                         \
	C(PROC, 21, TPR_SHADOW, "use TPR shadow", DYNAMIC_OPTIONAL)                                          \
	C(PROC, 22, NMI_WINDOW, "NMI-window exiting", DYNAMIC_OPTIONAL)                                      \
	C(PROC, 23, MOV_DR_EXITING, "MOV-DR exiting", DYNAMIC)                                               \
	C(PROC, 25, IO_BITMAPS, "use I/O bitmaps", REQUIRED)                                                 \
	C(PROC, 28, MSR_BITMAPS, "use MSR bitmaps", REQUIRED)                                                \
	C(PROC, 29, MONITOR_EXITING, "MONITOR exiting", REQUIRED)                                            \
	C(PROC2, 0, APIC_ACCESSES, "virtualize APIC accesses", DYNAMIC_OPTIONAL)                             \
	C(PROC2, 3, RDTSCP, "enable RDTSCP", OPTIONAL)                                                       \
	C(PROC2, 4, X2APIC, "virtualize x2APIC mode", DYNAMIC_OPTIONAL)                                      \
	C(PROC2, 5, VPID, "enable VPID", OPTIONAL)                                                           \
	C(PROC2, 7, UNRESTRICTED_GUEST, "unrestricted guest", OPTIONAL)                                      \
	C(PROC2, 8, APIC_REGISTERS, "APIC-register virtualization", DYNAMIC_OPTIONAL)                        \
	C(PROC2, 9, VIRTUAL_INTERRUPTS, "virtual-interrupt delivery", DYNAMIC_OPTIONAL)                      \
	C(PROC2, 12, INVPCID, "enable INVPCID", OPTIONAL)                                                    \
	C(EXIT, 2, SAVE_DEBUG, "save debug controls", REQUIRED)                                              \
	C(EXIT, 9, HOST_64, "host address-space size", REQUIRED)                                             \
	C(EXIT, 15, ACK_INTERRUPT, "acknowledge interrupt on exit", REQUIRED)                                \
	C(EXIT, 18, SAVE_PAT, "save IA32_PAT", REQUIRED)                                                     \
	C(EXIT, 19, LOAD_PAT, "load IA32_PAT", REQUIRED)                                                     \
	C(EXIT, 20, SAVE_EFER, "save IA32_EFER", REQUIRED)                                                   \
	C(EXIT, 21, LOAD_EFER, "load IA32_EFER", REQUIRED)                                                   \
	C(EXIT, 22, SAVE_TIMER, "save VMX-preemption timer value", OPTIONAL)                                 \
	C(ENTRY, 2, LOAD_DEBUG, "load debug controls", REQUIRED)                                             \
	C(ENTRY, 9, IA32E, "IA-32e mode guest", DYNAMIC)                                                     \
	C(ENTRY, 14, LOAD_PAT, "load IA32_PAT", REQUIRED)                                                    \
	C(ENTRY, 15, LOAD_EFER, "load IA32_EFER", REQUIRED)

enum {
#define C(word, bit, id, name, use) word##_##id = (int)(1U << (bit)),
	VMX_CONTROLS(C)
#undef C
};

/* What this CPU's VT-x can do, read once (vmx/caps.c). */
struct vmx_caps {
	u64 basic, misc, ept_vpid;
	u32 must[CTL_WORDS]; /* bits that have to be 1 */
	u32 may[CTL_WORDS];  /* bits that may be 1 */
	u32 base[CTL_WORDS]; /* what every VMCS starts with: must, required and optional bits */
	u64 cr0_must, cr0_may, cr4_must, cr4_may;
};

extern struct vmx_caps vmx_caps;

static inline bool vmx_has(enum control_word w, u32 bits)
{
	return (vmx_caps.may[w] & bits) == bits;
}

/* All of TPR shadow, APIC accesses, APIC registers and virtual-interrupt delivery: then EOI and most other
 * LAPIC accesses cost no exit. */
bool vmx_has_apicv(void);

/* The control's SDM name, for dumps; NULL when the list has none for that bit. */
const char *vmx_control_name(enum control_word w, unsigned bit);
extern const char vmx_control_word_names[]; /* one behind the other, see nth_string() */

/* struct vcpu_ops.feature */
struct cpu_feature;
bool vmx_feature(unsigned i, struct cpu_feature *f); /* for the monitor: left out with it */
#pragma weak vmx_feature

/* struct vcpu_ops.check: 0, or -ENODEV having said what is missing, where that was read and what to do. */
int vmx_check(void);
