/* A virtual CPU, whichever vendor runs it, and the interface that the vendors fill in. */
#pragma once

#include "lib/types.h"
#include "vm/decode.h"
#include "vm/lapic.h"
#include "vm/timer.h"

struct vm;
struct vcpu;
struct trace;

enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, GPR_COUNT };
/* Of the last two only base and limit count. */
enum seg {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_LDTR,
	SEG_TR,
	SEG_COUNT,
	SEG_GDTR = SEG_COUNT,
	SEG_IDTR,
	SEG_ALL
};

struct segment {
	u16 selector;
	u16 attr;  /* access rights as in a VMCS: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15; and
		    * SEG_UNUSABLE */
	u32 limit; /* in bytes, expanded */
	u64 base;
};
#define SEG_BIG	     0x4000 /* D of code, B of data */
#define SEG_UNUSABLE 0x100  /* bit 8 of attr here; reserved in hardware */

/* Single registers, as the guest sees them. The first are what struct cpu_state has beside RSP; and of those
 * the last make up the mode, which cannot be changed one after the other. */
enum vreg {
	VREG_RIP,
	VREG_RFLAGS,
	VREG_CR2,
	VREG_DR7,
	VREG_CR0,
	VREG_CR3,
	VREG_CR4,
	VREG_EFER,
	VREG_STATE_COUNT,
	VREG_MODE = VREG_CR0,
	VREG_RSP = VREG_STATE_COUNT,
	VREG_DR6,
	VREG_COUNT
};

struct cpu_mode {
	union {
		struct {
			u64 cr0, cr3, cr4, efer;
		};
		u64 vreg[VREG_STATE_COUNT - VREG_MODE];
	};
};

/* The whole architectural state, for loaders, reset, autopsy and debuggers: not for hot paths. */
struct cpu_state {
	u64 gpr[GPR_COUNT]; /* RSP included */
	union {
		struct {
			u64 rip, rflags, cr2, dr7, cr0, cr3, cr4, efer;
		};
		u64 vreg[VREG_STATE_COUNT];
		struct {
			u64 not_mode[VREG_MODE];
			struct cpu_mode mode;
		};
	};
	struct segment seg[SEG_ALL];
};

void vcpu_get_state(struct vcpu *v, struct cpu_state *s);
void vcpu_set_state(struct vcpu *v, const struct cpu_state *s);

/* vcpu.events: what wants looking at before the next entry. Set with vcpu_kick() from anywhere. */
enum {
	EV_INTERRUPT = 1, /* the LAPIC or the 8259s may have something */
	EV_NMI = 2,
	EV_EXCEPTION = 4, /* vcpu.exception is valid */
	EV_REINJECT = 8,  /* an event was cut short by the last exit: vcpu.reinject */
	EV_TIMER = 16,	  /* a virtual timer is due */
	EV_END = 32,	  /* leave the loop: vm.end says why */
	EV_WINDOW = 64,	  /* an interrupt or NMI window is armed */
	EV_DEBUG = 128,	  /* the debugger wants it stopped */
	EV_MONITOR = 256, /* the monitor has something to do */
};

/* What a debugger outside of the guest wants of a vcpu (vm/debug.h): vcpu.debug. */
enum {
	DEBUG_STEP = 1,	      /* it runs one instruction with RFLAGS.TF set; every exception exits */
	DEBUG_BREAK = 2,      /* #BP exits */
	DEBUG_REGISTERS = 4,  /* DR0-3 and DR7 are the debugger's; the guest's accesses exit */
	DEBUG_EXCEPTIONS = 8, /* every exception exits */
};

/* A feature of the CPU's virtualization, for people. */
struct cpu_feature {
	const char *name;
	const char *why; /* it is not used although it is there; "": it is used */
	bool present;
};

struct vcpu_event { /* laid out for the vendors: SDM 3C 25.8.3, APM 2 15.20 agree on bits 0-11 and 31 */
	u32 info;   /* 0-7 vector, 8-10 type, 11 error code valid, 31 valid */
	u32 error;
	u32 insn_len; /* for software events */
};

/* The exit ring: the last EXIT_RING_SIZE exits of a vcpu. Of one that is not traced, ticks and detail are 0.
 */
#define EXIT_RING_SIZE 64
struct exit_record {
	u64 rip;
	u32 reason; /* the vendor's number */
	u32 ticks;  /* from tsc to the next entry; all ones: or more */
	u64 tsc;
	u64 detail; /* the vendor's: trace_exit in vmx/vmx.h, svm/svm.h */
};
#define EXIT_KINDS 256 /* exits are counted by their reason's low byte, which is unique */

enum { EVENT_EXTINT = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SOFTINT = 4 };

