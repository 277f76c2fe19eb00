/* The VM-exit dispatcher: one table, and the handlers that are VT-x's own. */

#include "host/console.h"
#include "host/cpu.h"
#include "host/irq.h"
#include "host/panic.h"
#include "vm/debug.h"
#include "vm/exits.h"
#include "vm/trace.h"
#include "vm/vm.h"
#include "vmx/exits_list.h"
#include "vmx/vmx.h"

#define INTERRUPTIBILITY_NMI BIT(3)
#define INFO_NMI_UNBLOCKED   BIT(12) /* SDM 3C 28.2.3: out of an IRET that had ended NMI blocking */
#define INFO_TYPE(info)	     (((info) >> 8) & 7)
#define TRANSLATED	     0x180ULL /* an access to what a linear address is for (SDM 3C table 28-7) */
#define TRACE_KINDS	     64 /* more than there are reasons, of which bit 31 says that an entry failed */

enum {
#define X(number, name, handler) VMX_EXIT_##name = number,
	VMX_EXITS(X)
#undef X
};

/* An IRET that faulted had already unblocked NMIs; the guest's handler of the fault must find them blocked.
 */
static void restore_nmi_blocking(u64 info)
{
	if (info & INFO_NMI_UNBLOCKED)
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			vmread(VMCS_GUEST_INTERRUPTIBILITY) | INTERRUPTIBILITY_NMI);
}

/* #AC and #DB exit because a guest whose handler for one raises it again would otherwise hold the CPU for
 * ever inside event delivery, where nothing exits. */
static __cold void exit_exception(struct vcpu *v)
{
	u32 info = (u32)vmread(VMCS_EXIT_INTR_INFO);
	u8 vector = (u8)info;

	if (INFO_TYPE(info) == EVENT_NMI) {
		/* The host's NMI: run its handler by INT 2, whose IRET also ends the blocking. */
		__asm__ volatile("int $2");
		vmx_take_vectoring(v);
		return;
	}
	if (vector == X86_MC)
		panic("machine check while a guest ran");
	vmx_take_vectoring(v);
	restore_nmi_blocking(info);
	if (debug_exception(v, vector, vmread(VMCS_EXIT_QUALIFICATION)))
		return;
	if (vector == X86_MF && !(vmx_guest_cr0() & CR0_NE)) { /* which VT-x wants to be 1 */
		vmx_end_shadow();
		exit_ferr(v);
		return;
	}
	if (vector == X86_DB)
		vmx_debug_status(v, vmread(VMCS_EXIT_QUALIFICATION) & 0x600F);
	else if (vector == X86_PF)
		write_cr2(vmread(VMCS_EXIT_QUALIFICATION));
	vcpu_exception(v, vector, info & BIT(11), (u32)vmread(VMCS_EXIT_INTR_ERROR));
	/* INT3, INTO and INT1 are events of their own types, behind the instruction (SDM 3C 25.8.3). */
	if (INFO_TYPE(info) > EVENT_EXCEPTION && (u8)v->exception.info == vector) {
		v->exception.info = info & ~(u32)INFO_NMI_UNBLOCKED;
		v->exception.insn_len = (u32)vmread(VMCS_EXIT_INSTRUCTION_LEN);
	}
}

/* SDM 3C table 28-4. */
static __cold void exit_dr(struct vcpu *v)
{
	u64 q = vmread(VMCS_EXIT_QUALIFICATION);

	exit_mov_dr(v, q & 7, q & BIT(4), q >> 8 & 15, 0);
}

static void exit_external_interrupt(struct vcpu *v)
{
	irq_handle((u8)vmread(VMCS_EXIT_INTR_INFO));
}

static void exit_window(struct vcpu *v)
{
	vmx_interrupt_window(v, false);
	vmx_nmi_window(v, false);
	v->events |= EV_INTERRUPT | (v->nmi_pending ? EV_NMI : 0);
}

