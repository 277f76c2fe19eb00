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

struct mon_command;

/* One command being carried out: for whom, with what. */
struct mon {
	struct vm *vm;	/* NULL: there is none */
	struct vcpu *v; /* the VM's first */
	struct mon_sink *sink;
	const struct mon_command *command;
	unsigned argc;
	const char *argv[MON_ARGS];
};

struct mon_command {
	const char *text; /* the name, a blank, its arguments, a NUL, a sentence for help; what stands between
			   * bars are the words that may come there */
	void (*run)(struct mon *m);
};

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

/* The same for an address that must be there, which is told otherwise. */
bool mon_address(const struct mon *m, unsigned i, u64 *addr);

/* The number of argv[1] among the words between bars; -1, having said what there is, when it is none. */
int mon_choice(const struct mon *m);
void mon_usage(const struct mon *m);
void mon_no_vm(const struct mon *m);

/* The register's place in s by its name, which may begin with $; its size in *size. NULL if it is none. */
void *mon_register(struct cpu_state *s, const char *name, size_t len, unsigned *size);

/* lineedit_words of the commands. */
const char *mon_words(const char *line, size_t start, unsigned n);

/* mon_regs.c: parts of `info` and of the autopsy. */
void mon_show_registers(const struct mon *m, const struct cpu_state *s);
void mon_show_control(const struct mon *m, const struct cpu_state *s);
void mon_show_segments(const struct mon *m, const struct cpu_state *s);

/* mon_mem.c: guest memory by linear address. mon_code() shows n instructions at the program counter.
 * mon_walk() shows the way to gva. */
void mon_code(const struct mon *m, unsigned n);
bool mon_walk(const struct mon *m, u64 gva, u64 *gpa); /* false: it leads nowhere */
void mon_stack(const struct mon *m);

/* mon_exits.c: the last n; accesses that nothing answered. mon_chain.c: the exceptions before a triple fault.
 */
void mon_show_exits(const struct mon *m, u64 n);
void mon_show_unclaimed(const struct mon *m);
void mon_show_chain(const struct mon *m);

/* The commands, by file: mon_command.c, mon_info.c, mon_host.c, mon_mem.c, mon_exits.c, mon_run.c. */
void mon_help(struct mon *m);
void mon_info(struct mon *m);
void mon_info_host(struct mon *m);
void mon_info_irq(struct mon *m);
void mon_info_mem(struct mon *m);
void mon_info_ept(struct mon *m);
void mon_info_exits(struct mon *m);
void mon_x(struct mon *m);
void mon_xp(struct mon *m);
void mon_disas(struct mon *m);
void mon_translate(struct mon *m);
void mon_trace(struct mon *m);
void mon_stop(struct mon *m);
void mon_cont(struct mon *m);
void mon_step(struct mon *m);
void mon_reset(struct mon *m);
void mon_poweroff(struct mon *m);
void mon_nmi(struct mon *m);
void mon_set(struct mon *m);
void mon_log(struct mon *m);

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
