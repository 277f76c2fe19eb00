/* The keys of pxhv.conf and what values they take. */
#include "boot/config_key.h"

#include "built_in.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

enum { KEY_CHOICE, KEY_TEXT, KEY_MODULE, KEY_FLAT, KEY_SIZE, KEY_COUNT, KEY_DISK };

#define MEMORY_MIN    (1 * MiB)
#define MEMORY_MAX    (1024 * GiB)
#define REAL_MODE_MAX 0xFFFF /* a 16-bit image starts at 0:ADDR */

#define PXHV(f)	    .section = SECTION_PXHV, .offset = offsetof(struct config, f)
#define VM(f)	    .section = SECTION_VM, .offset = offsetof(struct vm_config, f)
#define CHOICE(w)   .type = KEY_CHOICE, .words = (w)
#define TEXT(f)	    VM(f), .type = KEY_TEXT, .max = sizeof(((struct vm_config *)0)->f)
#define TAKES(what) .feature = (what)

const struct config_key config_keys[] = {
	{"quiet", PXHV(quiet), CHOICE("no\0yes")},
	{"headless", PXHV(headless), CHOICE("no\0yes")},
	{"kernel", TEXT(image), TAKES(GUEST_LINUX)},
	{"multiboot", TEXT(image), TAKES(GUEST_MULTIBOOT)},
	{"flat", VM(image), .type = KEY_FLAT, .max = CONFIG_PATH_MAX, TAKES(GUEST_FLAT)},
	{"firmware", TEXT(image), TAKES(GUEST_FIRMWARE)},
	{"initrd", TEXT(initrd)},
	{"vgabios", TEXT(vgabios)},
	{"floppy", TEXT(floppy)},
	{"disk", VM(disks), .type = KEY_DISK, TAKES(FEATURE_DISKS)},
	{"cmdline", TEXT(cmdline)},
	{"module", VM(modules), .type = KEY_MODULE, .max = CONFIG_PATH_MAX},
	{"memory", VM(memory), .type = KEY_SIZE},
	{"cpus", VM(cpus), .type = KEY_COUNT, .max = CONFIG_MAX_CPUS},
	{"trace", VM(trace), .type = KEY_SIZE, TAKES(FEATURE_TRACE)},
	{"trace-insns", VM(trace_insns), .type = KEY_COUNT, .max = 65535, TAKES(FEATURE_TRACE)},
	{"console", VM(console_vga), CHOICE("serial\0vga"), TAKES(FEATURE_VGA)},
	{"debug-exit", VM(debug_exit), CHOICE("no\0yes")},
	{"on-crash", VM(restart_on_crash), CHOICE("stop\0restart")},
	{"gdb", VM(gdb), CHOICE("none\0com2"), TAKES(FEATURE_GDB)},
	{.name = NULL},
};

bool config_has(struct config_parser *p, u8 feature)
{
	const char *missing = feature_missing(feature);

	if (missing)
		config_mistake(p, NULL, "this pxHV was built without '%s'", missing);
	return !missing;
}

