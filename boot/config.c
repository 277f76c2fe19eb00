/* pxhv.conf as text: lines, comments, quotes, sections. The keys are in config_key.c. */
#include "boot/boot.h"
#include "boot/config_key.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LINE_MAX 4096
#define SHOWN	 40

void config_mistake(struct config_parser *p, const char *suggestion, const char *fmt, ...)
{
	char text[192];
	va_list ap;

	p->mistakes++;
	if (p->mistakes > CONFIG_MAX_MISTAKES)
		return;
	va_start(ap, fmt);
	kvsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printk("%s:%u: %s", p->file, p->line, text);
	if (suggestion)
		printk(" (did you mean '%s'?)", suggestion);
	printk("\n");
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool comment(char c)
{
	return c == ';' || c == '#';
}

static struct slice trim(struct slice s)
{
	while (s.len && blank(s.p[s.len - 1]))
		s.len--;
	while (s.len && blank(*s.p)) {
		s.p++;
		s.len--;
	}
	return s;
}

/* Cuts s where a comment begins: at its start, or after a blank. */
static struct slice strip_comment(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (comment(s.p[i]) && (i == 0 || blank(s.p[i - 1])))
			s.len = i;
	return trim(s);
}

/* What a value that starts with a quote holds: up to the first quote that nothing but a comment follows. */
static bool unquote(struct slice *s)
{
	for (size_t i = 1; i < s->len; i++) {
		struct slice rest = {s->p + i + 1, s->len - i - 1};

		if (s->p[i] == '"' && !strip_comment(rest).len && !(rest.len && comment(*rest.p))) {
			s->p++;
			s->len = i - 1;
			return true;
		}
	}
	return false;
}

static bool name_valid(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i] | 32;

		if (!(c >= 'a' && c <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && !strchr("-_.", s.p[i]))
			return false;
	}
	return s.len < sizeof(((struct vm_config *)0)->name);
}

static void begin_vm(struct config_parser *p, struct slice name)
{
	struct config *c = p->c;
	struct vm_config *vm = &c->vms[c->vm_count];

	if (!name.len) {
		config_mistake(p, NULL, "[vm NAME] needs a name");
		return;
	}
	if (!name_valid(name)) {
		config_mistake(p, NULL, "a VM's name is 1 to 31 letters, digits, '-', '_' and '.'");
		return;
	}
	for (u32 i = 0; i < c->vm_count; i++) {
		if (slice_is(name, c->vms[i].name)) {
			config_mistake(p, NULL, "[vm %s] is there already, in line %u", c->vms[i].name,
				       c->vms[i].line);
			return;
		}
	}
	if (c->vm_count == CONFIG_MAX_VMS) {
		config_mistake(p, NULL, "more than %u VMs", CONFIG_MAX_VMS);
		return;
	}
	memcpy(vm->name, name.p, name.len);
	vm->line = p->line;
	vm->memory = 256 * MiB;
	vm->cpus = 1;
	c->vm_count++;
	p->vm = vm;
	p->section = SECTION_VM;
}

static void begin_section(struct config_parser *p, struct slice line)
{
	struct slice word, rest;
	unsigned line_no = p->line, distance = 2;
	const char *near = NULL;

	config_check_guest(p);
	p->line = line_no;
	p->section = SECTION_SKIP;
	p->seen = 0;
	if (line.p[line.len - 1] != ']') {
		config_mistake(p, NULL, "the section's ']' is missing");
		return;
	}
	rest = trim((struct slice){line.p + 1, line.len - 2});
	word = (struct slice){rest.p, 0};
	while (word.len < rest.len && !blank(rest.p[word.len]))
		word.len++;
	rest = trim((struct slice){rest.p + word.len, rest.len - word.len});

	if (slice_is(word, "vm")) {
		p->vm_sections++;
		begin_vm(p, rest);
	} else if (slice_is(word, "pxhv") && !rest.len) {
		if (p->pxhv_seen)
			config_mistake(p, NULL, "[pxhv] is there already");
		else
			p->section = SECTION_PXHV;
		p->pxhv_seen = true;
	} else {
		config_nearest(word, "vm", &near, &distance);
		config_nearest(word, "pxhv", &near, &distance);
		config_mistake(p, near, "unknown section '%.*s'", (int)MIN(word.len, SHOWN), word.p);
	}
}

static void parse_line(struct config_parser *p, struct slice raw)
{
	struct slice line = strip_comment(raw), value;
	const char *equals;

	if (!line.len)
		return;
	if (*line.p == '[') {
		begin_section(p, line);
		return;
	}
	if (p->section == SECTION_SKIP)
		return;
	for (equals = line.p; equals < line.p + line.len && *equals != '='; equals++)
		;
	if (equals == line.p + line.len) {
		config_mistake(p, NULL, "'=' is missing after '%.*s'", (int)MIN(line.len, SHOWN), line.p);
		return;
	}
	if (p->section == SECTION_NONE) {
		config_mistake(p, NULL, "a key outside of any section");
		return;
	}
	/* From the raw line: what looks like a comment may stand in quotes. */
	value = trim((struct slice){equals + 1, (size_t)(raw.p + raw.len - equals - 1)});
	if (value.len && *value.p == '"') {
		if (!unquote(&value)) {
			config_mistake(p, NULL, "the closing quote is missing");
			return;
		}
	} else {
		value = trim((struct slice){equals + 1, (size_t)(line.p + line.len - equals - 1)});
	}
	config_set(p, trim((struct slice){line.p, (size_t)(equals - line.p)}), value);
}

unsigned config_parse(struct config *c, const char *name, const char *text, size_t len)
{
	struct config_parser p = {.c = c, .file = name, .section = SECTION_NONE};
	const char *end = text + len;

	memset(c, 0, sizeof(*c));
	if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
		text += 3;
	while (text < end && p.mistakes < CONFIG_MAX_MISTAKES) {
		struct slice line = {text, 0};
		bool nul = false;

		while (text < end && *text != '\n')
			nul |= !*text++;
		line.len = (size_t)(text - line.p);
		if (text < end)
			text++; /* past the newline */
		p.line++;
		if (nul)
			config_mistake(&p, NULL, "a NUL byte: this is not a text file, or it is UTF-16");
		else if (line.len > LINE_MAX)
			config_mistake(&p, NULL, "the line is too long (%zu bytes, at most %u)", line.len,
				       LINE_MAX);
		else
			parse_line(&p, line);
	}
	if (p.mistakes < CONFIG_MAX_MISTAKES) {
		config_check_guest(&p);
		p.line = 1;
		if (!p.vm_sections)
			config_mistake(&p, NULL, "no [vm NAME] section: nothing to start");
	} else {
		printk("%s: too many mistakes, the rest is not read\n", name);
	}
	return p.mistakes;
}
