/* GDB's commands that let the guest run on (GDB manual, appendix E.2). */
#include "debug/gdb_internal.h"

/* For those of all (NULL) or one that have no action yet. */
static void give(struct gdb_vcpu *one, char action)
{
	for (struct gdb_vcpu *g = gdb.vcpu; g < gdb.vcpu + gdb.vm->vcpu_count; g++)
		if ((!one || g == one) && (!g->action || !action))
			g->action = action;
}

/* The action in lower case, the signal behind an upper case one, which a CPU cannot get, passed over. */
static char without_signal(char action)
{
	u64 n;

	if (action < 'a')
		gdb_number(&gdb.in.at, &n);
	return (char)(action | 32);
}

void gdb_resume_all(void)
{
	give(NULL, 'c');
	gdb.leave = gdb.waiting = true;
}

void gdb_resume(char action)
{
	struct gdb_vcpu *g = gdb.current;
	u64 n;

	give(NULL, 0);
	g->action = without_signal(action);
	if (gdb_number(&gdb.in.at, &n)) {
		g->state.rip = n;
		g->dirty = true;
	}
	gdb_resume_all();
}

bool gdb_resume_threads(void)
{
	struct gdb_packet *in = &gdb.in;

	give(NULL, 0);
	while (*in->at) {
		struct gdb_vcpu *g = NULL;
		char action;

		in->at += *in->at == ';';
		action = without_signal(*in->at ? *in->at++ : 0);
		if (action != 'c' && action != 's')
			break;
		in->at += *in->at == ':';
		if (in->at[-1] == ':' && !gdb_thread(&g))
			break;
		give(g, action);
		gdb.leave = gdb.waiting = true;
	}
	return gdb.leave;
}
