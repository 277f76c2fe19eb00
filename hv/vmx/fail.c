/* What VM exits and failures are called; a VM entry that failed, explained. */

#include "lib/printf.h"
#include "lib/string.h"
#include "vmx/exits_list.h"
#include "vmx/vmx.h"

/* VM-instruction errors: SDM 3C 31.4. */
#define INSTRUCTION_ERRORS(E)                                                                                \
	E(1, "VMCALL in VMX root operation")                                                                 \
	E(2, "VMCLEAR with an invalid physical address")                                                     \
	E(3, "VMCLEAR with the VMXON pointer")                                                               \
	E(4, "VMLAUNCH with a VMCS that is not clear")                                                       \
	E(5, "VMRESUME with a VMCS that is not launched")                                                    \
	E(6, "VMRESUME after VMXOFF")                                                                        \
	E(7, "invalid control fields")                                                                       \
	E(8, "invalid host-state fields")                                                                    \
	E(9, "VMPTRLD with an invalid physical address")                                                     \
	E(10, "VMPTRLD with the VMXON pointer")                                                              \
	E(11, "VMPTRLD with a wrong VMCS revision")                                                          \
	E(12, "VMREAD/VMWRITE of an unsupported VMCS component")                                             \
	E(13, "VMWRITE to a read-only VMCS component")                                                       \
	E(15, "VMXON in VMX root operation")                                                                 \
	E(26, "events blocked by MOV SS")

#define INVALID_CONTROLS    7
#define INVALID_GUEST_STATE 33

#define NUMBER(number, ...)    number,
#define TEXT(number, text)     text "\0"
#define NAME(number, name, fn) #name "\0"

const char *vmx_exit_name(u64 reason)
{
	static const u8 numbers[] = {VMX_EXITS(NUMBER) INVALID_GUEST_STATE, 34, 41};

	return name_of(numbers, ARRAY_SIZE(numbers),
		       VMX_EXITS(NAME) "invalid guest state\0MSR loading\0machine-check event\0?",
		       (u16)reason);
}

static void list_broken(const char *what, unsigned found)
{
	if (!found)
		printk("  no rule of SDM 3C 27 that pxHV knows for %s is broken\n", what);
}

void vmx_explain_entry_failure(struct vcpu *v, u32 reason, int vmfail)
{
	static const u8 errors[] = {INSTRUCTION_ERRORS(NUMBER)};

	printk("VM entry failed: ");
	if (vmfail == 1) {
		printk("VMfailInvalid, there is no current VMCS\n");
	} else if (vmfail == 2) {
		u32 error = (u32)vmread(VMCS_INSTRUCTION_ERROR);

		printk("VM-instruction error %u, %s\n", error,
		       name_of(errors, ARRAY_SIZE(errors), INSTRUCTION_ERRORS(TEXT) "unknown", error));
		if (error == INVALID_CONTROLS)
			list_broken("controls", vmx_check_controls());
	} else {
		printk("exit reason %u, %s, qualification %#llx\n", reason, vmx_exit_name(reason),
		       (unsigned long long)vmread(VMCS_EXIT_QUALIFICATION));
		if (reason == INVALID_GUEST_STATE)
			list_broken("guest state", vmx_check_guest_state());
	}
}
