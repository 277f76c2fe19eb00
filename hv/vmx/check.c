/* Why would the CPU refuse this VMCS? The entry checks of SDM 3C 27.2.1 and 27.3.1 in software, each with a
 * sentence that names the field. Run only after an entry has failed. */

#include "host/cpu.h"
#include "host/msr.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vmx/vmx.h"

#define AR_S	    BIT(4)
#define AR_P	    BIT(7)
#define AR_L	    BIT(13)
#define AR_DB	    BIT(14)
#define AR_G	    BIT(15)
#define AR_UNUSABLE BIT(16)
#define AR_RESERVED 0xFFFE0F00U
#define AR_SYSTEM   (AR_P | AR_S | AR_RESERVED)

#define INFO_VALID BIT(31)
#define HIGH	   1 /* beside a field: its upper 32 bits, which a 64-bit field has this encoding for */

/* What a rule may depend on: bits of a set. */
enum condition {
	CONTROLS, /* the controls are checked */
	TPR,	  /* 'use TPR shadow' is on */
	NO_TPR,
	NO_TPR_PAGE, /* it is on, and the page's address is 0 */
	ACCESSES,    /* 'virtualize APIC accesses' likewise */
	NO_ACCESS_PAGE,
	NO_VPID, /* 'enable VPID' and the VPID is 0 */
	NMI_EXITS,
	EVENT,		 /* one is injected; and of which type: */
	EVENT_INTERRUPT, /* (these of the event when the guest state is checked, too) */
	EVENT_TYPE_1,
	EVENT_IS_NMI,
	EVENT_IS_EXCEPTION,
	EVENT_IS_SOFTWARE,
	EVENT_HAS_ERROR,

	STATE, /* the guest state is checked */
	LONG,  /* 'IA-32e mode guest' is on */
	NOT_LONG,
	NARROW_CODE, /* not 64-bit code */
	PAGING,
	NO_PAGING,
	V86,
	IF_0,

	SEGMENT,     /* a usable code or data segment, not in virtual-8086 mode */
	V86_SEGMENT, /* one in that mode */
	LOW_BASE,    /* not FS, GS */
	PAGES,	     /* limit in pages */
	BYTES,
	CODE,	   /* CS, where it has to be code */
	CODE_64,   /* CS with L in IA-32e mode */
	STACK,	   /* SS */
	DATA_CODE, /* a data segment whose type is code */
	TASK,	   /* TR */
	LDT,	   /* a usable LDTR */
};

/* R(if, and if, field, mask, value, "text"): the field's bits of mask (sign-extended to 64 bits) have to be
 * value; mask 0 and value 1: never. */
