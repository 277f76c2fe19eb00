/* What the assembler files need to know of C: compiled to assembly only; the build turns the marked lines
 * into hv/offsets.inc. */

#include "svm/svm.h"
#include "vm/vcpu.h"
#include "vmx/vmx.h"

#define DEFINE(name, value) __asm__ volatile("@@ %%define " #name " %c0" ::"i"((long)(value)))

void offsets(void);

void offsets(void)
{
	DEFINE(VCPU_RAX, offsetof(struct vcpu, regs[RAX]));
	DEFINE(VCPU_RCX, offsetof(struct vcpu, regs[RCX]));
	DEFINE(VCPU_RDX, offsetof(struct vcpu, regs[RDX]));
	DEFINE(VCPU_RBX, offsetof(struct vcpu, regs[RBX]));
	DEFINE(VCPU_RBP, offsetof(struct vcpu, regs[RBP]));
	DEFINE(VCPU_RSI, offsetof(struct vcpu, regs[RSI]));
	DEFINE(VCPU_RDI, offsetof(struct vcpu, regs[RDI]));
	DEFINE(VCPU_R8, offsetof(struct vcpu, regs[R8]));
	DEFINE(VCPU_R9, offsetof(struct vcpu, regs[R9]));
	DEFINE(VCPU_R10, offsetof(struct vcpu, regs[R10]));
	DEFINE(VCPU_R11, offsetof(struct vcpu, regs[R11]));
	DEFINE(VCPU_R12, offsetof(struct vcpu, regs[R12]));
	DEFINE(VCPU_R13, offsetof(struct vcpu, regs[R13]));
	DEFINE(VCPU_R14, offsetof(struct vcpu, regs[R14]));
	DEFINE(VCPU_R15, offsetof(struct vcpu, regs[R15]));
	DEFINE(VCPU_HALTED, offsetof(struct vcpu, halted));
	DEFINE(VCPU_TRACED, offsetof(struct vcpu, traced));
	DEFINE(VCPU_ONLY_TRACED, 1 << 8 * (offsetof(struct vcpu, traced) - offsetof(struct vcpu, halted)));
	DEFINE(VCPU_RIP, offsetof(struct vcpu, rip));
	DEFINE(VCPU_RING_POS, offsetof(struct vcpu, ring_pos));
	DEFINE(VCPU_RING, offsetof(struct vcpu, ring));
	DEFINE(VCPU_EXIT_COUNTS, offsetof(struct vcpu, exit_counts));
	DEFINE(EXIT_RECORD_SIZE, sizeof(struct exit_record));

	DEFINE(VMX_EXIT_REASONS, VMX_EXIT_REASONS);
	DEFINE(VMCS_HOST_RSP, VMCS_HOST_RSP);
	DEFINE(VMCS_EXIT_REASON, VMCS_EXIT_REASON);
	DEFINE(VMCS_GUEST_RIP, VMCS_GUEST_RIP);

	DEFINE(SVM_EXIT_CODES, SVM_EXIT_CODES);
	DEFINE(SVM_VMCB, offsetof(struct svm_vcpu, vmcb));
	DEFINE(SVM_HOST_STATE, offsetof(struct svm_vcpu, host_state));
	DEFINE(VMCB_EXITCODE, VMCB_exitcode);
	DEFINE(VMCB_RIP, VMCB_rip);
	DEFINE(VMCB_RAX, VMCB_rax);
}

_Static_assert(offsetof(struct vcpu, halted) % 8 == 0 &&
		       offsetof(struct vcpu, traced) == offsetof(struct vcpu, halted) + 2 &&
		       offsetof(struct vcpu, events) == offsetof(struct vcpu, halted) + 4,
	       "entry.asm tests the three at once");
_Static_assert(EXIT_RING_SIZE * sizeof(struct exit_record) == 256 * 8,
	       "the low byte of vcpu.ring_pos finds the record");
