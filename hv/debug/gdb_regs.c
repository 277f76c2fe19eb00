#include "debug/gdb_regs.h"

#include "debug/regs.h"
#include "lib/printf.h"
#include "lib/string.h"

/* GDB's number as one of debug/regs.h: the 32-bit general registers are fewer, and in another order. */
static unsigned number_of(const struct gdb_target *t, unsigned n)
{
	static const u8 narrow[] = {0, 2, 3, 1, 7, 6, 4, 5, REG_PC};

	if (t->wide)
		return n;
	return n < ARRAY_SIZE(narrow) ? narrow[n] : n - ARRAY_SIZE(narrow) + REG_FLAGS;
}

unsigned gdb_reg_size(const struct gdb_target *t, unsigned n)
{
	n = number_of(t, n);
	if (n >= REG_GDB_COUNT)
		return 0;
	if (n <= REG_PC)
		return t->wide ? 8 : 4;
	return n >= REG_BASE ? 8 : n - REG_ST < 8 ? 10 : 4;
}

/* Between RIP and GDB's program counter lies the code segment's base. */
static u64 moved(const struct gdb_target *t, unsigned n, u64 val, u64 by)
{
	return number_of(t, n) == REG_PC && t->code_bits != 64 ? (u32)(val + by) : val;
}

void gdb_reg_put(const struct gdb_target *t, const struct cpu_state *s, unsigned n, struct gdb_text *out)
{
	unsigned size = gdb_reg_size(t, n), bytes;
	const void *p = reg_place(s, number_of(t, n), &bytes);
	u64 val = 0;

	if (!p) {
		while (size--)
			gdb_put(out, "xx");
		return;
	}
	memcpy(&val, p, bytes);
	val = moved(t, n, val, s->seg[SEG_CS].base);
	gdb_put_hex(out, &val, size);
}

/* A selector may be written back, as GDB does after a call, but not changed: what it stands for would not. */
bool gdb_reg_set(const struct gdb_target *t, struct cpu_state *s, unsigned n, const char **hex)
{
	unsigned bytes;
	u64 *p = reg_place(s, number_of(t, n), &bytes), val = 0;

	if (p && bytes == 8)
		val = *p; /* of which GDB may know the low half alone */
	if (!p || !gdb_bytes(hex, &val, gdb_reg_size(t, n)))
		return false;
	if (bytes == 2)
		return val == *(const u16 *)p;
	*p = moved(t, n, val, -s->seg[SEG_CS].base);
	return true;
}

/* The type of EFLAGS. The control registers have none of the kind: GDB would take no number for one of them
 * that is not as wide. */
static void put_flags(struct gdb_text *out)
{
	struct reg_bits b;
	char line[80];

	gdb_put(out, "<flags id=\"flags\" size=\"4\">");
	reg_bits_begin(&b, REG_FLAGS);
	while (reg_bits_next(&b)) {
		ksnprintf(line, sizeof(line), "<field name=\"%.*s\" start=\"%u\" end=\"%u\"/>", (int)b.len,
			  b.name, b.bit, b.bit);
		gdb_put(out, line);
	}
	gdb_put(out, "</flags>");
}

void gdb_target_xml(const struct gdb_target *t, struct gdb_text *out)
{
	unsigned size;

	gdb_put(out, "<?xml version=\"1.0\"?><target><architecture>");
	gdb_put(out, t->wide ? "i386:x86-64" : t->code_bits == 16 ? "i8086" : "i386");
	gdb_put(out, "</architecture><feature name=\"org.gnu.gdb.i386.core\">");
	put_flags(out);
	for (unsigned i = 0; (size = gdb_reg_size(t, i)); i++) {
		unsigned n = number_of(t, i);
		const char *name = reg_name(n);
		char line[80];

		if (n == REG_BASE)
			gdb_put(out, t->wide ? "</feature><feature name=\"org.gnu.gdb.i386.segments\">"
					     : "</feature><feature name=\"pxhv.bases\">");
		if (n == REG_CONTROL)
			gdb_put(out, "</feature><feature name=\"pxhv.control\">");
		ksnprintf(line, sizeof(line), "<reg name=\"%c%s\" bitsize=\"%u\" type=\"%s\"/>",
			  n == REG_FLAGS || (!t->wide && n <= REG_PC) ? 'e' : name[0], name + 1, 8 * size,
			  n == REG_FLAGS ? "flags"
			  : n == REG_PC	 ? "code_ptr"
			  : n == 7	 ? "data_ptr"
					 : nth_string("int32\0int64\0i387_ext", (size > 4) + (size > 8)));
		gdb_put(out, line);
	}
	gdb_put(out, "</feature></target>");
}