static void task_switch(struct vcpu *v)
{
	exit_task_switch(v, (u16)vmread(VMCS_EXIT_QUALIFICATION));
}

/* Bochs holds external interrupts back while the guest's IF is 0: a guest that polls gets the host's here. */
static void take_interrupts(void)
{
	if (unlikely(!(vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF)))
		__asm__ volatile("sti; nop; cli" ::: "memory");
}

/* SDM 3C table 28-5. */
static void exit_io_instruction(struct vcpu *v)
{
	u64 q = vmread(VMCS_EXIT_QUALIFICATION);

	take_interrupts();
	if (likely(!(q & BIT(4))))
		exit_io(v, (u16)(q >> 16), (q & 7) + 1, q & BIT(3));
	else
		exit_io_string(v);
}

static void exit_ept_violation(struct vcpu *v)
{
	u64 q = vmread(VMCS_EXIT_QUALIFICATION);

	vmx_take_vectoring(v);
	restore_nmi_blocking(q);
	take_interrupts();
	if (unlikely((q & TRANSLATED) != TRANSLATED))
		exit_page_walk(v, vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
	else
		exit_mmio(v, vmread(VMCS_GUEST_PHYSICAL_ADDRESS));
}

static __cold void exit_ept_misconfig(struct vcpu *v)
{
	u64 gpa = vmread(VMCS_GUEST_PHYSICAL_ADDRESS), e[4];
	unsigned level = slat_walk(&v->vm->slat, gpa, e);

	panic("EPT misconfiguration at guest-physical %#llx: level %u entry %#llx", (unsigned long long)gpa,
	      level, (unsigned long long)e[level - 1]);
}

/* The backstop: interrupts that some CPUs hold back while the guest's IF is 0 are taken here. */
static void exit_preemption_timer(struct vcpu *v)
{
	vmx_start_backstop();
	__asm__ volatile("sti; nop; cli" ::: "memory");
	console_poll();
	vm_console_input();
	v->events |= EV_TIMER;
}

static __cold void exit_unknown(struct vcpu *v)
{
	vmx_exit_bad(v, (u32)vmread(VMCS_EXIT_REASON));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
const vmx_exit_handler vmx_exit_handlers[VMX_EXIT_REASONS] = {[0 ... VMX_EXIT_REASONS - 1] = exit_unknown,
#define X(number, name, handler) [number] = handler,
							      VMX_EXITS(X)
#undef X
};

void vmx_trace_exit(struct vcpu *v, struct exit_record *r)
{
	/* Where an exit's detail is; 0: not in the VMCS. */
	static const u16 fields[TRACE_KINDS] = {[0 ... TRACE_KINDS - 1] = VMCS_EXIT_QUALIFICATION,
						[VMX_EXIT_RDMSR] = 0,
						[VMX_EXIT_WRMSR] = 0,
						[VMX_EXIT_HLT] = 0,
						[VMX_EXIT_EPT_VIOLATION] = VMCS_GUEST_PHYSICAL_ADDRESS,
						[VMX_EXIT_EXCEPTION_OR_NMI] = VMCS_EXIT_INTR_INFO,
						[VMX_EXIT_EXTERNAL_INTERRUPT] = VMCS_EXIT_INTR_INFO};
	u64 kind = r->reason % TRACE_KINDS;
	u16 field = fields[kind];

	trace_complete(v, r, kind,
		       field		      ? vmread(field)
		       : kind == VMX_EXIT_HLT ? v->idle
					      : (u32)v->regs[RCX]);
}

#pragma GCC diagnostic pop

__cold void vmx_exit_bad(struct vcpu *v, u32 reason)
{
	if (reason & BIT(31)) {
		vmx_explain_entry_failure(v, (u16)reason, 0);
		vm_died(v->vm, "VM entry failed");
	} else {
		vm_died(v->vm, "VM exit %u at rip %#llx, which pxHV has no handler for", (u16)reason,
			(unsigned long long)v->rip);
	}
}
