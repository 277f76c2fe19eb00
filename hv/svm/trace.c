/* What the trace keeps of an exit: right before each entry of a traced vcpu, so it is short. */
#include "vm/trace.h"
#include "svm/exits_list.h"
#include "svm/svm.h"

void svm_trace_exit(struct vcpu *v, struct exit_record *r)
{
	u64 detail = *vmcb_exitinfo1(to_svm(v)->vmcb);

	if (unlikely(r->reason == SVM_EXIT_NPF))
		detail = *vmcb_exitinfo2(to_svm(v)->vmcb);
	else if (unlikely(r->reason == SVM_EXIT_MSR))
		detail = detail << 32 | (u32)v->regs[RCX];
	else if (unlikely(r->reason == SVM_EXIT_HLT))
		detail = v->idle;
	trace_complete(v, r, (u8)r->reason, detail);
}
