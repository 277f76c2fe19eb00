/* Commands that change what the VM does. */
#include "debug/gdb_internal.h"
#include "debug/insns.h"
#include "debug/mon.h"
#include "host/console.h"
#include "host/cpu.h"
#include "lib/string.h"
#include "vm/debug.h"

#define STEPS_MAX 100000

static bool refused(const struct mon *m)
{
	if (m->vm->end != VM_RUNNING)
		say(m, "the VM has ended: reset or poweroff\n");
	else if (gdb.vm)
		say(m, "GDB has the VM: use its own command\n");
	else
		return false;
	return true;
}

void mon_stop(struct mon *m)
{
	if (refused(m))
		return;
	if (insns_end)
		insns_end(m->v);
	monitor.stopped = true;
	mon_code(m, 1);
}

void mon_cont(struct mon *m)
{
	monitor.stopped &= refused(m);
}

void mon_step(struct mon *m)
{
	u64 n;

	if (refused(m))
		return;
	if (!mon_value(m, 1, 1, &n) || n - 1 >= STEPS_MAX) {
		say(m, "1 to %u steps\n", STEPS_MAX);
		return;
	}
	if (insns_end)
		insns_end(m->v);
	monitor.stopped = true;
	monitor.steps = (u32)n;
}

static void end(struct mon *m, enum vm_end how)
{
	monitor.stopped = false;
	monitor.leave = true;
	gdb.leave = true; /* if it looks at a dead VM */
	monitor.reset = how == VM_REBOOT;
	if (m->vm)
		vm_end(m->vm, how, 0);
}

void mon_reset(struct mon *m)
{
	end(m, VM_REBOOT);
}

void mon_poweroff(struct mon *m)
{
	end(m, VM_POWEROFF);
}

void mon_nmi(struct mon *m)
{
	if (m->vm->end != VM_RUNNING) {
		refused(m);
		return;
	}
	m->v->nmi_pending = true;
	vcpu_kick(m->v, EV_NMI);
}

/* What a register may hold is the CPU's business: it refuses the entry, and that is explained. */
void mon_set(struct mon *m)
{
	struct cpu_state s;
	unsigned size;
	void *reg;
	u64 val;

	if (m->argc < 3 || !mon_value(m, 2, 0, &val)) {
		mon_usage(m);
		return;
	}
	vcpu_get_state(m->v, &s);
	reg = mon_register(&s, m->argv[1], strlen(m->argv[1]), &size);
	if (!reg) {
		say(m, "no register '%.40s'\n", m->argv[1]);
		return;
	}
	if (size == 2) {
		say(m, "not a selector alone: base and limit would not follow\n");
		return;
	}
	memcpy(reg, &val, size);
	debug_set_state(m->v, &s);
}

void mon_log(struct mon *m)
{
	int level = mon_choice(m); /* quiet, story, guest */

	if (level < 0)
		return;
	console_set_quiet(level == 0);
	if (m->vm)
		m->vm->log_unclaimed = level == 2;
}