bool slice_is(struct slice s, const char *text)
{
	return strlen(text) == s.len && !memcmp(s.p, text, s.len);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* Edits (a character more, less or other, or two neighbours swapped) from a, without regard to its case, to
 * b; 255 for long words. */
static unsigned edit_distance(struct slice a, const char *b)
{
	u8 rows[3][16];
	size_t len = strlen(b);

	if (a.len > 15 || len > 15)
		return 255;
	for (size_t i = 0; i <= a.len; i++) {
		u8 *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		for (size_t j = 0; j <= len; j++) {
			unsigned d;

			if (!i || !j) {
				row[j] = (u8)(i + j);
				continue;
			}
			d = above[j - 1] + (lower(a.p[i - 1]) != b[j - 1]);
			d = MIN(d, MIN(above[j], row[j - 1]) + 1u);
			if (i > 1 && j > 1 && a.p[i - 1] == b[j - 2] && a.p[i - 2] == b[j - 1])
				d = MIN(d, above2[j - 2] + 1u);
			row[j] = (u8)d;
		}
	}
	return rows[a.len % 3][len];
}

void config_nearest(struct slice word, const char *candidate, const char **best, unsigned *distance)
{
	unsigned d = edit_distance(word, candidate);

	/* A distance of the whole word says nothing. */
	if (d < strlen(candidate) && d < word.len && (d < *distance || (d == *distance && !*best))) {
		*best = candidate;
		*distance = d;
	}
}

/* Reads a decimal or 0x number at the start of *s and moves past it. False: none, or above 64 bits. */
static bool take_number(struct slice *s, u64 *out)
{
	unsigned base = 10;
	const char *start;
	u64 n = 0;

	if (s->len > 2 && s->p[0] == '0' && lower(s->p[1]) == 'x') {
		base = 16;
		s->p += 2;
		s->len -= 2;
	}
	for (start = s->p; s->len; s->p++, s->len--) {
		char c = lower(*s->p);
		unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;

		if (digit >= base)
			break;
		if (n > (~0ULL - digit) / base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return s->p != start;
}

static bool parse_size(struct slice s, u64 *out)
{
	static const char suffixes[] = "kmg";
	const char *suffix;

	if (!take_number(&s, out))
		return false;
	if (s.len == 1 && (suffix = strchr(suffixes, lower(*s.p))) && *suffix) {
		unsigned shift = 10 * (unsigned)(suffix - suffixes + 1);

		if (*out >> (64 - shift))
			return false;
		*out <<= shift;
		s.len = 0;
	}
	return !s.len && *out >= MEMORY_MIN && *out <= MEMORY_MAX && *out % PAGE_SIZE == 0;
}

static bool is_guest(const struct config_key *k)
{
	return k->feature && k->feature < GUEST_KINDS;
}

static void set_text(struct config_parser *p, const struct config_key *k, struct slice v, char *field)
{
	if (is_guest(k) && !v.len)
		config_mistake(p, NULL, "%s needs the name of a file", k->name);
	else if (v.len >= k->max)
		config_mistake(p, NULL, "%s is too long (%zu characters, at most %u)", k->name, v.len,
			       k->max - 1);
	else
		memcpy(field, v.p, v.len); /* all of the config was zeroed: it ends there */
}

static void set_flat(struct config_parser *p, const struct config_key *k, struct slice v)
{
	struct slice file = v, rest;
	u64 addr;

	while (file.len && file.p[file.len - 1] != '@')
		file.len--;
	rest = (struct slice){v.p + file.len, v.len - file.len};
	if (!file.len || !take_number(&rest, &addr) || !(slice_is(rest, ":16") || slice_is(rest, ":64"))) {
		config_mistake(p, NULL, "%s must be FILE@ADDR:16 or FILE@ADDR:64, not '%.*s'", k->name,
			       (int)MIN(v.len, SHOWN), v.p);
		return;
	}
	file.len--;
	p->vm->flat_addr = addr;
	p->vm->flat_bits = rest.p[1] == '1' ? 16 : 64;
	if (p->vm->flat_bits == 16 && addr > REAL_MODE_MAX)
		config_mistake(p, NULL, "a 16-bit image must lie below 0x10000, not at 0x%lx", addr);
	else
		set_text(p, k, file, p->vm->image);
}

static void set_value(struct config_parser *p, const struct config_key *k, struct slice v, void *field)
{
	int shown = (int)MIN(v.len, SHOWN);
	unsigned distance = 2;
	const char *near = NULL, *yes;
	u64 n;

	switch (k->type) {
	case KEY_TEXT:
		set_text(p, k, v, field);
		break;
	case KEY_MODULE:
		if (p->vm->module_count == MODULES_MAX)
			config_mistake(p, NULL, "more than %u modules", MODULES_MAX);
		else if (!v.len)
			config_mistake(p, NULL, "%s needs the name of a file", k->name);
		else
			set_text(p, k, v, p->vm->modules[p->vm->module_count++]);
		break;
	case KEY_FLAT:
		set_flat(p, k, v);
		break;
	case KEY_DISK:
		config_set_disk(p, v);
		break;
	case KEY_SIZE:
		if (parse_size(v, &n))
			*(u64 *)field = n;
		else
			config_mistake(p, NULL, "%s must be 1M to 1024G in steps of 4K, not '%.*s'", k->name,
				       shown, v.p);
		break;
	case KEY_COUNT:
		if (take_number(&v, &n) && !v.len && n >= 1 && n <= k->max)
			*(u32 *)field = (u32)n;
		else
			config_mistake(p, NULL, "%s must be 1 to %u", k->name, k->max);
		break;
	case KEY_CHOICE:
		yes = k->words + strlen(k->words) + 1;
		if (slice_is(v, yes)) {
			*(bool *)field = config_has(p, k->feature);
		} else if (!slice_is(v, k->words)) {
			config_nearest(v, k->words, &near, &distance);
			config_nearest(v, yes, &near, &distance);
			config_mistake(p, near, "%s must be %s or %s, not '%.*s'", k->name, k->words, yes,
				       shown, v.p);
		}
	}
}

static const char *section_name(u8 section)
{
	return section == SECTION_VM ? "[vm NAME]" : "[pxhv]";
}

void config_set(struct config_parser *p, struct slice name, struct slice value)
{
	const struct config_key *k, *elsewhere = NULL;
	const char *near = NULL;
	unsigned distance = 2;
	u32 bit = 1;

	for (k = config_keys; k->name; k++, bit <<= 1) {
		if (k->section == p->section) {
			if (slice_is(name, k->name))
				break;
			config_nearest(name, k->name, &near, &distance);
		} else if (slice_is(name, k->name)) {
			elsewhere = k;
		}
	}
	if (!k->name) {
		if (elsewhere)
			config_mistake(p, NULL, "key '%s' belongs into %s", elsewhere->name,
				       section_name(elsewhere->section));
		else
			config_mistake(p, near, "unknown key '%.*s'", (int)MIN(name.len, SHOWN), name.p);
		return;
	}
	if (p->seen & bit && k->type != KEY_DISK && k->type != KEY_MODULE) {
		config_mistake(p, NULL, "'%s' is given twice", k->name);
		return;
	}
	p->seen |= bit;
	if (is_guest(k)) {
		if (p->vm->kind) {
			config_mistake(p, NULL, "'%s' makes two guests in [vm %s]", k->name, p->vm->name);
			return;
		}
		p->vm->kind = k->feature;
	}
	if (k->type != KEY_CHOICE && !config_has(p, k->feature))
		return;
	set_value(p, k, value, (p->section == SECTION_VM ? (u8 *)p->vm : (u8 *)p->c) + k->offset);
}

void config_check_guest(struct config_parser *p)
{
	char list[64] = "";
	size_t len = 0;

	if (p->section != SECTION_VM || p->vm->kind)
		return;
	for (const struct config_key *k = config_keys; k->name; k++)
		if (is_guest(k) && !feature_missing(k->feature))
			len += (size_t)ksnprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
						 k->name);
	p->line = p->vm->line;
	config_mistake(p, NULL, "[vm %s] has no guest (one of %s)", p->vm->name, list);
}
