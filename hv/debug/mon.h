/* What the files of the monitor share. */
#pragma once

#include "lib/types.h"
#include "vm/vm.h"

#define MON_ARGS 6

#define MON_TEXT 256

/* Where an answer goes, in lines: GDB wants a packet for each piece. */
struct mon_sink {
	void (*out)(const char *s);
	size_t len;
	char text[MON_TEXT];
};

/* One command being carried out: for whom, with what. */
struct mon {
	struct vm *vm;	/* NULL: there is none */
	struct vcpu *v; /* the VM's first */
	struct mon_sink *sink;
	unsigned argc;
	const char *argv[MON_ARGS];
};

struct mon_command {
	const char *name;
	const char *args; /* for help; what stands between bars are the words that may come here */
	const char *help;
	bool needs_vm;
	int (*run)(struct mon *m);
};
extern const struct mon_command mon_commands[];

/* m for vm with sink, which is empty, to out. */
void mon_init(struct mon *m, struct vm *vm, struct mon_sink *sink, void (*out)(const char *s));

/* Prints up to 255 bytes, at the latest with mon_flush(). */
void say(const struct mon *m, const char *fmt, ...) __printf(2, 3);

void mon_flush(const struct mon *m);

/* What m->argv[i] says as a sum of numbers and registers ("0x1000", "rip+8", "$rsp"); without such an
 * argument it is fallback. False, said, when it is neither. A build without the monitor, which has no
 * commands, has no such function. */
bool mon_value(const struct mon *m, unsigned i, u64 fallback, u64 *val);
#pragma weak mon_value

/* The register's place in s by its name, which may begin with $; its size in *size. NULL if it is none. */
void *mon_register(struct cpu_state *s, const char *name, size_t len, unsigned *size);

/* lineedit_words of the commands. */
const char *mon_words(const char *line, size_t start, unsigned n);

/* mon_regs.c: parts of `info` and of the autopsy. */
void mon_show_registers(const struct mon *m, const struct cpu_state *s);
void mon_show_control(const struct mon *m, const struct cpu_state *s);
void mon_show_segments(const struct mon *m, const struct cpu_state *s);

/* mon_mem.c: guest memory by linear address. mon_code() shows n instructions. mon_walk() shows the way to
 * gva. */
void mon_code(const struct mon *m, u64 gva, unsigned n);
void mon_walk(const struct mon *m, u64 gva);
void mon_stack(const struct mon *m);
u64 mon_pc(const struct mon *m); /* linear */

/* mon_exits.c: the last n; accesses that nothing answered. mon_chain.c: the exceptions before a triple fault.
 */
void mon_show_exits(const struct mon *m, u32 n);
void mon_show_unclaimed(const struct mon *m);
void mon_show_chain(const struct mon *m);

/* The commands, by file: mon_command.c, mon_info.c, mon_host.c, mon_mem.c, mon_exits.c, mon_run.c. */
int mon_help(struct mon *m);
int mon_info(struct mon *m);
int mon_info_host(struct mon *m);
int mon_info_irq(struct mon *m);
int mon_info_mem(struct mon *m);
int mon_info_ept(struct mon *m);
int mon_info_exits(struct mon *m);
int mon_x(struct mon *m);
int mon_xp(struct mon *m);
int mon_disas(struct mon *m);
int mon_translate(struct mon *m);
int mon_trace(struct mon *m);
int mon_stop(struct mon *m);
int mon_cont(struct mon *m);
int mon_step(struct mon *m);
int mon_reset(struct mon *m);
int mon_poweroff(struct mon *m);
int mon_nmi(struct mon *m);
int mon_set(struct mon *m);
int mon_log(struct mon *m);

/* The console's monitor as commands see it (monitor.c). */
struct monitor {
	bool stopped;  /* the VM waits for `cont` */
	u32 steps;     /* it runs that many instructions more, */
	bool stepping; /* one of them now */
	bool dead;     /* nothing runs any more */
	bool leave;    /* what is dead is done with */
	bool reset;    /* ... by starting anew */
};
extern struct monitor monitor;
