/* A line of the monitor becomes a command and its arguments: the table, help, completion. */
#include "debug/mon.h"
#include "debug/monitor.h"
#include "debug/regs.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LINE_MAX 256 /* GDB's lines may be longer than the console's */

#define INFO "vms|regs|cpu|exits|mem|ept|irq|devices|clock|host"

const struct mon_command mon_commands[] = {
	{"help", "[COMMAND]", "this list, or one command", false, mon_help},
	{"info", INFO, "how it is with these", false, mon_info},
	{"x", "[/NFU] ADDR", "memory: N of format x d u c s i, units b h w g", true, mon_x},
	{"xp", "[/NFU] ADDR", "the same by guest-physical address", true, mon_xp},
	{"disas", "[ADDR [N]]", "instructions, at RIP", true, mon_disas},
	{"translate", "ADDR", "the walks through the guest's page tables and ours", true, mon_translate},
	{"trace", "[N]", "the last exits", true, mon_trace},
	{"stop", "", "hold the VM", true, mon_stop},
	{"cont", "", "let it run on", true, mon_cont},
	{"step", "[N]", "run one instruction, or N", true, mon_step},
	{"set", "REG VALUE", "change a register", true, mon_set},
	{"nmi", "", "send an NMI", true, mon_nmi},
	{"reset", "", "restart the VM", false, mon_reset},
	{"poweroff", "", "end it", false, mon_poweroff},
	{"log", "quiet|story|guest", "what is told: guest adds ports, MMIO and MSRs that nobody has", false,
	 mon_log},
	{.name = NULL},
};

/* The command that s begins with, up to a blank or a slash: its whole name, or the only one with that start.
 */
static const struct mon_command *find(const char *s, size_t len)
{
	const struct mon_command *found = NULL;
	unsigned count = 0;

	for (const struct mon_command *c = mon_commands; c->name; c++) {
		if (strncmp(c->name, s, len))
			continue;
		if (!c->name[len])
			return c;
		found = c;
		count++;
	}
	return len && count == 1 ? found : NULL;
}

int mon_help(struct mon *m)
{
	const struct mon_command *one = m->argc > 1 ? find(m->argv[1], strlen(m->argv[1])) : NULL;

	for (const struct mon_command *c = mon_commands; c->name; c++) {
		if (one && c != one)
			continue;
		say(m, "%s %s%*s%s\n", c->name, c->args,
		    MAX(20 - (int)(strlen(c->name) + strlen(c->args)), 1), "", c->help);
	}
	if (!one)
		say(m, "Ctrl-A c goes back to the VM. ADDR is a sum of numbers and registers: rsp+0x10\n");
	return 0;
}

/* The n-th of the words between bars, copied to buf; NULL if there are fewer. */
static const char *alternative(const char *s, unsigned n, char *buf, size_t size)
{
	const char *end;

	for (; n; n--, s++)
		if (!(s = strchr(s, '|')))
			return NULL;
	for (end = s; *end && *end != '|'; end++)
		;
	memcpy(buf, s, MIN((size_t)(end - s), size - 1));
	buf[MIN((size_t)(end - s), size - 1)] = 0;
	return buf;
}

const char *mon_words(const char *line, size_t start, unsigned n)
{
	static char word[12];
	const struct mon_command *c;
	size_t len = 0;

	if (!start)
		return mon_commands[n].name;
	while (line[len] && line[len] != ' ')
		len++;
	c = find(line, len);
	if (!c || len + 1 != start)
		return NULL;
	if (c->run == mon_help)
		return mon_commands[n].name;
	if (!strchr(c->args, '|'))
		return NULL;
	return alternative(c->args, n, word, sizeof(word));
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '$' || c == '_';
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
		unsigned d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0') : (unsigned)(*s | 32) - 'a' + 10;

		if (d >= base || *val > (~0ULL - d) / base)
			return false;
		*val = *val * base + d;
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

		while (is_word(s[len]))
			len++;
		if (!term(m, s, len, &v))
			break;
		*val += minus ? -v : v;
		s += len;
		if (!*s)
			return true;
		if (*s != '+' && *s != '-')
			break;
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

static int run_words(struct mon *m)
{
	const struct mon_command *c;
	size_t len = 0;

	if (!m->argc)
		return 0;
	while (m->argv[0][len] && m->argv[0][len] != '/')
		len++;
	c = find(m->argv[0], len);
	if (!c) {
		say(m, "no command '%.40s'; try help\n", m->argv[0]);
		return -EINVAL;
	}
	if (c->needs_vm && !m->vm) {
		say(m, "there is no VM\n");
		return -ENODEV;
	}
	return c->run(m);
}

int monitor_command(const char *text, void (*out)(const char *s))
{
	struct mon_sink sink;
	struct mon m;
	char line[LINE_MAX];
	size_t len = strlen(text);
	int err = -E2BIG;

	mon_init(&m, vm_console_active(), &sink, out);
	if (len >= sizeof(line)) {
		say(&m, "the line is too long\n");
	} else {
		memcpy(line, text, len + 1);
		if (split(&m, line))
			err = run_words(&m);
		else
			say(&m, "too many words\n");
	}
	mon_flush(&m);
	return err;
}
