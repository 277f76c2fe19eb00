/* A vcpu on AMD-V, and what the files of svm/ share. */
#pragma once

#include "svm/vmcb.h"
#include "vm/decode.h"
#include "vm/slat.h"
#include "vm/vcpu.h"

#define SVM_LENGTHS 256

#define SVM_IOPM_SIZE  (3 * PAGE_SIZE)
#define SVM_MSRPM_SIZE (2 * PAGE_SIZE)

struct svm_vcpu {
	struct vcpu v;
	bool nmi_blocked; /* from an NMI's injection to its IRET */
	u64 iret_rip;	  /* of that IRET, which has not been executed while the guest stands there */
	struct svm_length {
		u64 rip, key;
		u32 len;
	} lengths[SVM_LENGTHS]; /* without nRIP: instructions that were measured, found by RIP's low bits */
	/* What the CPU takes by physical address, which is the virtual one too. */
	u8 vmcb[PAGE_SIZE] __aligned(PAGE_SIZE);
	u8 host_state[PAGE_SIZE]; /* of VMSAVE: FS, GS, TR, LDTR, SYSENTER and syscall MSRs of the host */
	u8 msrpm[SVM_MSRPM_SIZE];
	u8 iopm[SVM_IOPM_SIZE];
};

static inline struct svm_vcpu *to_svm(struct vcpu *v)
{
	return (struct svm_vcpu *)v;
}

struct svm_caps {
	u32 asids;
	bool tcg; /* QEMU's: VMRUN does not arm the debug registers, MOV to DR7 does */
	bool npt_1g;
	bool real_mode; /* nested paging works for guests with paging off */
};
extern struct svm_caps svm_caps;

/* Runs the guest and handles its exits until vcpu_prepare_entry() says leave. */
void svm_enter(struct vcpu *v);

/* struct vcpu_ops.check */
int svm_check(void);

/* svm/exit.c */
typedef void (*svm_exit_handler)(struct vcpu *v);
#define SVM_EXIT_CODES 0x90
#define SVM_EXCEPTIONS ((u32)(BIT(X86_DB) | BIT(X86_AC) | BIT(X86_MC))) /* that always exit */
extern const svm_exit_handler svm_exit_handlers[SVM_EXIT_CODES];
void svm_exit_far(struct vcpu *v, u64 code); /* codes past the table: nested page fault, failed entry */
const char *svm_exit_name(u64 code);

/* svm/trace.c: struct vcpu_ops.trace_exit. Detail: EXITINFO1; of an NPF the guest-physical address; of a HLT
 * the ticks that it waited; of an MSR its number, and bit 32 for a write. */
void svm_trace_exit(struct vcpu *v, struct exit_record *r);

/* svm/npt.c */
extern const struct slat_format svm_npt_format;
unsigned svm_npt_max_level(void);
void svm_tlb_flush(struct vcpu *v);

/* svm/state.c */
u64 svm_get(struct vcpu *v, enum vreg r);
void svm_set(struct vcpu *v, enum vreg r, u64 val);
void svm_get_seg(struct vcpu *v, enum seg s, struct segment *out);
void svm_set_seg(struct vcpu *v, enum seg s, const struct segment *in);
void svm_set_mode(struct vcpu *v, const struct cpu_mode *m);

/* svm/event.c */
void svm_inject(struct vcpu *v, const struct vcpu_event *e);
bool svm_can_take_interrupt(struct vcpu *v);
bool svm_can_take_nmi(struct vcpu *v);
void svm_interrupt_window(struct vcpu *v, bool on);
void svm_nmi_window(struct vcpu *v, bool on);
void svm_take_vectoring(struct vcpu *v);
void svm_give_db(struct vcpu *v); /* queues #DB, for which DR6 is right already */
void svm_debug(struct vcpu *v);

/* svm/msr.c */
void svm_msrpm_init(struct svm_vcpu *x);
int svm_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int svm_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* svm/skip.c. svm_decode: the instruction at RIP; NULL when that has already become a #PF or the VM's end. */
void svm_skip(struct vcpu *v, unsigned len);
const struct insn *svm_decode(struct vcpu *v);

/* svm/probe.c; AMD-V is on */
bool svm_probe_real_mode(void);
#define SVM_PAT_RESET 0x0007040600070406ULL

/* svm/features.c */
bool svm_feature(unsigned i, struct cpu_feature *f); /* for the monitor: left out with it */
#pragma weak svm_feature

/* svm/vcpu.c: the first rule of APM 2 15.5.1 that a VMCB breaks, as the rest of a sentence. */
const char *svm_why_invalid(void *vmcb);