#define RULES(R)                                                                                             \
	R(CONTROLS, CONTROLS, IO_BITMAP_A, 0xFFF, 0, "IO_BITMAP_A is not page-aligned")                      \
	R(CONTROLS, CONTROLS, MSR_BITMAP, 0xFFF, 0, "MSR_BITMAP is not page-aligned")                        \
	R(CONTROLS, CONTROLS, EPT_POINTER, 0xF87, 6, "EPT_POINTER is not write-back, or reserved bits")      \
	R(CONTROLS, CONTROLS, EPT_POINTER, 0x38, 0x18, "EPT_POINTER's page-walk length is not 4")            \
	R(CONTROLS, NO_VPID, VPID, 0, 1, "VPID is 0 with 'enable VPID'")                                     \
	R(CONTROLS, NO_TPR_PAGE, VIRTUAL_APIC_ADDR, 0, 1, "VIRTUAL_APIC_ADDR is 0")                          \
	R(CONTROLS, NO_ACCESS_PAGE, APIC_ACCESS_ADDR, 0, 1, "APIC_ACCESS_ADDR is 0")                         \
	R(CONTROLS, TPR, VIRTUAL_APIC_ADDR, 0xFFF, 0, "VIRTUAL_APIC_ADDR is not page-aligned")               \
	R(CONTROLS, ACCESSES, APIC_ACCESS_ADDR, 0xFFF, 0, "APIC_ACCESS_ADDR is not page-aligned")            \
	R(CONTROLS, NO_TPR, PROC_CONTROLS2, PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS,  \
	  0, "PROC_CONTROLS2: APIC virtualization without 'use TPR shadow'")                                 \
	R(CONTROLS, ACCESSES, PROC_CONTROLS2, PROC2_X2APIC, 0,                                               \
	  "PROC_CONTROLS2: 'virtualize APIC accesses' and 'virtualize x2APIC mode' exclude each other")      \
	R(CONTROLS, NMI_EXITS, PIN_CONTROLS, PIN_VIRTUAL_NMIS, PIN_VIRTUAL_NMIS,                             \
	  "PIN_CONTROLS: 'NMI-window exiting' without 'virtual NMIs'")                                       \
	R(CONTROLS, EVENT, ENTRY_INTR_INFO, 0x7FFFF000, 0, "ENTRY_INTR_INFO: reserved bits")                 \
	R(EVENT, EVENT_TYPE_1, ENTRY_INTR_INFO, 0, 1, "ENTRY_INTR_INFO: reserved type")                      \
	R(EVENT, EVENT_IS_NMI, ENTRY_INTR_INFO, 0xFF, X86_NMI, "ENTRY_INTR_INFO: an NMI's vector is 2")      \
	R(EVENT, EVENT_IS_EXCEPTION, ENTRY_INTR_INFO, 0xE0, 0,                                               \
	  "ENTRY_INTR_INFO: an exception's vector is below 32")                                              \
	R(EVENT, EVENT_HAS_ERROR, GUEST_CR0, CR0_PE, CR0_PE, "ENTRY_INTR_INFO: an error code in real mode")  \
	R(EVENT, EVENT_IS_SOFTWARE, ENTRY_INSTRUCTION_LEN, ~15U, 0, "ENTRY_INSTRUCTION_LEN is above 15")     \
	R(STATE, PAGING, GUEST_CR0, CR0_PE, CR0_PE, "CR0: paging without protection")                        \
	R(LONG, NO_PAGING, GUEST_CR0, 0, 1, "CR0: IA-32e mode without PG")                                   \
	R(STATE, LONG, GUEST_CR4, CR4_PAE, CR4_PAE, "CR4: IA-32e mode without PAE")                          \
	R(STATE, NOT_LONG, GUEST_CR4, CR4_PCIDE, 0, "CR4: PCIDE outside of IA-32e mode")                     \
	R(STATE, STATE, GUEST_CR3 | HIGH, 0xFFF00000, 0, "CR3 is above the physical-address width")          \
	R(STATE, STATE, GUEST_DR7 | HIGH, ~0U, 0, "DR7's high half is not 0")                                \
	R(STATE, STATE, GUEST_EFER, ~0xD01U, 0, "EFER: reserved bits")                                       \
	R(STATE, LONG, GUEST_EFER, EFER_LMA, EFER_LMA,                                                       \
	  "EFER: LMA is 0 with the control 'IA-32e mode guest'")                                             \
	R(STATE, NOT_LONG, GUEST_EFER, EFER_LMA, 0, "EFER: LMA is 1 without 'IA-32e mode guest'")            \
	R(PAGING, LONG, GUEST_EFER, EFER_LME, EFER_LME, "EFER: LMA without LME")                             \
	R(PAGING, NOT_LONG, GUEST_EFER, EFER_LME, 0, "EFER: LME and paging without LMA")                     \
	R(STATE, NARROW_CODE, GUEST_RIP | HIGH, ~0U, 0, "RIP is outside of the code segment's width")        \
	R(STATE, STATE, GUEST_RFLAGS, ~0x3F7FD5U, RFLAGS_FIXED, "RFLAGS: reserved bits")                     \
	R(V86, LONG, GUEST_RFLAGS, RFLAGS_VM, 0, "RFLAGS: VM in IA-32e mode")                                \
	R(STATE, V86, GUEST_CR0, CR0_PE, CR0_PE, "RFLAGS: VM in real mode")                                  \
	R(STATE, EVENT_INTERRUPT, GUEST_RFLAGS, RFLAGS_IF, RFLAGS_IF,                                        \
	  "RFLAGS: an interrupt is injected with IF 0")                                                      \
	R(STATE, STATE, GUEST_ACTIVITY, ~0U, 0, "ACTIVITY: pxHV enters only active guests")                  \
	R(STATE, STATE, GUEST_INTERRUPTIBILITY, ~0x1FU, 0, "INTERRUPTIBILITY: reserved bits")                \
	R(STATE, IF_0, GUEST_INTERRUPTIBILITY, 1, 0, "INTERRUPTIBILITY: STI blocking with IF 0")             \
	R(STATE, EVENT_INTERRUPT, GUEST_INTERRUPTIBILITY, 3, 0,                                              \
	  "INTERRUPTIBILITY: an interrupt is injected into a shadow")                                        \
	R(STATE, EVENT_IS_NMI, GUEST_INTERRUPTIBILITY, 2, 0,                                                 \
	  "INTERRUPTIBILITY: an NMI is injected into a shadow")                                              \
	R(STATE, STATE, GUEST_PENDING_DEBUG, ~0x1500FU, 0, "PENDING_DEBUG: reserved bits")                   \
	R(STATE, STATE, VMCS_LINK_POINTER, ~0U, ~0U, "VMCS_LINK_POINTER is not all ones")                    \
	R(V86_SEGMENT, V86_SEGMENT, GUEST_ES_LIMIT, ~0U, 0xFFFF, "limit: in virtual-8086 mode it is FFFFh")  \
	R(V86_SEGMENT, V86_SEGMENT, GUEST_ES_AR, ~0U, 0xF3, "AR: in virtual-8086 mode they are F3h")         \
	R(SEGMENT, LOW_BASE, GUEST_ES_BASE | HIGH, ~0U, 0, "base is above 4 GiB")                            \
	R(SEGMENT, SEGMENT, GUEST_ES_AR, AR_RESERVED, 0, "AR: reserved bits")                                \
	R(SEGMENT, SEGMENT, GUEST_ES_AR, AR_S, AR_S, "AR: a system descriptor")                              \
	R(SEGMENT, SEGMENT, GUEST_ES_AR, AR_P, AR_P, "AR: not present")                                      \
	R(SEGMENT, SEGMENT, GUEST_ES_AR, 1, 1, "AR: type is not 'accessed'")                                 \
	R(SEGMENT, PAGES, GUEST_ES_LIMIT, 0xFFF, 0xFFF, "limit does not match the granularity")              \
	R(SEGMENT, BYTES, GUEST_ES_LIMIT, 0xFFF00000, 0, "limit does not match the granularity")             \
	R(SEGMENT, CODE, GUEST_ES_AR, 8, 8, "AR: not code")                                                  \
	R(SEGMENT, CODE_64, GUEST_ES_AR, AR_DB, 0, "AR: L and D are both 1")                                 \
	R(SEGMENT, STACK, GUEST_ES_AR, 0xB, 3, "AR: no stack's type")                                        \
	R(SEGMENT, DATA_CODE, GUEST_ES_AR, 2, 2, "AR: code that cannot be read")                             \
	R(TASK, TASK, GUEST_ES_AR, AR_UNUSABLE, 0, "AR: unusable")                                           \
	R(TASK, LONG, GUEST_ES_AR, 0xF, 11, "AR: no busy 64-bit TSS")                                        \
	R(TASK, NOT_LONG, GUEST_ES_AR, 7, 3, "AR: no busy TSS")                                              \
	R(TASK, TASK, GUEST_ES_AR, AR_SYSTEM, AR_P, "AR: not present, or reserved bits")                     \
	R(TASK, TASK, GUEST_ES_SELECTOR, 4, 0, "selector has TI set")                                        \
	R(LDT, LDT, GUEST_ES_AR, AR_SYSTEM | 0xF, AR_P | 2, "AR: no LDT")

