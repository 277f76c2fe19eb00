/* Commands that change what the VM does. */
#include "debug/gdb_internal.h"
#include "debug/insns.h"
#include "debug/mon.h"
#include "host/console.h"
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define STEPS_MAX 100000

static int refuse(const struct mon *m)
{
	if (gdb.vm)
		say(m, "GDB has the VM: use its own command\n");
	else if (m->vm->end != VM_RUNNING)
		say(m, "the VM has ended: reset or poweroff\n");
	else
		return 0;
	return -EBUSY;
}

int mon_stop(struct mon *m)
{
	int err = refuse(m);

	if (err)
		return err;
	if (insns_end)
		insns_end(m->v);
	monitor.stopped = true;
	mon_code(m, mon_pc(m), 1);
	return 0;
}

int mon_cont(struct mon *m)
{
	int err = refuse(m);

	monitor.stopped &= err != 0;
	return err;
}

int mon_step(struct mon *m)
{
	int err = refuse(m);
	u64 n;

	if (err)
		return err;
	if (!mon_value(m, 1, 1, &n) || !n || n > STEPS_MAX) {
		say(m, "1 to %u steps\n", STEPS_MAX);
		return -EINVAL;
	}
	if (insns_end)
		insns_end(m->v);
	monitor.stopped = true;
	monitor.steps = (u32)n;
	return 0;
}

int mon_reset(struct mon *m)
{
	monitor.stopped = false;
	monitor.reset = monitor.leave = true;
	if (m->vm)
		vm_end(m->vm, VM_REBOOT, 0);
	return 0;
}

int mon_poweroff(struct mon *m)
{
	monitor.stopped = false;
	monitor.leave = true;
	if (m->vm)
		vm_end(m->vm, VM_POWEROFF, 0);
	return 0;
}

int mon_nmi(struct mon *m)
{
	if (m->vm->end != VM_RUNNING)
		return refuse(m);
	m->v->nmi_pending = true;
	vcpu_kick(m->v, EV_NMI);
	return 0;
}

/* What a register may hold is the CPU's business: it refuses the entry, and that is explained. */
int mon_set(struct mon *m)
{
	struct cpu_state s;
	unsigned size;
	void *reg;
	u64 val;

	if (m->argc < 3 || !mon_value(m, 2, 0, &val)) {
		say(m, "set REG VALUE\n");
		return -EINVAL;
	}
	vcpu_get_state(m->v, &s);
	reg = mon_register(&s, m->argv[1], strlen(m->argv[1]), &size);
	if (!reg) {
		say(m, "no register '%.40s'\n", m->argv[1]);
		return -EINVAL;
	}
	memcpy(reg, &val, size);
	vcpu_set_state(m->v, &s);
	return 0;
}

int mon_log(struct mon *m)
{
	static const char *const levels[] = {"quiet", "story", "guest"};

	for (unsigned i = 0; m->argc > 1 && i < ARRAY_SIZE(levels); i++) {
		if (strcmp(levels[i], m->argv[1]))
			continue;
		console_set_quiet(i == 0);
		if (m->vm)
			m->vm->log_unclaimed = i == 2;
		return 0;
	}
	say(m, "log quiet, story or guest\n");
	return -EINVAL;
}
