/* A line of the monitor becomes a command and its arguments: the table, help, completion. */
#include "debug/gdb_packet.h"
#include "debug/mon.h"
#include "debug/monitor.h"
#include "debug/regs.h"
#include "lib/printf.h"
#include "lib/string.h"

static const struct mon_command mon_commands[] = {
	{"help [COMMAND]\0this list, or one command", mon_help},
	{"info vms|regs|cpu|exits|mem|ept|irq|devices|clock|host\0how it is with these", mon_info},
	{"log quiet|story|guest\0what is told: guest adds ports, MMIO and MSRs that nobody has", mon_log},
	{"reset \0restart the VM", mon_reset},
	{"poweroff \0end it", mon_poweroff},
	/* from here on with a VM */
	{"x [/NFU] ADDR\0memory: N of format x d u c s i, units b h w g", mon_x},
	{"xp [/NFU] ADDR\0the same by guest-physical address", mon_xp},
	{"disas [ADDR [N]]\0instructions, at RIP", mon_disas},
	{"translate ADDR\0the walks through the guest's page tables and ours", mon_translate},
	{"trace [N]\0the last exits", mon_trace},
	{"stop \0hold the VM", mon_stop},
	{"cont \0let it run on", mon_cont},
	{"step [N]\0run one instruction, or N", mon_step},
	{"set REG VALUE\0change a register", mon_set},
	{"nmi \0send an NMI", mon_nmi},
};
#define COMMANDS_END	 (mon_commands + ARRAY_SIZE(mon_commands))
#define COMMANDS_WITH_VM (mon_commands + 5)

void mon_no_vm(const struct mon *m)
{
	say(m, "there is no VM\n");
}

static size_t word_len(const char *s)
{
	size_t len = 0;

	while (s[len] > ' ' && s[len] != '|' && s[len] != '/')
		len++;
	return len;
}

/* The command that s begins with, up to a blank or a slash: its whole name, or the only one with that start.
 * Those that end what there is to look at have no short form: GDB's p is not poweroff. */
static const struct mon_command *find(const char *s)
{
	const struct mon_command *found = NULL;
	size_t len = word_len(s);
	unsigned count = 0;

	for (const struct mon_command *c = mon_commands; c < COMMANDS_END; c++) {
		if (strncmp(c->text, s, len))
			continue;
		if (c->text[len] == ' ')
			return c;
		if (c->run == mon_reset || c->run == mon_poweroff)
			continue;
		found = c;
		count++;
	}
	return len && count == 1 ? found : NULL;
}

void mon_help(struct mon *m)
{
	const struct mon_command *one = m->argc > 1 ? find(m->argv[1]) : NULL;

	for (const struct mon_command *c = mon_commands; c < COMMANDS_END; c++)
		if (!one || c == one)
			say(m, "%-20s %s\n", c->text, nth_string(c->text, 1));
	if (!one)
		say(m, "Ctrl-A c goes back to the VM. ADDR is a sum of numbers and registers: rsp+0x10\n");
}

/* The n-th of the words between bars behind the command's name; NULL if there are fewer. */
static const char *alternative(const struct mon_command *c, unsigned n)
{
	const char *s = strchr(c->text, ' ');

	if (!strchr(s, '|'))
		return NULL;
	for (; s && n; n--)
		s = strchr(s + 1, '|');
	return s ? s + 1 : NULL;
}

void mon_usage(const struct mon *m)
{
	say(m, "%s\n", m->command->text);
}

int mon_choice(const struct mon *m)
{
	const char *word;

	for (unsigned n = 0; m->argc > 1 && (word = alternative(m->command, n)); n++)
		if (!strncmp(word, m->argv[1], strlen(m->argv[1])))
			return (int)n;
	mon_usage(m);
	return -1;
}

const char *mon_words(const char *line, size_t start, unsigned n)
{
	static char word[12];
	const struct mon_command *c = find(line);
	const char *s;

	if (!start || (c && c->run == mon_help))
		s = n < ARRAY_SIZE(mon_commands) ? mon_commands[n].text : NULL;
	else
		s = c && word_len(line) + 1 == start ? alternative(c, n) : NULL;
	if (!s)
		return NULL;
	memset(word, 0, sizeof(word));
	memcpy(word, s, MIN(word_len(s), sizeof(word) - 1));
	return word;
}

static bool number(const char *s, size_t len, u64 *val)
{
	unsigned base = 10;

	*val = 0;
	if (len > 2 && s[0] == '0' && (s[1] | 32) == 'x') {
		base = 16;
		s += 2;
		len -= 2;
	}
	for (; len--; s++) {
		unsigned d = gdb_digit(*s);

		if (d >= base || __builtin_mul_overflow(*val, base, val) ||
		    __builtin_add_overflow(*val, d, val))
			return false;
	}
	return true;
}

void *mon_register(struct cpu_state *s, const char *name, size_t len, unsigned *size)
{
	unsigned dollar = *name == '$';
	int n = reg_find(name + dollar, len - dollar);

	return n < 0 ? NULL : reg_place(s, (unsigned)n, size);
}

static bool term(const struct mon *m, const char *s, size_t len, u64 *val)
{
	struct cpu_state state;
	unsigned size;
	void *reg;

	if (!len)
		return false;
	if (*s >= '0' && *s <= '9')
		return number(s, len, val);
	reg = mon_register(&state, s, len, &size);
	if (!reg || !m->v)
		return false;
	vcpu_get_state(m->v, &state);
	*val = 0;
	memcpy(val, reg, size);
	return true;
}

bool mon_value(const struct mon *m, unsigned i, u64 fallback, u64 *val)
{
	const char *s;
	bool minus = false;

	*val = fallback;
	if (i >= m->argc)
		return true;
	*val = 0;
	for (s = m->argv[i];; s++) {
		size_t len = 0;
		u64 v;

		while (s[len] && s[len] != '+' && s[len] != '-')
			len++;
		if (!term(m, s, len, &v))
			break;
		*val += minus ? -v : v;
		s += len;
		if (!*s)
			return true;
		minus = *s == '-';
	}
	say(m, "'%s' is no number, register, or sum of them\n", m->argv[i]);
	return false;
}

/* Cuts the line at its blanks, and the first word before a slash too. False: too many words. */
static bool split(struct mon *m, char *s)
{
	for (;;) {
		while (*s == ' ' || *s == '\t')
			*s++ = 0;
		if (!*s)
			return true;
		if (m->argc == MON_ARGS)
			return false;
		m->argv[m->argc++] = s;
		while (*s && *s != ' ' && *s != '\t')
			s++;
	}
}

/* How many words a line of c has at most. */
static unsigned words_of(const struct mon_command *c)
{
	unsigned n = 1;

	for (const char *s = c->text; (s = strchr(s, ' ')) && s[1]; s++)
		n++;
	return n;
}

void monitor_command(char *line, void (*out)(const char *s))
{
	struct mon_sink sink;
	struct mon m;

	mon_init(&m, vm_console_active(), &sink, out);
	if (!split(&m, line)) {
		say(&m, "too many words\n");
	} else if (m.argc) {
		m.command = find(m.argv[0]);
		if (!m.command)
			say(&m, "no command '%.40s'; try help\n", m.argv[0]);
		else if (m.argc > words_of(m.command))
			mon_usage(&m);
		else if (m.command >= COMMANDS_WITH_VM && !m.vm)
			mon_no_vm(&m);
		else
			m.command->run(&m);
	}
	mon_flush(&m);
}