static const struct {
	u8 if1, if2;
	u16 field;
	s32 mask, value;
} rules[] = {
#define R(if1, if2, field, mask, value, text) {if1, if2, VMCS_##field, (s32)(mask), (s32)(value)},
	RULES(R)
#undef R
};

static const char rule_texts[] =
#define R(if1, if2, field, mask, value, text) text "\0"
	RULES(R)
#undef R
	;

static const char seg_names[] = "ES \0CS \0SS \0DS \0FS \0GS \0LDTR \0TR ";
#define NO_SEG SEG_COUNT /* is an empty name */

static unsigned found;

static void broken(unsigned seg, const char *text, u64 val)
{
	found++;
	printk("  %s%s (%#llx)\n", nth_string(seg_names, seg), text, (unsigned long long)val);
}

/* All rules whose conditions are in set, for fields that are those of ES of segment seg, or none's. */
static void check_rules(u64 set, unsigned seg)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
		unsigned field = rules[i].field + (seg == NO_SEG ? 0 : 2 * seg);
		u64 val;

		if (!(set >> rules[i].if1 & set >> rules[i].if2 & 1))
			continue;
		val = vmread(field & ~HIGH);
		if (((field & HIGH ? val >> 32 : val) & (u64)rules[i].mask) != (u64)rules[i].value)
			broken(seg, nth_string(rule_texts, i), val);
	}
}

