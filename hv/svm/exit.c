/* The VM-exit dispatcher: one table, and the handlers that are AMD-V's own. */

#include "host/cpu.h"
#include "host/panic.h"
#include "lib/exception.h"
#include "lib/string.h"
#include "svm/exits_list.h"
#include "svm/svm.h"
#include "vm/debug.h"
#include "vm/emulate.h"
#include "vm/exits.h"
#include "vm/vm.h"

#define SVM_EXIT_INVALID    0xFFFFFFFFU /* -1; some CPUs give 32 bits of it only */
#define SVM_EXIT_EXCEPTIONS 0x40
#define WALK		    BIT(33) /* of the guest's page tables (APM 2 15.25.6) */

/* MOV to or from CR8 (64-bit mode only). */
static void exit_cr8(struct vcpu *v)
{
	const struct insn *i = svm_decode(v);
	u64 val;

	if (!i)
		return;
	if (i->opcode == 0x20) {
		reg_write(v, insn_rm(i), 8, true, lapic_read(v, LAPIC_TPR) >> 4);
	} else {
		val = reg_read(v, insn_rm(i), 8, true);
		if (val > 15) {
			vcpu_gp(v);
			return;
		}
		lapic_write(v, LAPIC_TPR, (u32)val << 4);
	}
	svm_skip(v, i->len);
}

/* MOV to or from a debug register, while they are a debugger's. */
static void exit_dr(struct vcpu *v)
{
	const struct insn *i = svm_decode(v);

	if (i)
		exit_mov_dr(v, insn_reg(i) & 7, i->opcode == 0x21, insn_rm(i), i->len);
}

/* #DB and #AC exit because a guest whose handler for one raises it again would otherwise hold the CPU for
 * ever inside event delivery. The CPU has written DR6 already (APM 2 15.12.2). */
static void exit_db(struct vcpu *v)
{
	svm_take_vectoring(v);
	if (debug_exception(v, X86_DB, *vmcb_dr6(to_svm(v)->vmcb)))
		return;
	svm_give_db(v);
}

/* RIP is that of INT3; as an event it comes from behind it. */
static void exit_bp(struct vcpu *v)
{
	svm_take_vectoring(v);
	if (debug_exception(v, X86_BP, 0))
		return;
	svm_skip(v, 1);
	vcpu_exception(v, X86_BP, false, 0);
}

/* INT n while there are breakpoints: goes on as it would have, from behind the instruction. */
static void exit_intn(struct vcpu *v)
{
	const struct insn *i = svm_decode(v);
	u8 vector;

	if (!i)
		return;
	if (i->opcode == 0xCC) {
		exit_bp(v);
		return;
	}
	vector = i->opcode == 0xCE ? X86_OF : (u8)i->imm;
	svm_skip(v, i->len);
	v->exception = (struct vcpu_event){.info = vector | EVENT_SOFTINT << 8 | (u32)BIT(31)};
	v->events |= EV_EXCEPTION;
}

/* Any other exception, while stepping: the guest's. */
static void exit_exception(struct vcpu *v)
{
	void *b = to_svm(v)->vmcb;
	u8 vector = *vmcb_exitcode(b) & 31;
	bool has_error = BIT(vector) & 0x60227D00; /* APM 2 table 8-1 */

	svm_take_vectoring(v);
	if (vector == X86_PF)
		*vmcb_cr2(b) = *vmcb_exitinfo2(b);
	vcpu_exception(v, vector, has_error, (u32)*vmcb_exitinfo1(b));
}

static void exit_ac(struct vcpu *v)
{
	svm_take_vectoring(v);
	vcpu_exception(v, X86_AC, true, 0);
}

static void exit_mc(struct vcpu *v)
{
	panic("machine check while a guest ran at rip %#llx", (unsigned long long)v->rip);
}

/* Interrupts and NMIs that wait come in here. */
static void take_interrupts(void)
{
	__asm__ volatile("stgi; nop; clgi" ::: "memory");
}

static void exit_intr(struct vcpu *v)
{
	/* Here, and not at every exit: a flush that was asked for has happened, and a few more do no harm. */
	*vmcb_tlb_control(to_svm(v)->vmcb) = 0;
	svm_take_vectoring(v);
	take_interrupts();
}

