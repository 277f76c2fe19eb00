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
#define CHOICE(w)   .type = KEY_CHOICE, .max = (w)
#define TEXT(f)	    VM(f), .type = KEY_TEXT, .max = sizeof(((struct vm_config *)0)->f)
#define TAKES(what) .feature = (what)
#define FOR(kinds)  .guests = (kinds)

/* What false and true are called. */
enum { NO_YES, SERIAL_VGA, STOP_RESTART, NONE_COM2 };
static const char words[][2][8] = {{"no", "yes"}, {"serial", "vga"}, {"stop", "restart"}, {"none", "com2"}};

const struct config_key config_keys[] = {
	{"quiet", PXHV(quiet), CHOICE(NO_YES)},
	{"headless", PXHV(headless), CHOICE(NO_YES)},
	{"kernel", TEXT(image), TAKES(GUEST_LINUX)},
	{"multiboot", TEXT(image), TAKES(GUEST_MULTIBOOT)},
	{"flat", VM(image), .type = KEY_FLAT, .max = CONFIG_PATH_MAX, TAKES(GUEST_FLAT)},
	{"firmware", TEXT(image), TAKES(GUEST_FIRMWARE)},
	{"initrd", TEXT(initrd), FOR(BIT(GUEST_LINUX))},
	{"vgabios", TEXT(vgabios), FOR(BIT(GUEST_FIRMWARE))},
	{"floppy", TEXT(floppy), FOR(BIT(GUEST_FIRMWARE))},
	{"disk", VM(disks), .type = KEY_DISK, TAKES(FEATURE_DISKS)},
	{"cmdline", TEXT(cmdline), FOR(BIT(GUEST_LINUX) | BIT(GUEST_MULTIBOOT) | BIT(GUEST_FLAT))},
	{"module", VM(modules), .type = KEY_MODULE, .max = CONFIG_PATH_MAX, FOR(BIT(GUEST_MULTIBOOT))},
	{"memory", VM(memory), .type = KEY_SIZE},
	{"cpus", VM(cpus), .type = KEY_COUNT, .max = CONFIG_MAX_CPUS},
	{"trace", VM(trace), .type = KEY_SIZE, TAKES(FEATURE_TRACE)},
	{"trace-insns", VM(trace_insns), .type = KEY_COUNT, .max = 65535, TAKES(FEATURE_TRACE)},
	{"console", VM(console_vga), CHOICE(SERIAL_VGA), TAKES(FEATURE_VGA)},
	{"debug-exit", VM(debug_exit), CHOICE(NO_YES)},
	{"on-crash", VM(restart_on_crash), CHOICE(STOP_RESTART)},
	{"gdb", VM(gdb), CHOICE(NONE_COM2), TAKES(FEATURE_GDB)},
	{.name = ""},
};

bool config_has(struct config_parser *p, u8 feature)
{
	const char *missing = feature_missing(feature);

	if (missing)
		config_mistake(p, "this pxHV was built without '%s'", missing);
	return !missing;
}

/* Edits (a character more, less or other, or two neighbours swapped) from a, without regard to its case, to
 * b; 255 for long words. */
static unsigned edit_distance(const char *a, const char *b)
{
	u8 rows[3][16];
	size_t a_len = strlen(a), len = strlen(b);

	if (a_len > 15 || len > 15)
		return 255;
	for (size_t i = 0; i <= a_len; i++) {
		u8 *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		for (size_t j = 0; j <= len; j++) {
			unsigned d;

			if (!i || !j) {
				row[j] = (u8)(i + j);
				continue;
			}
			d = above[j - 1] + (lower(a[i - 1]) != b[j - 1]);
			d = MIN(d, MIN(above[j], row[j - 1]) + 1u);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = MIN(d, above2[j - 2] + 1u);
			row[j] = (u8)d;
		}
	}
	return rows[a_len % 3][len];
}

void config_nearest(struct config_parser *p, const char *word, const char *candidate)
{
	unsigned d = edit_distance(word, candidate);

	/* A distance of the whole word says nothing. */
	if (d < strlen(candidate) && d < strlen(word) && d < p->distance + !p->near) {
		p->near = candidate;
		p->distance = d;
	}
}