static void check_canonical(enum vmcs_field f, unsigned seg, const char *text)
{
	u64 val = vmread(f);

	if (!canonical(val))
		broken(seg, text, val);
}

static void check_word(enum control_word w, enum vmcs_field field)
{
	u32 val = (u32)vmread(field);
	u32 wrong = (val & ~vmx_caps.may[w]) | (~val & vmx_caps.must[w]);

	for (unsigned bit = 0; bit < 32; bit++) {
		const char *name = vmx_control_name(w, bit);

		if (!(wrong >> bit & 1))
			continue;
		found++;
		printk("  %s controls (%#x): bit %u (%s) must be %u\n", nth_string(vmx_control_word_names, w),
		       val, bit, name ? name : "not used by pxHV", ~val >> bit & 1);
	}
}

#define IF(cond, is) ((u64) !!(is) << (cond))

/* The conditions on the event to be injected. */
static u64 event_conditions(void)
{
	u32 info = (u32)vmread(VMCS_ENTRY_INTR_INFO), type = info >> 8 & 7;

	if (!(info & INFO_VALID))
		return 0;
	return BIT(EVENT) | IF(EVENT_INTERRUPT, type == EVENT_EXTINT) | IF(EVENT_TYPE_1, type == 1) |
	       IF(EVENT_IS_NMI, type == EVENT_NMI) | IF(EVENT_IS_EXCEPTION, type == EVENT_EXCEPTION) |
	       IF(EVENT_IS_SOFTWARE, type >= EVENT_SOFTINT) | IF(EVENT_HAS_ERROR, info & BIT(11));
}

unsigned vmx_check_controls(void)
{
	static const u16 words[CTL_WORDS] = {VMCS_PIN_CONTROLS, VMCS_PROC_CONTROLS, VMCS_PROC_CONTROLS2,
					     VMCS_EXIT_CONTROLS, VMCS_ENTRY_CONTROLS};
	u64 proc = vmread(VMCS_PROC_CONTROLS), proc2 = vmread(VMCS_PROC_CONTROLS2);
	bool tpr = proc & PROC_TPR_SHADOW, accesses = proc2 & PROC2_APIC_ACCESSES;
	u64 set = event_conditions();

	found = 0;
	for (unsigned w = 0; w < CTL_WORDS; w++)
		check_word(w, words[w]);
	set |= BIT(CONTROLS) | IF(TPR, tpr) | IF(NO_TPR, !tpr) | IF(ACCESSES, accesses) |
	       IF(NO_TPR_PAGE, tpr && !vmread(VMCS_VIRTUAL_APIC_ADDR)) |
	       IF(NO_ACCESS_PAGE, accesses && !vmread(VMCS_APIC_ACCESS_ADDR)) |
	       IF(NO_VPID, (proc2 & PROC2_VPID) && !vmread(VMCS_VPID)) |
	       IF(NMI_EXITS, proc & PROC_NMI_WINDOW);
	check_rules(set, NO_SEG);
	return found;
}

