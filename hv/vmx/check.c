/* Why would the CPU refuse this VMCS? The entry checks of SDM 3C 27.2.1 and 27.3.1 in software, each with a
 * sentence that names the field. Run only after an entry has failed. */

#include "host/cpu.h"
#include "lib/printf.h"
#include "host/msr.h"
#include "vmx/vmx.h"

#define AR_TYPE(ar) ((ar) & 0xF)
#define AR_S BIT(4)
#define AR_DPL(ar) (((ar) >> 5) & 3)
#define AR_P BIT(7)
#define AR_L BIT(13)
#define AR_DB BIT(14)
#define AR_G BIT(15)
#define AR_UNUSABLE BIT(16)
#define AR_RESERVED 0xFFFE0F00ULL

static unsigned broken;

/* Prints what the format says, and the field with its value, unless ok. */
static void rule(bool ok, const char *field, u64 value, const char *what)
{
	if (ok)
		return;
	broken++;
	printk("  %s = %#llx: %s\n", field, (unsigned long long)value, what);
}
#define RULE(field, cond, what)                                                                              \
	do {                                                                                                 \
		u64 x = vmread(VMCS_##field);                                                                \
		rule(cond, #field, x, what);                                                                 \
	} while (0)

static void check_word(enum control_word w, enum vmcs_field field)
{
	u32 val = (u32)vmread(field);

	for (unsigned bit = 0; bit < 32; bit++) {
		bool set = val & BIT(bit), must = vmx_caps.must[w] & BIT(bit), may = vmx_caps.may[w] & BIT(bit);
		const char *name = vmx_control_name(w, bit);

		if ((set && !may) || (!set && must)) {
			broken++;
			printk("  %s controls = %#x: bit %u (%s) %s\n", vmx_control_word_names[w], val, bit,
			       name ? name : "not used by pxHV", must ? "must be 1" : "must be 0");
		}
	}
}

unsigned vmx_check_controls(void)
{
	u64 proc = vmread(VMCS_PROC_CONTROLS), proc2 = vmread(VMCS_PROC_CONTROLS2);
	u64 info = vmread(VMCS_ENTRY_INTR_INFO), type = (info >> 8) & 7, vector = info & 0xFF;

	broken = 0;
	check_word(CTL_PIN, VMCS_PIN_CONTROLS);
	check_word(CTL_PROC, VMCS_PROC_CONTROLS);
	check_word(CTL_PROC2, VMCS_PROC_CONTROLS2);
	check_word(CTL_EXIT, VMCS_EXIT_CONTROLS);
	check_word(CTL_ENTRY, VMCS_ENTRY_CONTROLS);
	RULE(IO_BITMAP_A, !(x & 0xFFF), "not page-aligned");
	RULE(MSR_BITMAP, !(x & 0xFFF), "not page-aligned");
	RULE(EPT_POINTER, (x & 0xF87) == 6, "not write-back with reserved bits clear");
	RULE(EPT_POINTER, ((x >> 3) & 7) == 3, "page-walk length is not 4");
	RULE(VPID, x || !(proc2 & PROC2_VPID), "VPID 0 with 'enable VPID'");
	if (proc & PROC_TPR_SHADOW)
		RULE(VIRTUAL_APIC_ADDR, x && !(x & 0xFFF), "not a page");
	else
		RULE(PROC_CONTROLS2, !(x & (PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS)),
		     "APIC virtualization without 'use TPR shadow'");
	if (proc2 & PROC2_APIC_ACCESSES)
		RULE(APIC_ACCESS_ADDR, x && !(x & 0xFFF), "not a page");
	RULE(PROC_CONTROLS2, (x & (PROC2_APIC_ACCESSES | PROC2_X2APIC)) != (PROC2_APIC_ACCESSES | PROC2_X2APIC),
	     "'virtualize APIC accesses' and 'virtualize x2APIC mode' exclude each other");
	RULE(PROC_CONTROLS, !(x & PROC_NMI_WINDOW) || (vmread(VMCS_PIN_CONTROLS) & PIN_VIRTUAL_NMIS),
	     "'NMI-window exiting' without 'virtual NMIs'");
	if (info & BIT(31)) {
		rule(type != 1 && !(info & 0x7FFFF000), "ENTRY_INTR_INFO", info, "reserved type or bits");
		rule(type != EVENT_NMI || vector == X86_NMI, "ENTRY_INTR_INFO", info, "an NMI's vector is 2");
		rule(type != EVENT_EXCEPTION || vector < 32, "ENTRY_INTR_INFO", info,
		     "an exception's vector is below 32");
		rule(!(info & BIT(11)) || (vmread(VMCS_GUEST_CR0) & CR0_PE), "ENTRY_INTR_INFO", info,
		     "an error code in real mode");
		if (type >= EVENT_SOFTINT)
			RULE(ENTRY_INSTRUCTION_LEN, x <= 15, "an instruction has at most 15 bytes");
	}
	return broken;
}

static const char seg_names[SEG_COUNT][5] = {"ES", "CS", "SS", "DS", "FS", "GS", "LDTR", "TR"};

static void seg_rule(bool ok, enum seg s, const char *what)
{
	if (ok)
		return;
	broken++;
	printk("  guest %s (selector %#llx base %#llx limit %#llx access rights %#llx): %s\n", seg_names[s],
	       (unsigned long long)vmread(VMCS_SEG_SELECTOR(s)), (unsigned long long)vmread(VMCS_SEG_BASE(s)),
	       (unsigned long long)vmread(VMCS_SEG_LIMIT(s)), (unsigned long long)vmread(VMCS_SEG_AR(s)), what);
}

static void check_v86_segment(enum seg s)
{
	seg_rule(vmread(VMCS_SEG_BASE(s)) == vmread(VMCS_SEG_SELECTOR(s)) << 4, s,
		 "in virtual-8086 mode the base is selector * 16");
	seg_rule(vmread(VMCS_SEG_LIMIT(s)) == 0xFFFF, s, "in virtual-8086 mode the limit is FFFFh");
	seg_rule(vmread(VMCS_SEG_AR(s)) == 0xF3, s, "in virtual-8086 mode the access rights are F3h");
}

static void check_segment(enum seg s, bool ia32e, bool unrestricted)
{
	u64 ar = vmread(VMCS_SEG_AR(s)), limit = vmread(VMCS_SEG_LIMIT(s)), base = vmread(VMCS_SEG_BASE(s));

	if (s != SEG_CS && (ar & AR_UNUSABLE))
		return;
	seg_rule(s == SEG_FS || s == SEG_GS ? canonical(base) : !(base >> 32), s,
		 "base is not canonical or above 4 GiB");
	seg_rule(!(ar & AR_RESERVED), s, "reserved access-rights bits are set");
	seg_rule(ar & AR_S, s, "is a system descriptor");
	seg_rule(ar & AR_P, s, "is not present");
	seg_rule(ar & 1, s, "type is not 'accessed'");
	seg_rule((ar & AR_G) ? (limit & 0xFFF) == 0xFFF : !(limit >> 20), s, "limit does not match granularity");
	if (s == SEG_CS) {
		seg_rule((ar & 8) || (unrestricted && AR_TYPE(ar) == 3), s, "is not code");
		seg_rule(!ia32e || !(ar & AR_L) || !(ar & AR_DB), s, "L and D are both 1");
	} else {
		seg_rule(s == SEG_SS ? AR_TYPE(ar) == 3 || AR_TYPE(ar) == 7 : !(ar & 8) || (ar & 2), s,
			 "type cannot be loaded into this register");
	}
}

static void check_system_segments(bool ia32e)
{
	u64 tr = vmread(VMCS_GUEST_TR_AR), ldtr = vmread(VMCS_GUEST_LDTR_AR);

	seg_rule(!(tr & AR_UNUSABLE), SEG_TR, "is unusable");
	seg_rule(AR_TYPE(tr) == 11 || (!ia32e && AR_TYPE(tr) == 3), SEG_TR, "is not a busy TSS");
	seg_rule((tr & AR_P) && !(tr & AR_S) && !(tr & AR_RESERVED), SEG_TR,
		 "is absent, no system descriptor, or has reserved bits");
	seg_rule(!(vmread(VMCS_GUEST_TR_SELECTOR) & 4), SEG_TR, "selector has TI set");
	if (!(ldtr & AR_UNUSABLE))
		seg_rule((ldtr & AR_P) && !(ldtr & AR_S) && AR_TYPE(ldtr) == 2, SEG_LDTR, "is not an LDT");
	RULE(GUEST_GDTR_BASE, canonical(x), "not canonical");
	RULE(GUEST_IDTR_BASE, canonical(x), "not canonical");
	RULE(GUEST_GDTR_LIMIT, !(x >> 16), "above FFFFh");
	RULE(GUEST_IDTR_LIMIT, !(x >> 16), "above FFFFh");
}

static void check_registers(bool ia32e, bool unrestricted)
{
	u64 cr0 = vmread(VMCS_GUEST_CR0), cr4 = vmread(VMCS_GUEST_CR4), efer = vmread(VMCS_GUEST_EFER);
	u64 must = vmx_caps.cr0_must & ~(unrestricted ? CR0_PE | CR0_PG : 0);

	rule((cr0 & must) == must && !(cr0 & ~vmx_caps.cr0_may), "GUEST_CR0", cr0,
	     "bits that VMX fixes (IA32_VMX_CR0_FIXED0/1) have the wrong value");
	rule(!(cr0 & CR0_PG) || (cr0 & CR0_PE), "GUEST_CR0", cr0, "paging without protection");
	rule((cr4 & vmx_caps.cr4_must) == vmx_caps.cr4_must && !(cr4 & ~vmx_caps.cr4_may), "GUEST_CR4", cr4,
	     "bits that VMX fixes (IA32_VMX_CR4_FIXED0/1) have the wrong value");
	rule(!ia32e || ((cr0 & CR0_PG) && (cr4 & CR4_PAE)), "GUEST_CR4", cr4,
	     "IA-32e mode needs CR0.PG and CR4.PAE");
	rule(ia32e || !(cr4 & CR4_PCIDE), "GUEST_CR4", cr4, "PCIDE outside IA-32e mode");
	RULE(GUEST_CR3, !(x >> 52), "above the physical-address width");
	RULE(GUEST_DR7, !(x >> 32), "high half is not 0");
	RULE(GUEST_SYSENTER_ESP, canonical(x), "not canonical");
	RULE(GUEST_SYSENTER_EIP, canonical(x), "not canonical");
	rule(!(efer & ~0xD01ULL), "GUEST_EFER", efer, "reserved bits are set");
	rule(!!(efer & EFER_LMA) == ia32e, "GUEST_EFER", efer, "LMA differs from the entry control 'IA-32e mode guest'");
	rule(!(cr0 & CR0_PG) || !!(efer & EFER_LMA) == !!(efer & EFER_LME), "GUEST_EFER", efer,
	     "LMA differs from LME with paging on");
}

static void check_rest(bool ia32e)
{
	u64 flags = vmread(VMCS_GUEST_RFLAGS), shadow = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	u64 info = vmread(VMCS_ENTRY_INTR_INFO), type = (info >> 8) & 7;
	bool long_code = ia32e && (vmread(VMCS_GUEST_CS_AR) & AR_L);

	RULE(GUEST_RIP, long_code ? canonical(x) : !(x >> 32), "outside the address width of the code segment");
	rule((flags & ~0x3F7FD7ULL) == 0 && (flags & RFLAGS_FIXED), "GUEST_RFLAGS", flags,
	     "reserved bits have the wrong value");
	rule(!(flags & RFLAGS_VM) || (!ia32e && (vmread(VMCS_GUEST_CR0) & CR0_PE)), "GUEST_RFLAGS", flags,
	     "VM outside protected mode");
	rule(!(info & BIT(31)) || type != EVENT_EXTINT || (flags & RFLAGS_IF), "GUEST_RFLAGS", flags,
	     "an interrupt is injected but IF is 0");
	RULE(GUEST_ACTIVITY, x == 0, "pxHV enters only active guests");
	rule(!(shadow & ~0x1FULL) && (shadow & 3) != 3, "GUEST_INTERRUPTIBILITY", shadow,
	     "reserved bits, or both STI and MOV SS blocking");
	rule(!(shadow & 1) || (flags & RFLAGS_IF), "GUEST_INTERRUPTIBILITY", shadow, "STI blocking with IF 0");
	rule(!(info & BIT(31)) || type != EVENT_EXTINT || !(shadow & 3), "GUEST_INTERRUPTIBILITY", shadow,
	     "an interrupt is injected into a shadow");
	rule(!(info & BIT(31)) || type != EVENT_NMI || !(shadow & 2), "GUEST_INTERRUPTIBILITY", shadow,
	     "an NMI is injected into a MOV SS shadow");
	RULE(GUEST_PENDING_DEBUG, !(x & ~0x1500FULL), "reserved bits are set");
	RULE(VMCS_LINK_POINTER, x == ~0ULL, "must be all ones");
}

unsigned vmx_check_guest_state(void)
{
	bool ia32e = vmread(VMCS_ENTRY_CONTROLS) & ENTRY_IA32E;
	bool unrestricted = vmread(VMCS_PROC_CONTROLS2) & PROC2_UNRESTRICTED_GUEST;
	bool v86 = vmread(VMCS_GUEST_RFLAGS) & RFLAGS_VM;

	broken = 0;
	check_registers(ia32e, unrestricted);
	for (unsigned s = SEG_ES; s <= SEG_GS; s++) {
		if (v86)
			check_v86_segment(s);
		else
			check_segment(s, ia32e, unrestricted);
	}
	if (!v86 && !unrestricted)
		seg_rule(((vmread(VMCS_GUEST_SS_SELECTOR) ^ vmread(VMCS_GUEST_CS_SELECTOR)) & 3) == 0, SEG_SS,
			 "RPL differs from CS");
	check_system_segments(ia32e);
	check_rest(ia32e);
	return broken;
}