static void exit_vintr(struct vcpu *v)
{
	svm_interrupt_window(v, false);
	v->events |= EV_INTERRUPT | (v->nmi_pending ? EV_NMI : 0);
}

/* The IRET that ends an NMI handler is about to run. The next NMI has to wait until it has: any later exit
 * will do, so nothing is kicked here unless one is waiting already. */
static void exit_iret(struct vcpu *v)
{
	struct svm_vcpu *x = to_svm(v);

	*vmcb_intercept1(x->vmcb) &= ~(u32)INTERCEPT_IRET;
	x->nmi_blocked = false;
	x->iret_rip = v->rip;
	if (v->nmi_pending)
		svm_interrupt_window(v, true);
}

/* APM 2 15.10.2. */
static void exit_ioio(struct vcpu *v)
{
	void *b = to_svm(v)->vmcb;
	u64 info = *vmcb_exitinfo1(b);

	/* Bochs holds physical interrupts back while the guest's IF is 0: a guest that polls gets them here.
	 */
	if (unlikely(!(*vmcb_rflags(b) & RFLAGS_IF)))
		take_interrupts();
	if (unlikely(info & BIT(2))) {
		exit_io_string(v);
		return;
	}
	*vmcb_nrip(b) = *vmcb_exitinfo2(b);
	exit_io(v, (u16)(info >> 16), (info >> 4) & 7, info & 1);
}

static void exit_msr(struct vcpu *v)
{
	if (*vmcb_exitinfo1(to_svm(v)->vmcb))
		exit_wrmsr(v);
	else
		exit_rdmsr(v);
}

static void task_switch(struct vcpu *v)
{
	exit_task_switch(v, (u16)*vmcb_exitinfo1(to_svm(v)->vmcb));
}

static void exit_freeze(struct vcpu *v)
{
	*vmcb_interrupt_shadow(to_svm(v)->vmcb) = 0;
	exit_ferr(v);
}

static void exit_unknown(struct vcpu *v)
{
	u64 code = *vmcb_exitcode(to_svm(v)->vmcb);

	vm_died(v->vm, "VM exit %#llx at rip %#llx, which pxHV has no handler for", (unsigned long long)code,
		(unsigned long long)v->rip);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const svm_exit_handler svm_exit_handlers[SVM_EXIT_CODES] = {
	[0 ... SVM_EXIT_CODES - 1] = exit_unknown,
	[0x20 ... 0x3F] = exit_dr,
	[SVM_EXIT_EXCEPTIONS... SVM_EXIT_EXCEPTIONS + 31] = exit_exception,
#define X(code, name, handler) [code] = handler,
	SVM_EXITS(X)
#undef X
};
#pragma GCC diagnostic pop

void svm_exit_far(struct vcpu *v, u64 code)
{
	void *b = to_svm(v)->vmcb;

	if (code == SVM_EXIT_NPF) {
		svm_take_vectoring(v);
		if (unlikely(*vmcb_exitinfo1(b) & WALK))
			exit_page_walk(v, *vmcb_exitinfo2(b));
		else
			exit_mmio(v, *vmcb_exitinfo2(b));
	} else if ((u32)code == SVM_EXIT_INVALID) {
		vm_died(v->vm, "VMRUN refused the VMCB (VMEXIT_INVALID)%s", svm_why_invalid(b));
	} else {
		exit_unknown(v);
	}
}

const char *svm_exit_name(u64 code)
{
	static const u8 codes[] = {
#define X(code, name, handler) code,
		SVM_EXITS(X)
#undef X
	};
#define X(code, name, handler) #name "\0"
	static const char names[] = SVM_EXITS(X) "?";
#undef X

	if (!(code & ~(u64)SVM_EXIT_NPF)) /* or 0, its low byte: CR0 reads do not exit */
		return "NPF";
	if (code - SVM_EXIT_EXCEPTIONS < 32)
		return exception_name((u8)(code - SVM_EXIT_EXCEPTIONS));
	return (u32)code == SVM_EXIT_INVALID ? "INVALID" : name_of(codes, ARRAY_SIZE(codes), names, code);
}