static void check_segment(unsigned s, bool v86, u64 set)
{
	bool unrestricted = vmread(VMCS_PROC_CONTROLS2) & PROC2_UNRESTRICTED_GUEST;
	u64 ar = vmread(VMCS_SEG_AR(s)), base = vmread(VMCS_SEG_BASE(s));
	bool system = s >= SEG_LDTR, usable = s == SEG_CS || !(ar & AR_UNUSABLE);

	set &= BIT(LONG) | BIT(NOT_LONG);
	if (system) {
		set |= IF(TASK, s == SEG_TR) | IF(LDT, s == SEG_LDTR && usable);
	} else if (v86) {
		set = BIT(V86_SEGMENT);
		if (base != vmread(VMCS_SEG_SELECTOR(s)) << 4)
			broken(s, "base: in virtual-8086 mode it is selector * 16", base);
	} else if (usable) {
		bool data = s != SEG_CS && s != SEG_SS;

		set |= BIT(SEGMENT) | IF(PAGES, ar & AR_G) | IF(BYTES, !(ar & AR_G)) |
		       IF(CODE, s == SEG_CS && !(unrestricted && (ar & 0xF) == 3)) |
		       IF(CODE_64, s == SEG_CS && (ar & AR_L) && (set & BIT(LONG))) | IF(STACK, s == SEG_SS) |
		       IF(DATA_CODE, data && (ar & 8)) | IF(LOW_BASE, s != SEG_FS && s != SEG_GS);
		if (s == SEG_FS || s == SEG_GS)
			check_canonical(VMCS_SEG_BASE(s), s, "base is not canonical");
		if (s == SEG_SS && !unrestricted &&
		    ((vmread(VMCS_GUEST_SS_SELECTOR) ^ vmread(VMCS_GUEST_CS_SELECTOR)) & 3))
			broken(s, "selector's RPL differs from CS's", vmread(VMCS_GUEST_SS_SELECTOR));
	}
	check_rules(set, s);
}

static void check_fixed(const char *text, enum vmcs_field f, u64 must, u64 may)
{
	u64 val = vmread(f);

	if ((must & ~val) | (val & ~may))
		broken(NO_SEG, text, val);
}

unsigned vmx_check_guest_state(void)
{
	bool ia32e = vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E;
	u64 mode = vmread(VMCS_PROC_CONTROLS2) & PROC2_UNRESTRICTED_GUEST ? CR0_PE | CR0_PG : 0;
	bool paging = vmread(VMCS_GUEST_CR0) & CR0_PG, wide = ia32e && (vmread(VMCS_GUEST_CS_AR) & AR_L);
	u64 flags = vmread(VMCS_GUEST_RFLAGS), set = event_conditions() & ~BIT(EVENT);

	found = 0;
	check_fixed("CR0: bits that IA32_VMX_CR0_FIXED0/1 fix", VMCS_GUEST_CR0, vmx_caps.cr0_must & ~mode,
		    vmx_caps.cr0_may);
	check_fixed("CR4: bits that IA32_VMX_CR4_FIXED0/1 fix", VMCS_GUEST_CR4, vmx_caps.cr4_must,
		    vmx_caps.cr4_may);
	check_canonical(VMCS_GUEST_SYSENTER_ESP, NO_SEG, "SYSENTER_ESP is not canonical");
	check_canonical(VMCS_GUEST_SYSENTER_EIP, NO_SEG, "SYSENTER_EIP is not canonical");
	if (wide)
		check_canonical(VMCS_GUEST_RIP, NO_SEG, "RIP is not canonical");
	set |= BIT(STATE) | IF(LONG, ia32e) | IF(NOT_LONG, !ia32e) | IF(NARROW_CODE, !wide) |
	       IF(PAGING, paging) | IF(NO_PAGING, !paging) | IF(V86, flags & RFLAGS_VM) |
	       IF(IF_0, !(flags & RFLAGS_IF));
	check_rules(set, NO_SEG);
	for (unsigned s = SEG_ES; s < SEG_COUNT; s++)
		check_segment(s, flags & RFLAGS_VM, set);
	return found;
}
