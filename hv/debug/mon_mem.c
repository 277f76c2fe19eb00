/* The guest's memory: bytes, instructions, and the walks that find them. */
#include "debug/disasm.h"
#include "debug/gdb_internal.h"
#include "debug/mon.h"
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/decode.h"

#define ULL(x)	  ((unsigned long long)(x))
#define ROW	  16
#define COUNT_MAX 4096

struct format {
	char letter; /* x d u c s i */
	u8 size;
	u32 count;
};

/* The memory at addr, linear or physical. */
static int read(const struct mon *m, bool physical, u64 addr, void *buf, u64 len)
{
	return physical ? guest_read(m->vm, addr, buf, len) : gdb_memory_read(m->v, addr, buf, len);
}

/* n instructions from addr on. */
static void show_code(const struct mon *m, bool physical, u64 addr, u32 n)
{
	unsigned bits = vcpu_code_bits(m->v), avail, len;
	char text[72] = "", hex[2 * INSN_MAX + 1];
	u8 code[INSN_MAX];

	for (; n--; addr += len) {
		for (avail = 0; avail < sizeof(code) && !read(m, physical, addr + avail, code + avail, 1);
		     avail++)
			;
		if (!avail) {
			say(m, "%08llx: not mapped\n", ULL(addr));
			return;
		}
		/* Without a disassembler there are the bytes, a row at a time. */
		len = disassemble ? disassemble(code, avail, bits, addr, text, sizeof(text)) : avail;
		for (unsigned i = 0; i < len; i++)
			ksnprintf(hex + 2 * i, 3, "%02x", code[i]);
		say(m, "%08llx: %-20s %s\n", ULL(addr), hex, text);
	}
}

void mon_code(const struct mon *m, unsigned n)
{
	show_code(m, false, gdb_pc(m->v), n);
}

static bool is_text(const struct format *f)
{
	return f->letter == 'c' || f->letter == 's';
}

static void show_item(const struct mon *m, const struct format *f, u64 val)
{
	unsigned unused = 64 - 8 * f->size;

	if (f->letter == 'd')
		say(m, " %lld", (long long)(val << unused) >> unused);
	else if (f->letter == 'u')
		say(m, " %llu", ULL(val));
	else
		say(m, " %0*llx", 2 * f->size, ULL(val));
}

static void dump(const struct mon *m, const struct format *f, bool physical, u64 addr)
{
	bool text = is_text(f);
	unsigned row = text ? 4 * ROW : ROW / f->size;

	for (u32 i = 0; i < f->count; i++, addr += f->size) {
		u64 val = 0;
		bool ok = !read(m, physical, addr, &val, f->size);

		if (i % row == 0 || !ok)
			say(m, "%s%08llx:", i ? "\n" : "", ULL(addr));
		if (!ok) {
			say(m, physical ? " no RAM\n" : " not mapped\n");
			return;
		}
		if (f->letter == 's' && !val)
			break;
		if (text)
			say(m, "%c", val >= ' ' && val < 0x7F ? (char)val : '.');
		else
			show_item(m, f, val);
	}
	say(m, "\n");
}

void mon_stack(const struct mon *m)
{
	unsigned bits = vcpu_code_bits(m->v);
	struct format f = {'x', (u8)(bits / 8), 512 / bits};

	say(m, "stack:\n");
	dump(m, &f, false, gdb_sp(m->v));
}

/* "/NFU", each part as it likes: 0, or -EINVAL. */
static int parse_format(const char *s, struct format *f)
{
	static const char units[] = "bhwg";

	*f = (struct format){'x', 4, 0};
	for (; *s; s++) {
		const char *unit = strchr(units, *s);

		if (*s >= '0' && *s <= '9' && f->count <= COUNT_MAX)
			f->count = f->count * 10 + (u32)(*s - '0');
		else if (unit)
			f->size = (u8)BIT(unit - units);
		else if (strchr("xducsi", *s))
			f->letter = *s;
		else
			return -EINVAL;
	}
	if (is_text(f))
		f->size = 1;
	if (!f->count)
		f->count = f->letter == 's' ? 256 : 1;
	return f->count <= COUNT_MAX ? 0 : -EINVAL;
}

bool mon_address(const struct mon *m, unsigned i, u64 *addr)
{
	const char *name;

	if (i >= m->argc) {
		say(m, "an address is missing\n");
		return false;
	}
	if (!mon_value(m, i, 0, addr))
		return false;
	/* Outside 64-bit code these two count from their segments. */
	name = m->argv[i] + (*m->argv[i] == '$');
	if (m->v && !strncmp(name, "rip", 3))
		*addr += gdb_pc(m->v) - m->v->rip;
	else if (m->v && !strncmp(name, "rsp", 3))
		*addr += gdb_sp(m->v) - m->v->ops->get(m->v, VREG_RSP);
	return true;
}

static void examine(struct mon *m, bool physical)
{
	const char *slash = strchr(m->argv[0], '/');
	unsigned at = 1;
	struct format f;
	u64 addr;

	if (!slash && m->argc > 1 && *m->argv[1] == '/')
		slash = m->argv[at++];
	if (parse_format(slash ? slash + 1 : "", &f)) {
		say(m, "the format is /N (to 4096), one of x d u c s i, one of b h w g\n");
		return;
	}
	if (!mon_address(m, at, &addr))
		return;
	if (f.letter == 'i')
		show_code(m, physical, addr, f.count);
	else
		dump(m, &f, physical, addr);
}

void mon_x(struct mon *m)
{
	return examine(m, false);
}

void mon_xp(struct mon *m)
{
	return examine(m, true);
}

void mon_disas(struct mon *m)
{
	u64 addr, n;

	addr = gdb_pc(m->v);
	if ((m->argc > 1 && !mon_address(m, 1, &addr)) || !mon_value(m, 2, 8, &n))
		return;
	show_code(m, false, addr, (u32)MIN(n, (u64)COUNT_MAX));
}
