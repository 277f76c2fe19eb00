#include "debug/autopsy.h"

#include "debug/gdb_internal.h"
#include "debug/mon.h"
#include "debug/monitor.h"
#include "host/percpu.h"
#include "vm/trace.h"

#define SHOWN_EXITS 16
#define SHOWN_CODE  4

void autopsy(struct vm *vm)
{
	struct mon_sink sink;
	struct cpu_state s;
	struct mon m;
	u64 gpa;

	mon_init(&m, vm, &sink, monitor_out);
	vcpu_get_state(m.v, &s);
	say(&m, "\npxHV: vm '%s' died: %s\n", vm->config->name, vm->end_reason);
	mon_show_chain(&m);
	mon_show_registers(&m, &s);
	mon_show_control(&m, &s);
	mon_show_segments(&m, &s);
	say(&m, "code:\n");
	mon_code(&m, SHOWN_CODE);
	mon_walk(&m, gdb_pc(m.v), &gpa);
	mon_stack(&m);
	mon_show_exits(&m, SHOWN_EXITS);
	if (vm->unclaimed_reads + vm->unclaimed_writes + vm->unknown_msrs)
		mon_show_unclaimed(&m);
}

void exit_ring_dump(void)
{
	struct mon_sink sink;
	struct mon m;

	mon_init(&m, NULL, &sink, monitor_out);
	m.v = this_cpu()->vcpu;
	if (!m.v)
		return;
	mon_show_exits(&m, SHOWN_EXITS);
	if (m.v->traced)
		trace_finish(m.v);
}
