#include "debug/autopsy.h"

#include "debug/mon.h"
#include "host/console.h"
#include "host/percpu.h"
#include "lib/string.h"
#include "vm/trace.h"

#define SHOWN_EXITS 16
#define SHOWN_CODE  4

static void out(const char *s)
{
	console_write(s, strlen(s));
}

void autopsy(struct vm *vm)
{
	struct mon_sink sink;
	struct cpu_state s;
	struct mon m;

	mon_init(&m, vm, &sink, out);
	vcpu_get_state(m.v, &s);
	say(&m, "\npxHV: vm '%s' died: %s\n", vm->config->name, vm->end_reason);
	mon_show_chain(&m);
	mon_show_registers(&m, &s);
	mon_show_control(&m, &s);
	mon_show_segments(&m, &s);
	say(&m, "code:\n");
	mon_code(&m, mon_pc(&m), SHOWN_CODE);
	mon_walk(&m, mon_pc(&m));
	mon_stack(&m);
	mon_show_exits(&m, SHOWN_EXITS);
	if (vm->unclaimed_reads + vm->unclaimed_writes + vm->unknown_msrs)
		mon_show_unclaimed(&m);
}

void exit_ring_dump(void)
{
	struct mon_sink sink;
	struct mon m;

	mon_init(&m, NULL, &sink, out);
	m.v = this_cpu()->vcpu;
	if (!m.v)
		return;
	mon_show_exits(&m, SHOWN_EXITS);
	if (m.v->traced)
		trace_finish(m.v);
}
