/* A vcpu on VT-x, and what the files of vmx/ share. */
#pragma once

#include "vm/slat.h"
#include "vm/vcpu.h"
#include "vmx/controls.h"
#include "vmx/vmcs.h"

#define VMX_EXIT_REASONS 57
#define VMX_EXCEPTIONS	 (BIT(X86_DB) | BIT(X86_MF) | BIT(X86_AC) | BIT(X86_MC)) /* that always exit */

#define BLOCKING_STI_MOVSS 3ULL /* of the interruptibility state */
#define DEBUGCTL_LBR	   BIT(0)
#define DEBUGCTL_BTF	   BIT(1)

struct vmx_vcpu {
	struct vcpu v;
	u32 proc, proc2; /* what the VMCS holds now, so that nothing is read back */
	u32 entry;
	u16 vpid;
	u8 held_rvi; /* the requesting vector, while a debugger's step must not see it */
	u32 lme;     /* EFER.LME, while the identity map has CR0.PG set, which hardware takes for long mode */
	u64 cr3;     /* without unrestricted guest: CR3 while the identity map stands in for it */
	/* What the CPU takes by physical address, which is the virtual one too. */
	u32 vmcs[PAGE_SIZE / 4] __aligned(PAGE_SIZE);
	u8 msr_bitmap[PAGE_SIZE];
	u8 io_bitmaps[2 * PAGE_SIZE];
};

static inline struct vmx_vcpu *to_vmx(struct vcpu *v)
{
	return (struct vmx_vcpu *)v;
}

/* Enters the guest and handles exits until vcpu_prepare_entry() says leave (returns 0), or an entry fails
 * (returns 1 for VMfailInvalid: no current VMCS, 2 for VMfailValid: INSTRUCTION_ERROR says why). */
int vmx_enter(struct vcpu *v);

/* The address that HOST_RIP holds. */
void vmx_exit_entry(void);

/* Exit handlers by basic exit reason (vmx/exit.c). */
typedef void (*vmx_exit_handler)(struct vcpu *v);
extern const vmx_exit_handler vmx_exit_handlers[VMX_EXIT_REASONS];

/* Reasons with bit 31 (failed entry) or past the table. */
void vmx_exit_bad(struct vcpu *v, u32 reason);

/* vmx/vcpu.c: (re)starts the timer that ends a guest's turn from time to time. */
void vmx_start_backstop(void);

/* vmx/vcpu.c: switch bits of the processor-based controls; nothing is written when nothing changes. */
void vmx_set_proc(struct vcpu *v, u32 bits, bool on);

/* vmx/crs.c */
void vmx_exit_cr(struct vcpu *v);
u64 vmx_guest_cr0(void);
u64 vmx_guest_cr4(void);
u64 vmx_guest_cr3(struct vcpu *v);
void vmx_get_mode(struct vcpu *v, struct cpu_mode *m);
void vmx_set_mode(struct vcpu *v, const struct cpu_mode *m); /* no checks: start states */

/* vmx/ept.c */
extern const struct slat_format vmx_ept_format;
unsigned vmx_ept_max_level(void);
u64 vmx_ept_pointer(const struct slat *s);
void vmx_ept_flush(struct vcpu *v);
void vmx_vpid_flush(struct vcpu *v);

/* vmx/apicv.c */
int vmx_apicv_create(struct vcpu *v);
void vmx_apic_mode(struct vcpu *v);
bool vmx_apic_irr(struct vcpu *v, u8 vector);
void vmx_exit_apic_access(struct vcpu *v);
void vmx_exit_apic_write(struct vcpu *v);
void vmx_exit_eoi(struct vcpu *v);

/* vmx/state.c */
u64 vmx_get(struct vcpu *v, enum vreg r);
void vmx_set(struct vcpu *v, enum vreg r, u64 val);
void vmx_get_seg(struct vcpu *v, enum seg s, struct segment *out);
void vmx_set_seg(struct vcpu *v, enum seg s, const struct segment *in);
u64 vmcs_read(u64 field);

/* vmx/skip.c */
void vmx_skip(struct vcpu *v, unsigned len);

/* vmx/event.c */
void vmx_inject(struct vcpu *v, const struct vcpu_event *e);
bool vmx_can_take_interrupt(struct vcpu *v);
bool vmx_can_take_nmi(struct vcpu *v);
void vmx_interrupt_window(struct vcpu *v, bool on);
void vmx_nmi_window(struct vcpu *v, bool on);
void vmx_end_shadow(void); /* of STI and MOV SS */
void vmx_debug(struct vcpu *v);
/* What the delivery of a #DB would have changed and a VM exit has not (SDM 3C 28.1): DR6, which gets bits,
 * DR7.GD, LBR and BTF, and the shadow, in which the next entry would insist on a pending #DB (27.3.1.5). */
void vmx_debug_status(struct vcpu *v, u64 bits);
void vmx_take_vectoring(struct vcpu *v); /* queue what the exit cut short */

/* vmx/exit.c: struct vcpu_ops.trace_exit. Detail: the guest-physical address of an EPT violation, the ticks
 * that a HLT waited, the number of an MSR, the interruption information of an interrupt or exception, else
 * the exit qualification. */
void vmx_trace_exit(struct vcpu *v, struct exit_record *r);

/* vmx/msr.c */
void vmx_msr_bitmap_init(struct vmx_vcpu *x);
void vmx_msr_intercept(struct vmx_vcpu *x, u32 msr, bool read, bool write);
int vmx_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int vmx_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* vmx/check.c: prints each rule of SDM 3C 27.2.1 and 27.3.1 that the current VMCS breaks; returns how many.
 */
unsigned vmx_check_controls(void);
unsigned vmx_check_guest_state(void);

/* vmx/fail.c: an exit's name; says on the console why an entry failed, field by field. */
const char *vmx_exit_name(u64 reason);
void vmx_explain_entry_failure(struct vcpu *v, u32 reason, int vmfail);
