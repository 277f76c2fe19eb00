/* Where a debugger hooks into a VM: stops, exceptions, the guest's accesses to debug registers. */
#pragma once

#include "vm/vcpu.h"

struct vm_debugger {
	void (*stop)(struct vcpu *v); /* EV_DEBUG: returns when v may run on */
	/* #BP with DEBUG_BREAK, #DB with DEBUG_STEP or DEBUG_REGISTERS, dr6 as the CPU had it for this one:
	 * true when it was the debugger's doing, else the guest gets it. */
	bool (*exception)(struct vcpu *v, u8 vector, u64 dr6);
	/* An event is about to go in through the IDT although DEBUG_STEP is set. */
	void (*deliver)(struct vcpu *v, u8 vector);
	bool (*attends)(void); /* somebody debugs the guest at the moment; NULL: not that it knew */
};

/* True when the exception is the debugger's, who has v stop then. */
bool debug_exception(struct vcpu *v, u8 vector, u64 dr6);

/* Gives v, which is stopped, the state s. Elsewhere than behind its HLT it runs. */
void debug_set_state(struct vcpu *v, const struct cpu_state *s);

/* Emulates MOV of debug register n (0..7) to or from general register reg on v->own_dr; then skips len bytes
 * as ops->skip(). */
void exit_mov_dr(struct vcpu *v, unsigned n, bool read, unsigned reg, unsigned len);