/* Reads a decimal or 0x number at the start of *s and moves past it. False: none, or above 64 bits. */
static bool take_number(const char **s, u64 *out)
{
	unsigned base = 10;
	const char *start;
	u64 n = 0;

	if ((*s)[0] == '0' && lower((*s)[1]) == 'x') {
		base = 16;
		*s += 2;
	}
	for (start = *s;; (*s)++) {
		char c = lower(**s);
		unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;

		if (digit >= base)
			break;
		if (n > (~0ULL - digit) / base)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return *s != start;
}

static bool parse_size(const char *s, u64 *out)
{
	static const char suffixes[] = "kmg";
	const char *suffix;
	unsigned shift = 0;
	u64 n;

	if (!take_number(&s, &n))
		return false;
	if (*s && (suffix = strchr(suffixes, lower(*s)))) {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		s++;
	}
	if (*s || n > MEMORY_MAX >> shift)
		return false;
	n <<= shift;
	if (n < MEMORY_MIN || n % PAGE_SIZE)
		return false;
	*out = n;
	return true;
}

static bool is_guest(const struct config_key *k)
{
	return k->feature && k->feature < GUEST_KINDS;
}

static void set_text(struct config_parser *p, const struct config_key *k, const char *v, char *field)
{
	size_t len = strlen(v);

	if (!len && (is_guest(k) || k->type == KEY_MODULE))
		config_mistake(p, "%s needs the name of a file", k->name);
	else if (len >= k->max)
		config_mistake(p, "%s is too long (%zu characters, at most %u)", k->name, len, k->max - 1);
	else
		memcpy(field, v, len + 1);
}

static void set_flat(struct config_parser *p, const struct config_key *k, char *v)
{
	char *at = v + strlen(v);
	const char *rest;
	u64 addr;

	while (at > v && *at != '@')
		at--;
	rest = at + 1;
	if (at == v || !take_number(&rest, &addr) || (strcmp(rest, ":16") && strcmp(rest, ":64"))) {
		config_mistake(p, "%s must be FILE@ADDR:16 or FILE@ADDR:64, not '%.40s'", k->name, v);
		return;
	}
	p->vm->flat_addr = addr;
	p->vm->flat_bits = rest[1] == '1' ? 16 : 64;
	*at = 0;
	if (p->vm->flat_bits == 16 && addr > REAL_MODE_MAX)
		config_mistake(p, "a 16-bit image must lie below 0x10000, not at 0x%lx", addr);
	else
		set_text(p, k, v, p->vm->image);
}

static void set_choice(struct config_parser *p, const struct config_key *k, const char *v, bool *field)
{
	const char *no = words[k->max][0], *yes = words[k->max][1];

	if (!strcmp(v, yes)) {
		*field = config_has(p, k->feature);
	} else if (strcmp(v, no)) {
		config_nearest(p, v, no);
		config_nearest(p, v, yes);
		config_mistake(p, "%s must be %s or %s, not '%.40s'", k->name, no, yes, v);
	}
}

static void set_value(struct config_parser *p, const struct config_key *k, char *v, void *field)
{
	const char *end = v;
	u64 n;

	switch (k->type) {
	case KEY_TEXT:
		set_text(p, k, v, field);
		break;
	case KEY_MODULE:
		if (p->vm->module_count == MODULES_MAX)
			config_mistake(p, "more than %u modules", MODULES_MAX);
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
		if (!parse_size(v, field))
			config_mistake(p, "%s must be 1M to 1024G in steps of 4K, not '%.40s'", k->name, v);
		break;
	case KEY_COUNT:
		if (take_number(&end, &n) && !*end && n >= 1 && n <= k->max)
			*(u32 *)field = (u32)n;
		else
			config_mistake(p, "%s must be 1 to %u", k->name, k->max);
		break;
	case KEY_CHOICE:
		set_choice(p, k, v, field);
	}
}

/* The key was none of this section's. */
static void refuse_key(struct config_parser *p, const char *name)
{
	for (const struct config_key *k = config_keys; *k->name; k++) {
		if (k->section == p->section) {
			config_nearest(p, name, k->name);
		} else if (!strcmp(name, k->name)) {
			p->near = NULL;
			config_mistake(p, "key '%s' belongs into %s", name,
				       k->section == SECTION_VM ? "[vm NAME]" : "[pxhv]");
			return;
		}
	}
	config_mistake(p, "unknown key '%.40s'", name);
}

void config_set(struct config_parser *p, const char *name, char *value)
{
	const struct config_key *k = config_keys;
	u32 bit;

	while (*k->name && (k->section != p->section || strcmp(name, k->name)))
		k++;
	if (!*k->name) {
		refuse_key(p, name);
		return;
	}
	bit = (u32)BIT(k - config_keys);
	if (p->seen & bit && k->type != KEY_DISK && k->type != KEY_MODULE) {
		config_mistake(p, "'%s' is given twice", name);
		return;
	}
	p->seen |= bit;
	if (is_guest(k)) {
		if (p->vm->kind) {
			config_mistake(p, "'%s' makes two guests in [vm %s]", name, p->vm->name);
			return;
		}
		p->vm->kind = k->feature;
	}
	if (k->type == KEY_CHOICE || config_has(p, k->feature))
		set_value(p, k, value, (p->section == SECTION_VM ? (u8 *)p->vm : (u8 *)p->c) + k->offset);
}

static void no_guest(struct config_parser *p)
{
	char list[64] = "";
	size_t len = 0;

	for (const struct config_key *k = config_keys; *k->name; k++)
		if (is_guest(k) && !feature_missing(k->feature))
			len += (size_t)ksnprintf(list + len, sizeof(list) - len, len ? ", %s" : "%s",
						 k->name);
	config_mistake(p, "[vm %s] has no guest (one of %s)", p->vm->name, list);
}

static void check_keys(struct config_parser *p)
{
	const struct vm_config *vm = p->vm;
	const struct config_key *guest = config_keys;

	while (guest->feature != vm->kind)
		guest++;
	for (const struct config_key *k = config_keys; *k->name; k++)
		if (p->seen & BIT(k - config_keys) && k->guests && !(k->guests & BIT(vm->kind)))
			config_mistake(p, "[vm %s]: '%s' means nothing to '%s'", vm->name, k->name,
				       guest->name);
	if (vm->trace_insns && !vm->trace)
		config_mistake(p, "[vm %s]: 'trace-insns' goes with 'trace'", vm->name);
}

void config_check_guest(struct config_parser *p)
{
	unsigned line = p->line;

	if (p->section != SECTION_VM)
		return;
	p->line = p->vm->line;
	if (p->vm->kind)
		check_keys(p);
	else
		no_guest(p);
	p->line = line;
}
