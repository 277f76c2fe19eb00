/* What the files of the GDB stub share. */
#pragma once

#include "debug/gdb_packet.h"
#include "debug/gdb_regs.h"
#include "vm/vm.h"

/* In the order of GDB's Z packets. */
enum gdb_break_type { BREAK_SOFT, BREAK_HARD, BREAK_WRITE, BREAK_READ, BREAK_ACCESS, BREAK_TYPES };

/* The first ones are the debug registers, all others INT3s in guest memory. */
#define GDB_HW_SLOTS 4
#define GDB_BREAKS   (GDB_HW_SLOTS + 32)
struct gdb_break {
	u64 addr; /* linear */
	u64 gpa;  /* of an INT3 */
	u8 saved; /* the byte under it */
	u8 type;  /* that GDB asked for; BREAK_SOFT may be in a debug register as well */
	u8 len;	  /* 0: not used */
};

struct gdb_step {
	u64 rip;     /* of the instruction */
	bool own_tf; /* the guest's own TF */
	bool pushes; /* PUSHF: TF is to be taken out of what it pushed */
	bool loads;  /* POPF, IRET, SYSRET: TF afterwards is the guest's */
	bool has_landing;
	u64 landing; /* where the guest is when the step is over, if TF cannot tell */
};

enum { SIGNAL_INT = 2, SIGNAL_TRAP = 5, SIGNAL_SEGV = 11 };

/* Why a vcpu stopped. */
struct gdb_report {
	u8 signal;
	s8 reason; /* a gdb_break_type, -1 for none */
	u64 addr;
};

struct gdb_vcpu {
	struct cpu_state state; /* while it is stopped */
	bool dirty;		/* state was changed */
	char action;		/* 'c', 's', or 0: stays stopped */
	struct gdb_step step;
	struct gdb_report report;
};

/* There is one second serial port, so one GDB. */
struct gdb {
	struct vm *vm;
	struct spinlock talking; /* held by the vcpu that serves GDB */
	u32 stopped;		 /* bits of vcpus that wait */
	u32 round;		 /* counts resumptions */
	bool connected, waiting; /* GDB has spoken; it waits for a stop reply */
	bool no_ack;
	bool leave;		  /* the guest is to run on */
	struct gdb_vcpu *current; /* the thread of g, p ... */
	struct gdb_vcpu vcpu[VM_MAX_VCPUS];
	struct gdb_break breaks[GDB_BREAKS];
	struct gdb_target target;
	struct gdb_packet in;
	struct gdb_text out;
};
extern struct gdb gdb;

struct gdb_vcpu *gdb_vcpu(struct vcpu *v);

/* gdb_memory.c: guest memory by linear address, as v's page tables map it whatever their rights. Only RAM:
 * devices would take note. 0 or -EFAULT. */
int gdb_memory_read(struct vcpu *v, u64 addr, void *buf, u64 len);
void *gdb_memory(struct vcpu *v, u64 addr, u64 *gpa);		    /* a byte's place, or NULL */
unsigned gdb_code(struct vcpu *v, u64 addr, u8 *buf, unsigned max); /* how many could be read */

/* Linear addresses of what runs, and of what was pushed last. */
u64 gdb_pc(struct vcpu *v);
u64 gdb_sp(struct vcpu *v);

/* gdb_break.c. Insertion: 0, -EFAULT for an address that is not mapped, -ENOSPC, -EINVAL for a length that
 * the debug registers do not have. */
int gdb_break_insert(struct vcpu *v, enum gdb_break_type type, u64 addr, u64 len);
void gdb_break_remove(enum gdb_break_type type, u64 addr, u64 len);
void gdb_break_remove_all(void);
bool gdb_break_at(u64 addr);	      /* is there an INT3? */
void gdb_break_apply(struct vcpu *v); /* before v runs: the debug registers and v->debug */
void gdb_break_stop(struct vcpu *v);  /* after that: the guest's DR6; gdb_step_end() does it */

/* gdb_step.c */
void gdb_step_begin(struct vcpu *v);
void gdb_step_end(struct vcpu *v);
void gdb_step_deliver(struct vcpu *v, u8 vector);	/* struct vm_debugger.deliver */
bool gdb_exception(struct vcpu *v, u8 vector, u64 dr6); /* struct vm_debugger.exception */

/* gdb_command.c: answers the packet in gdb.in. */
void gdb_command(struct vcpu *v);
void gdb_put_stop(struct vcpu *v); /* its stop reply, into gdb.out */
void gdb_settle(struct vcpu *v);   /* what GDB has set is the vcpu's from here on */
/* The vcpu of the thread number that is read next; 0: the current one, -1: NULL, all. False: no such thread.
 */
bool gdb_thread(struct gdb_vcpu **g);

/* gdb_resume.c: what each vcpu is to do when GDB has been served. */
void gdb_resume_all(void);
/* c, s, and C, S with a signal: the current thread, from an address perhaps; the others run on. */
void gdb_resume(char action);
/* vCont;ACTION[:THREAD]...: for each thread the first that is meant for it; threads without one stay. False:
 * none is meant. */
bool gdb_resume_threads(void);

/* gdb_stub.c */
void gdb_transmit(void); /* sends gdb.out */
void gdb_kill(void);	 /* ends the VM as by its power button */
