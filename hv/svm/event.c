/* Event injection, windows, and events that an exit cut short (APM 2 15.20, 15.21). */

#include "host/cpu.h"
#include "svm/svm.h"

#define EVENT_VALID BIT(31)
#define TYPE(info)  ((info) >> 8 & 7)

void svm_inject(struct vcpu *v, const struct vcpu_event *e)
{
	struct svm_vcpu *x = to_svm(v);

	*vmcb_eventinj(x->vmcb) = e->info | (u64)e->error << 32;
	if (TYPE(e->info) == EVENT_NMI) {
		/* The CPU does not block NMIs for an injected one; an IRET will end our own blocking. */
		x->nmi_blocked = true;
		*vmcb_intercept1(x->vmcb) |= INTERCEPT_IRET;
	}
}

static bool in_shadow(struct svm_vcpu *x)
{
	return *vmcb_interrupt_shadow(x->vmcb) & 1;
}

bool svm_can_take_interrupt(struct vcpu *v)
{
	struct svm_vcpu *x = to_svm(v);

	return (*vmcb_rflags(x->vmcb) & RFLAGS_IF) && !in_shadow(x);
}

bool svm_can_take_nmi(struct vcpu *v)
{
	struct svm_vcpu *x = to_svm(v);

	/* While the guest stands before the IRET, as at its last exit, an NMI waits for the next one, for
	 * which IF=1 would make the window too early. Behind an instruction that was skipped it does not
	 * stand so. */
	return !x->nmi_blocked && !in_shadow(x) &&
	       (v->rip != x->iret_rip || vcpu_exit(v, vcpu_exits(v))->rip != v->rip ||
		*vmcb_rflags(x->vmcb) & RFLAGS_IF);
}

/* A virtual interrupt that is never delivered: its VINTR exit comes when the guest could take one. */
void svm_interrupt_window(struct vcpu *v, bool on)
{
	void *b = to_svm(v)->vmcb;

	if (on) {
		*vmcb_v_intr(b) |= V_IRQ;
		*vmcb_intercept1(b) |= INTERCEPT_VINTR;
	} else {
		*vmcb_v_intr(b) &= ~V_IRQ;
		*vmcb_intercept1(b) &= ~(u32)INTERCEPT_VINTR;
	}
}

/* NMIs wait for the IRET of the one before, whose intercept is on already, or for a shadow's end, which an
 * interrupt window sees if IF is set and the next exit otherwise. */
void svm_nmi_window(struct vcpu *v, bool on)
{
	if (on && !to_svm(v)->nmi_blocked)
		svm_interrupt_window(v, true);
}

/* While stepping all exceptions exit, so that none pushes our TF to the guest's stack. Vector 2 is not one.
 */
void svm_debug(struct vcpu *v)
{
	void *b = to_svm(v)->vmcb;
	bool own = v->debug & DEBUG_REGISTERS, step = v->debug & (DEBUG_STEP | DEBUG_EXCEPTIONS);

	if (step)
		*vmcb_interrupt_shadow(b) &= ~1ULL;

	*vmcb_intercept_exceptions(b) =
		step ? ~(u32)BIT(X86_NMI) : SVM_EXCEPTIONS | (v->debug & DEBUG_BREAK ? (u32)BIT(X86_BP) : 0);
	/* QEMU has INT3 exit as an INT n, AMD's CPUs as an exception. */
	*vmcb_intercept1(b) =
		(*vmcb_intercept1(b) & ~(u32)INTERCEPT_INTN) | (v->debug & DEBUG_BREAK ? INTERCEPT_INTN : 0);
	if (svm_caps.tcg)
		write_dr7(*vmcb_dr7(b));
	*vmcb_intercept_dr(b) = own ? 0x00FF00FF : 0; /* reads, and from bit 16 on writes */
}

void svm_give_db(struct vcpu *v)
{
	void *b = to_svm(v)->vmcb;

	v->own_dr[6] = *vmcb_dr6(b);
	*vmcb_dr7(b) &= ~DR7_GD;
	vcpu_exception(v, X86_DB, false, 0);
}

void svm_take_vectoring(struct vcpu *v)
{
	u64 info = *vmcb_exitintinfo(to_svm(v)->vmcb);
	u32 vector = info & 0xFF;

	if (likely(!(info & EVENT_VALID)))
		return;
	/* RIP still points to INT n, INT3 or INTO: they happen again by themselves. */
	if (TYPE(info) == EVENT_SOFTINT ||
	    (TYPE(info) == EVENT_EXCEPTION && (vector == X86_BP || vector == X86_OF)))
		return;
	if (TYPE(info) == EVENT_NMI)
		to_svm(v)->nmi_blocked = false;
	v->reinject.info = (u32)info;
	v->reinject.error = (u32)(info >> 32);
	v->reinject.insn_len = 0;
	v->events |= EV_REINJECT;
}