/* The exceptions that led to a triple fault, first fault first (vm/triple.c). */
#define FAULT_CHAIN_MAX 6
struct fault_chain {
	u32 count;
	struct {
		u32 delivering; /* struct vcpu_event.info of what was being delivered, 0 for nothing */
		u32 error;
		u64 addr; /* CR2 of a #PF */
		u8 vector;
	} fault[FAULT_CHAIN_MAX];
	struct cpu_state state; /* at the triple fault, */
	u64 ring_pos;		/* and the exits so far */
};

/* Finds vcpus that will do nothing any more (vm/watch.c). */
struct watch {
	struct vtimer timer;
	u64 exits;  /* at the last look */
	u64 regs;   /* a sum of its registers */
	u32 rounds; /* in which nothing changed */
};

/* An instruction that was fetched for emulation; and in long mode the page table walk that led to its page,
 * which holds for as long as the entries read as they did (vm/fetch.c). */
#define FETCHES 16
struct fetch {
	u64 page, cr3;
	u8 *host;
	u32 levels; /* of the walk; 0: none is remembered */
	u64 *where[5], entry[5];
	u64 rip; /* linear, of insn if that is remembered */
	union {
		u64 now[2];
		u8 bytes[2 * INSN_MAX];
	};
	struct insn insn;
};

/* What is used most lies in the first 128 bytes, which instructions reach with a short displacement. */
struct vcpu {
	struct lapic lapic;
	struct vm *vm;
	const struct vcpu_ops *ops;
	u16 halted; /* HLT until an event */
	u16 traced; /* each exit goes by trace_exit() */
	u32 events;
	u64 rip; /* at the last exit; ops.skip moves it on */
	u32 debug;
	bool nmi_pending;
	bool virtual_interrupts; /* hardware delivers the LAPIC's vectors from its page; injection must not */
	u64 regs[GPR_COUNT];	 /* [RSP] is the vendor's while the vcpu runs */
	u64 ring_pos; /* exits so far, in units of 8 bytes of exit records: its low byte finds the last */
	u32 index;
	struct vcpu_event exception;
	struct vcpu_event reinject;
	u64 tsc_offset; /* guest TSC = host TSC + offset */
	struct vtimer lapic_timer;
	struct timer_queue timers;
	u64 *msr_store;		    /* the policy's stored MSRs (vm/msr.c) */
	void *pvclock;		    /* vm/pvclock.c */
	u64 idle;		    /* ticks that its last HLT waited */
	struct trace *trace;	    /* vm/trace.h; NULL for none */
	struct vcpu_event injected; /* at the last entry that injected, */
	u64 injected_at;	    /* when there had been so many exits */
	struct fault_chain chain;
	struct watch watch;
	struct fetch *fetch;	       /* the last, */
	struct fetch fetches[FETCHES]; /* among some, found by the low bits of their addresses */
	u64 own_dr[8];		       /* the guest's debug registers while DEBUG_REGISTERS */
	u64 exit_counts[EXIT_KINDS];
	struct exit_record ring[EXIT_RING_SIZE];
};

#define EXIT_POS (sizeof(struct exit_record) / 8) /* by which an exit moves ring_pos on */

/* The vcpu's exits so far. */
static inline u64 vcpu_exits(const struct vcpu *v)
{
	return v->ring_pos / EXIT_POS;
}

/* The record of exit n, from 1, which is among the last EXIT_RING_SIZE. */
static inline struct exit_record *vcpu_exit(struct vcpu *v, u64 n)
{
	return &v->ring[n % EXIT_RING_SIZE];
}

