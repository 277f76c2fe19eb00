/* A VM entry that failed, explained. */

#include "lib/printf.h"
#include "vmx/vmx.h"

/* SDM 3C 31.4, by number. */
static const char *const instruction_errors[] = {
	[1] = "VMCALL executed in VMX root operation",
	[2] = "VMCLEAR with an invalid physical address",
	[3] = "VMCLEAR with the VMXON pointer",
	[4] = "VMLAUNCH with a VMCS that is not clear",
	[5] = "VMRESUME with a VMCS that is not launched",
	[6] = "VMRESUME after VMXOFF",
	[7] = "VM entry with invalid control fields",
	[8] = "VM entry with invalid host-state fields",
	[9] = "VMPTRLD with an invalid physical address",
	[10] = "VMPTRLD with the VMXON pointer",
	[11] = "VMPTRLD with a wrong VMCS revision",
	[12] = "VMREAD/VMWRITE of an unsupported VMCS component",
	[13] = "VMWRITE to a read-only VMCS component",
	[15] = "VMXON in VMX root operation",
	[26] = "VM entry with events blocked by MOV SS",
};

static void list_broken(const char *what, unsigned found)
{
	if (!found)
		printk("  none of the rules of SDM 3C 27 that pxHV knows for %s is broken\n", what);
}

void vmx_explain_entry_failure(struct vcpu *v, u32 reason, int vmfail)
{
	if (vmfail == 1) {
		printk("VM entry failed: VMfailInvalid, there is no current VMCS\n");
	} else if (vmfail == 2) {
		u64 err = vmread(VMCS_INSTRUCTION_ERROR);
		const char *name = err < ARRAY_SIZE(instruction_errors) ? instruction_errors[err] : NULL;

		printk("VM entry failed: VM-instruction error %llu, %s\n", (unsigned long long)err,
		       name ? name : "unknown");
		if (err == 7)
			list_broken("controls", vmx_check_controls());
	} else {
		static const char *const names[] = {[33] = "invalid guest state", [34] = "MSR loading",
						    [41] = "machine-check event"};

		printk("VM entry failed: exit reason %u, %s, qualification %#llx\n", reason,
		       reason < ARRAY_SIZE(names) && names[reason] ? names[reason] : "unknown",
		       (unsigned long long)vmread(VMCS_EXIT_QUALIFICATION));
		if (reason == 33)
			list_broken("guest state", vmx_check_guest_state());
	}
}

/* Every field whose kind is a control, exit information or guest state; host state is our own business. */
void vmx_dump(struct vcpu *v)
{
	static const struct {
		u16 encoding;
		const char *name;
	} fields[] = {
#define F(name, encoding) {encoding, #name},
		VMCS_FIELDS(F)
#undef F
	};
	unsigned column = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (((fields[i].encoding >> 10) & 3) != 3)
			printk("%-24s %16llx%s", fields[i].name, (unsigned long long)vmread(fields[i].encoding),
			       ++column & 1 ? "   " : "\n");
	if (column & 1)
		printk("\n");
}
