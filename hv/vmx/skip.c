/* Getting past the instruction that exited: part of nearly every exit, so each VMREAD here counts. */

#include "host/cpu.h"
#include "vm/decode.h"
#include "vmx/vmx.h"

/* What few instructions need: EIP that wraps at 4 GiB outside 64-bit mode, the end of STI's and MOV SS's
 * shadow and of RF, and the #DB that TF asks for after an instruction which the CPU did not complete itself
 * (SDM 3B 18.3.1.4). A pending #DB would be lost to an interrupt that goes in with the next entry
 * (3C 27.7.3); Bochs has set one. */
static __attribute__((noinline, cold)) void skip_rest(struct vcpu *v, u64 rip)
{
	u64 flags = vmread(VMCS_GUEST_RFLAGS), pending;

	if ((u32)rip < INSN_MAX && vcpu_code_bits(v) != 64)
		rip = (u32)rip;
	v->rip = rip;
	vmwrite(VMCS_GUEST_RIP, rip);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKING_STI_MOVSS);
	vmwrite(VMCS_GUEST_RFLAGS, flags & ~RFLAGS_RF);
	if (!(flags & RFLAGS_TF))
		return;
	pending = vmread(VMCS_GUEST_PENDING_DEBUG) & 15;
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);
	if (v->debug & DEBUG_STEP) {
		vcpu_kick(v, EV_DEBUG);
	} else if (!(vmread(VMCS_GUEST_DEBUGCTL) & DEBUGCTL_BTF)) {
		vmx_debug_status(v, DR6_BS | pending);
		vcpu_exception(v, X86_DB, false, 0);
	}
}

void vmx_skip(struct vcpu *v, unsigned len)
{
	u64 rip = v->rip + (likely(!len) ? vmread(VMCS_EXIT_INSTRUCTION_LEN) : len);

	if (unlikely((u32)rip < INSN_MAX || (vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_STI_MOVSS) ||
		     (vmread(VMCS_GUEST_RFLAGS) & (RFLAGS_TF | RFLAGS_RF)))) {
		skip_rest(v, rip);
		return;
	}
	v->rip = rip;
	vmwrite(VMCS_GUEST_RIP, rip);
}
