/* pxhv.conf as text: lines, comments, quotes, sections. The keys are in config_key.c. */
#include "boot/boot.h"
#include "boot/config_key.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LINE_MAX 4096

void config_mistake(struct config_parser *p, const char *fmt, ...)
{
	char text[192];
	va_list ap;

	if (++p->mistakes > CONFIG_MAX_MISTAKES)
		return;
	va_start(ap, fmt);
	kvsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printk(p->near ? "%s:%u: %s (did you mean '%s'?)\n" : "%s:%u: %s\n", p->file, p->line, text, p->near);
	p->near = NULL;
	p->distance = 2;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool comment(char c)
{
	return c == ';' || c == '#';
}

/* The first character of s that is not blank; and s without blanks at its end. */
static char *skip_blanks(char *s)
{
	while (blank(*s))
		s++;
	return s;
}

static char *trim(char *s)
{
	size_t len;

	s = skip_blanks(s);
	len = strlen(s);
	while (len && blank(s[len - 1]))
		len--;
	s[len] = 0;
	return s;
}

/* Where a comment begins behind the start of s, which takes a blank before it; or the end of s. */
static char *comment_in(char *s)
{
	while (*s && !(blank(*s) && comment(s[1])))
		s++;
	return s;
}

/* What a value that starts with a quote holds: up to the first quote that nothing but a comment follows. */
static char *unquote(char *s)
{
	for (char *end = ++s; *end; end++) {
		char *rest = skip_blanks(end + 1);

		if (*end == '"' && (!*rest || (comment(*rest) && rest > end + 1))) {
			*end = 0;
			return s;
		}
	}
	return NULL;
}

static bool name_valid(const char *s)
{
	for (size_t i = 0; s[i]; i++)
		if (!((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z') && !(s[i] >= '0' && s[i] <= '9') &&
		    !strchr("-_.", s[i]))
			return false;
	return strlen(s) < sizeof(((struct vm_config *)0)->name);
}

static void begin_vm(struct config_parser *p, const char *name)
{
	struct config *c = p->c;
	struct vm_config *vm = c->vms;

	if (!*name) {
		config_mistake(p, "[vm NAME] needs a name");
		return;
	}
	if (!name_valid(name)) {
		config_mistake(p, "a VM's name is 1 to 31 letters, digits, '-', '_' and '.'");
		return;
	}
	for (; vm < c->vms + c->vm_count; vm++) {
		if (!strcmp(name, vm->name)) {
			config_mistake(p, "[vm %s] is there already, in line %u", name, vm->line);
			return;
		}
	}
	if (c->vm_count == CONFIG_MAX_VMS) {
		config_mistake(p, "more than %u VMs", CONFIG_MAX_VMS);
		return;
	}
	memcpy(vm->name, name, strlen(name));
	vm->line = p->line;
	vm->memory = 256 * MiB;
	vm->cpus = 1;
	c->vm_count++;
	p->vm = vm;
	p->section = SECTION_VM;
}

static void begin_section(struct config_parser *p, char *line)
{
	size_t len = strlen(line);
	char *word, *rest;

	config_check_guest(p);
	p->section = SECTION_SKIP;
	p->seen = 0;
	if (line[len - 1] != ']') {
		config_mistake(p, "the section's ']' is missing");
		return;
	}
	line[len - 1] = 0;
	word = rest = skip_blanks(line + 1);
	while (*rest && !blank(*rest))
		rest++;
	if (*rest)
		*rest++ = 0;
	rest = trim(rest);

	if (!strcmp(word, "vm")) {
		p->vm_sections++;
		begin_vm(p, rest);
	} else if (!strcmp(word, "pxhv") && !*rest) {
		if (p->pxhv_seen)
			config_mistake(p, "[pxhv] is there already");
		else
			p->section = SECTION_PXHV;
		p->pxhv_seen = true;
	} else if (!strcmp(word, "pxhv")) {
		config_mistake(p, "[pxhv] takes no name");
	} else {
		config_nearest(p, word, "vm");
		config_nearest(p, word, "pxhv");
		config_mistake(p, "unknown section '%.40s'", word);
	}
}

static void parse_line(struct config_parser *p, char *line)
{
	char *equals, *value, *end;

	line = skip_blanks(line);
	if (!*line || comment(*line))
		return;
	end = comment_in(line);
	if (*line == '[') {
		*end = 0;
		begin_section(p, trim(line));
		return;
	}
	if (p->section == SECTION_SKIP)
		return;
	equals = strchr(line, '=');
	if (!equals || equals > end) {
		*end = 0;
		config_mistake(p, "'=' is missing after '%.40s'", trim(line));
		return;
	}
	if (p->section == SECTION_NONE) {
		config_mistake(p, "a key outside of any section");
		return;
	}
	*equals = 0;
	value = skip_blanks(equals + 1);
	if (*value == '"') { /* what looks like a comment may stand in quotes */
		value = unquote(value);
		if (!value) {
			config_mistake(p, "the closing quote is missing");
			return;
		}
	} else {
		*end = 0;
		value = trim(equals + 1);
	}
	config_set(p, trim(line), value);
}

unsigned config_parse(struct config *c, const char *name, const char *text, size_t len)
{
	static char line[LINE_MAX + 1];
	struct config_parser p = {.c = c, .file = name, .distance = 2};
	const char *end = text + len;

	memset(c, 0, sizeof(*c));
	if (len >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
		text += 3;
	for (; text < end && p.mistakes < CONFIG_MAX_MISTAKES; text += len + 1) { /* past the newline */
		bool nul = false;

		for (len = 0; text + len < end && text[len] != '\n'; len++)
			nul |= !text[len];
		p.line++;
		if (nul) {
			config_mistake(&p, "a NUL byte: this is not a text file, or it is UTF-16");
		} else if (len > LINE_MAX) {
			config_mistake(&p, "the line is too long (%zu bytes, at most %u)", len, LINE_MAX);
		} else {
			memcpy(line, text, len);
			line[len] = 0;
			parse_line(&p, line);
		}
	}
	if (p.mistakes < CONFIG_MAX_MISTAKES) {
		config_check_guest(&p);
		p.line = 1;
		if (!p.vm_sections)
			config_mistake(&p, "no [vm NAME] section: nothing to start");
	} else {
		printk("%s: too many mistakes, the rest is not read\n", name);
	}
	return p.mistakes;
}