/* The vendor's side. All calls are made on the CPU that runs the vcpu. */
struct vcpu_ops {
	u64 (*get)(struct vcpu *v, enum vreg r);
	void (*set)(struct vcpu *v, enum vreg r, u64 val); /* CR0/CR4/EFER with all their side effects */
	void (*get_seg)(struct vcpu *v, enum seg s, struct segment *out);
	void (*set_seg)(struct vcpu *v, enum seg s, const struct segment *in);
	void (*set_mode)(struct vcpu *v, const struct cpu_mode *m);
	void (*skip)(struct vcpu *v,
		     unsigned len); /* RIP += len, shadow and RF cleared; len 0: of the exit */
	void (*inject)(struct vcpu *v, const struct vcpu_event *e); /* at the next entry */
	bool (*can_take_interrupt)(struct vcpu *v);		    /* IF set, no shadow */
	bool (*can_take_nmi)(struct vcpu *v);
	void (*interrupt_window)(struct vcpu *v, bool on);
	void (*nmi_window)(struct vcpu *v, bool on);
	void (*debug)(struct vcpu *v); /* v->debug has changed */
	const char *(*exit_name)(u64 reason);
	const char *name;    /* "VT-x", "AMD-V" */
	const char *enabled; /* the boot story's words for each step */
	const char *created;
	const char *entry;
	size_t vcpu_size;    /* of the vendor's struct, which starts with struct vcpu */
	int (*check)(void);  /* can this CPU do it? 0, or -ENODEV having said why and what to do */
	int (*enable)(void); /* VMXON / EFER.SVME on the running CPU */
	void (*disable)(void);
	const struct slat_format *slat;
	unsigned (*slat_max_level)(void);
	const char *(*no_real_mode)(void); /* why real-mode guests cannot run; NULL when they can */
	int (*create)(struct vcpu *v);	   /* vm and index are set; says what fails, but for -ENOMEM */
	void (*destroy)(struct vcpu *v);   /* also when create() failed; NULL: nothing to do */
	int (*run)(struct vcpu *v);	   /* until EV_END; handles everything else itself */
	/* MSRs that live in the VMCS/VMCB or in the CPU: 0, -ENOENT if not the vendor's, else #GP. The
	 * values written are such as the CPU takes. EFER is not among them. */
	int (*rdmsr)(struct vcpu *v, u32 msr, u64 *val);
	int (*wrmsr)(struct vcpu *v, u32 msr, u64 val);
	/* Virtual-interrupt delivery, NULL without: the guest changed APIC_BASE; true if vector is taken
	 * over. */
	void (*apic_mode)(struct vcpu *v);
	bool (*apic_irr)(struct vcpu *v, u8 vector);
	void (*tlb_flush)(struct vcpu *v); /* guest-physical mappings were reduced */
	void (*tsc_offset_changed)(struct vcpu *v);
	void (*trace_exit)(struct vcpu *v, struct exit_record *r); /* completes r, the last */
	/* The i-th feature that such CPUs may have; false: no more. */
	bool (*feature)(unsigned i, struct cpu_feature *f);
};

extern const struct vcpu_ops vmx_ops, svm_ops;

/* Left out by WITHOUT=vmx, WITHOUT=svm. */
#pragma weak vmx_ops
#pragma weak svm_ops

/* Marks events for v and, if it runs on another CPU, makes it leave its guest. */
void vcpu_kick(struct vcpu *v, u32 events);

/* Queues an exception; a second one while one is pending or was being delivered becomes #DF, a third a
 * triple fault, by the classes of SDM 3A table 6-5. */
void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);
void vcpu_ud(struct vcpu *v);
void vcpu_gp(struct vcpu *v);
void vcpu_page_fault(struct vcpu *v, u64 addr, u32 error);

/* v had a triple fault, before whose first instruction it is now. Its VM dies, but first the fault happens
 * again with every exception watched, so that v->chain tells how it came to that. */
void vcpu_triple_fault(struct vcpu *v);

/* Notes an exception of that second run; delivering as in struct fault_chain. */
void vcpu_chain_add(struct vcpu *v, u32 delivering, u8 vector, u32 error);

/* The second run is over, at the latest when the watch says so. */
void vcpu_replay_over(struct vcpu *v);

/* Looks at v ten times a second from now on. */
void vcpu_watch(struct vcpu *v);

/* Before an entry with events pending: fires timers, chooses and injects. False: leave the loop. */
bool vcpu_prepare_entry(struct vcpu *v);

/* Waits, halting the host CPU, until v.halted is over (EV_INTERRUPT is set then) or EV_END. */
void vcpu_wait(struct vcpu *v);

/* Is there something that ends a HLT? */
bool vcpu_can_wake(struct vcpu *v);

/* Fires v's due timers, with the VM's lock held, and arms the host's timer for the next. */
void vcpu_run_timers(struct vcpu *v);

/* A walk of the guest's page tables. */
struct page_walk {
	unsigned levels, last; /* of paging, 0: it is off; the last level that was read */
	u64 cr3, cr4, efer;
	u64 entry[6], where[6]; /* by level; guest-physical */
	u64 gpa;
	const char *problem; /* a sentence: it leads nowhere; NULL: to gpa */
	u32 error;	     /* then: of the #PF */
};

/* For people to look at: rights are not checked, nothing is marked accessed. */
void vcpu_walk(struct vcpu *v, u64 gva, struct page_walk *out);

/* Finds w->gpa. access: PF_WRITE, PF_USER (CPL 3), PF_FETCH bits of a #PF error code. Accessed and dirty bits
 * are set as the CPU does, in w->entry too. Returns 0, or -EFAULT with w->error set for vcpu_page_fault()
 * (not injected by it), or -EINVAL for an address that is not canonical (#GP or #SS). Protection keys are not
 * looked at. */
int vcpu_translate(struct vcpu *v, u64 gva, u32 access, struct page_walk *w);

enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_RSVD = 8, PF_FETCH = 16 };

/* Bits of code the CPU decodes now: 16, 32 or 64; and its privilege level. */
unsigned vcpu_code_bits(struct vcpu *v);
unsigned vcpu_cpl(struct vcpu *v);
