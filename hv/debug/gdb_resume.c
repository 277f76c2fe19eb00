/* GDB's commands that let the guest run on (GDB manual, appendix E.2). */
#include "debug/gdb_internal.h"
#include "lib/string.h"

void gdb_resume_all(void)
{
	for (u32 i = 0; i < gdb.vm->vcpu_count; i++)
		gdb.vcpu[i].action = 'c';
	gdb.leave = gdb.waiting = true;
}

void gdb_resume(char action, const char *s)
{
	struct gdb_vcpu *g = &gdb.vcpu[gdb.current];
	u64 n;

	if ((action & 32) == 0) { /* a signal, which a CPU cannot get; behind it ";ADDR" */
		gdb_number(&s, &n);
		s += *s == ';';
		action |= 32;
	}
	if (gdb_number(&s, &n)) {
		g->state.rip = n;
		g->dirty = true;
	}
	gdb_resume_all();
	g->action = action;
}

bool gdb_resume_threads(const char *s)
{
	u32 given = 0, index;
	u64 n;

	for (u32 i = 0; i < gdb.vm->vcpu_count; i++)
		gdb.vcpu[i].action = 0;
	while (*s == ';') {
		char action = (char)(s[1] | 32);
		bool all = true;

		s += s[1] ? 2 : 1;
		if (action != 'c' && action != 's')
			break;
		if (s[-1] < 'a')
			gdb_number(&s, &n);
		index = gdb.current;
		if (*s == ':') {
			s++;
			all = !strncmp(s, "-1", 2);
			if (!gdb_thread(&s, &index))
				break;
		}
		for (u32 i = 0; i < gdb.vm->vcpu_count; i++) {
			if ((all || i == index) && !(given & BIT(i))) {
				gdb.vcpu[i].action = action;
				given |= (u32)BIT(i);
			}
		}
	}
	if (given)
		gdb.leave = gdb.waiting = true;
	return given;
}
