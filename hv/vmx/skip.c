/* Getting past the instruction that exited: part of nearly every exit, so each VMREAD here counts. */

#include "host/cpu.h"
#include "vm/decode.h"
#include "vmx/vmx.h"

#define BLOCKING_STI_MOVSS 3ULL
#define PENDING_DEBUG_BS   BIT(14)

/* What few instructions need: EIP that wraps at 4 GiB outside 64-bit mode, the end of STI's and MOV SS's
 * shadow, and the #DB that TF asks for after an instruction which the CPU did not complete itself (SDM
 * 3B 18.3.1.4). */
static __attribute__((noinline, cold)) void skip_rest(struct vcpu *v, u64 rip)
{
	u64 pending;

	if ((u32)rip < INSN_MAX && vcpu_code_bits(v) != 64)
		rip = (u32)rip;
	v->rip = rip;
	vmwrite(VMCS_GUEST_RIP, rip);
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKING_STI_MOVSS);
	if (!(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF))
		return;
	pending = vmread(VMCS_GUEST_PENDING_DEBUG);
	if (v->debug & DEBUG_STEP) {
		pending &= ~PENDING_DEBUG_BS; /* Bochs has set it: the step would be over twice */
		vcpu_kick(v, EV_DEBUG);
	} else {
		pending |= PENDING_DEBUG_BS;
	}
	vmwrite(VMCS_GUEST_PENDING_DEBUG, pending);
}

void vmx_skip(struct vcpu *v, unsigned len)
{
	u64 rip = v->rip + (likely(!len) ? vmread(VMCS_EXIT_INSTRUCTION_LEN) : len);

	if (unlikely((u32)rip < INSN_MAX || (vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_STI_MOVSS) ||
		     (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_TF))) {
		skip_rest(v, rip);
		return;
	}
	v->rip = rip;
	vmwrite(VMCS_GUEST_RIP, rip);
}
