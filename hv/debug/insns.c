/* What is traced are the debugger's steps: the guest's interrupts wait until the last. */
#include "debug/insns.h"

#include "debug/gdb_internal.h"
#include "vm/debug.h"
#include "vm/trace.h"

static void stop(struct vcpu *v)
{
	struct trace *t = v->trace;
	u64 pc = gdb_pc(v), code = 0; /* the first bytes there, as far as they can be read */

	if (!t || !t->insns) {
		insns_end(v);
		return;
	}
	gdb_step_end(v);
	t->insns--;
	gdb_code(v, pc, (u8 *)&code, sizeof(code));
	trace_insn(v, pc, code);
	gdb_step_begin(v);
	gdb_break_apply(v);
}

static const struct vm_debugger tracer = {
	.stop = stop, .exception = gdb_exception, .deliver = gdb_step_deliver};

void insns_end(struct vcpu *v)
{
	if (v->vm->debugger != &tracer)
		return;
	gdb_step_end(v);
	gdb_break_apply(v);
	v->vm->debugger = v->vm->next_debugger;
	__atomic_and_fetch(&v->events, ~EV_DEBUG, __ATOMIC_RELAXED);
}

void insns_attach(struct vm *vm)
{
	const struct trace *t = vm->config->traces[0];

	if (!t || !t->insns)
		return;
	vm->next_debugger = vm->debugger;
	vm->debugger = &tracer;
	for (u32 i = 0; i < vm->vcpu_count; i++)
		vcpu_kick(vm->vcpus[i], EV_DEBUG);
}
