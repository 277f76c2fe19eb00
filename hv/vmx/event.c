/* Event injection, windows, and events that an exit cut short. */

#include "host/cpu.h"
#include "vmx/vmx.h"

#define BLOCKING_STI BIT(0)
#define BLOCKING_NMI BIT(3)
#define TYPE(info)   ((info) >> 8 & 7)
#define INFO_VALID   BIT(31)
#define INFO_ERROR   BIT(11)

void vmx_inject(struct vcpu *v, const struct vcpu_event *e)
{
	u32 info = e->info;

	/* Real mode pushes no error code, and entry checks insist on that (SDM 3C 27.2.1.3). */
	if (info & INFO_ERROR) {
		if (!(vmx_guest_cr0() & CR0_PE))
			info &= ~(u32)INFO_ERROR;
		vmwrite(VMCS_ENTRY_EXCEPTION_ERROR, e->error);
	}
	vmwrite(VMCS_ENTRY_INTR_INFO, info);
	if (TYPE(info) >= EVENT_SOFTINT)
		vmwrite(VMCS_ENTRY_INSTRUCTION_LEN, e->insn_len);
}

bool vmx_can_take_interrupt(struct vcpu *v)
{
	return (vmread(VMCS_GUEST_RFLAGS) & RFLAGS_IF) &&
	       !(vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_STI_MOVSS);
}

bool vmx_can_take_nmi(struct vcpu *v)
{
	return !(vmread(VMCS_GUEST_INTERRUPTIBILITY) & (BLOCKING_STI_MOVSS | BLOCKING_NMI));
}

void vmx_interrupt_window(struct vcpu *v, bool on)
{
	vmx_set_proc(v, PROC_INTERRUPT_WINDOW, on);
}

void vmx_end_shadow(void)
{
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKING_STI_MOVSS);
}

/* While stepping all exceptions exit, so that none pushes our TF to the guest's stack; vectors that the
 * hardware would deliver by itself are held back; and a shadow would want a pending #DB (SDM 3C 27.3.1.5). */
void vmx_debug(struct vcpu *v)
{
	struct vmx_vcpu *x = to_vmx(v);
	bool step = v->debug & (DEBUG_STEP | DEBUG_EXCEPTIONS);

	vmwrite(VMCS_EXCEPTION_BITMAP,
		step ? ~0U : VMX_EXCEPTIONS | (v->debug & DEBUG_BREAK ? BIT(X86_BP) : 0));
	vmx_set_proc(v, PROC_MOV_DR_EXITING, v->debug & DEBUG_REGISTERS);
	if (step)
		vmx_end_shadow();
	if (v->virtual_interrupts) {
		u64 status = vmread(VMCS_GUEST_INTERRUPT_STATUS), rvi = MAX((u8)status, x->held_rvi);

		vmwrite(VMCS_GUEST_INTERRUPT_STATUS, (status & ~0xFFULL) | (step ? 0 : rvi));
		x->held_rvi = step ? (u8)rvi : 0;
	}
}

void vmx_debug_status(struct vcpu *v, u64 bits)
{
	bits |= read_dr6() & ~0xFULL;
	write_dr6(bits);
	v->own_dr[6] = bits;
	vmwrite(VMCS_GUEST_DEBUGCTL, vmread(VMCS_GUEST_DEBUGCTL) & ~(DEBUGCTL_LBR | DEBUGCTL_BTF));
	vmwrite(VMCS_GUEST_DR7, vmread(VMCS_GUEST_DR7) & ~DR7_GD);
	vmx_end_shadow();
}

/* Without NMI windows (no virtual NMIs) an interrupt window stands in: later than need be, never lost. In an
 * STI shadow, where some CPUs make the NMI window's exit (SDM 3C 26.2) and none need take an NMI (27.3.1.5),
 * it comes as the shadow ends, for IF is set. */
void vmx_nmi_window(struct vcpu *v, bool on)
{
	bool window = vmx_has(CTL_PIN, PIN_VIRTUAL_NMIS) && vmx_has(CTL_PROC, PROC_NMI_WINDOW);

	if (on && (!window || vmread(VMCS_GUEST_INTERRUPTIBILITY) & BLOCKING_STI))
		vmx_set_proc(v, PROC_INTERRUPT_WINDOW, true);
	else if (window)
		vmx_set_proc(v, PROC_NMI_WINDOW, on);
}

void vmx_take_vectoring(struct vcpu *v)
{
	u32 info = (u32)vmread(VMCS_IDT_VECTORING_INFO);

	if (likely(!(info & INFO_VALID)))
		return;
	v->reinject.info = info & ~(u32)BIT(12); /* bit 12 is undefined here and reserved at entry */
	v->reinject.error = (u32)vmread(VMCS_IDT_VECTORING_ERROR);
	v->reinject.insn_len = (u32)vmread(VMCS_EXIT_INSTRUCTION_LEN);
	v->events |= EV_REINJECT;
	/* An NMI that was cut short is not blocking yet (SDM 3C 28.2.4). */
	if (TYPE(info) == EVENT_NMI)
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY, vmread(VMCS_GUEST_INTERRUPTIBILITY) & ~BLOCKING_NMI);
}
