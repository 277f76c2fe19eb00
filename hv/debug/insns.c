/* What is traced are the debugger's steps: the guest's interrupts wait until the last. */
#include "debug/insns.h"

#include "debug/gdb_internal.h"
#include "vm/debug.h"
#include "vm/trace.h"

static void stop(struct vcpu *v)
{
	struct trace *t = v->trace;
	u64 pc = gdb_pc(v), code = 0; /* the first bytes there, as far as they can be read */

	gdb_step_end(v);
	if (t && t->insns) {
		t->insns--;
		gdb_code(v, pc, (u8 *)&code, sizeof(code));
		trace_insn(v, pc, code);
		gdb_step_begin(v);
	} else {
		v->vm->debugger = v->vm->next_debugger;
	}
	gdb_break_apply(v);
}

static const struct vm_debugger tracer = {
	.stop = stop, .exception = gdb_exception, .deliver = gdb_step_deliver};

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
