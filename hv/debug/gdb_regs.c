#include "debug/gdb_regs.h"

#include "lib/string.h"

/* What a register is: GPRs by their number first. */
enum { PC = GPR_COUNT, FLAGS, SEG, ST = SEG + 6, X87, FS_BASE, GS_BASE, CR0, CR2, CR3, CR4, EFER, NONE };

struct reg {
	char name[8];
	u8 what;
};

static const struct reg wide_regs[] = {
	{"rax", RAX}, {"rbx", RBX}, {"rcx", RCX}, {"rdx", RDX}, {"rsi", RSI}, {"rdi", RDI},
	{"rbp", RBP}, {"rsp", RSP}, {"r8", R8},	  {"r9", R9},	{"r10", R10}, {"r11", R11},
	{"r12", R12}, {"r13", R13}, {"r14", R14}, {"r15", R15}, {"rip", PC},
};

static const struct reg narrow_regs[] = {
	{"eax", RAX}, {"ecx", RCX}, {"edx", RDX}, {"ebx", RBX}, {"esp", RSP},
	{"ebp", RBP}, {"esi", RSI}, {"edi", RDI}, {"eip", PC},
};

static const struct reg common_regs[] = {
	{"eflags", FLAGS},    {"cs", SEG + SEG_CS}, {"ss", SEG + SEG_SS}, {"ds", SEG + SEG_DS},
	{"es", SEG + SEG_ES}, {"fs", SEG + SEG_FS}, {"gs", SEG + SEG_GS}, {"st0", ST},
	{"st1", ST},	      {"st2", ST},	    {"st3", ST},	  {"st4", ST},
	{"st5", ST},	      {"st6", ST},	    {"st7", ST},	  {"fctrl", X87},
	{"fstat", X87},	      {"ftag", X87},	    {"fiseg", X87},	  {"fioff", X87},
	{"foseg", X87},	      {"fooff", X87},	    {"fop", X87},	  {"fs_base", FS_BASE},
	{"gs_base", GS_BASE}, /* a feature of their own in 64 bits */
	{"cr0", CR0},	      {"cr2", CR2},	    {"cr3", CR3},	  {"cr4", CR4},
	{"efer", EFER},
};

static const struct reg *find(const struct gdb_target *t, unsigned n)
{
	const struct reg *r = t->wide ? wide_regs : narrow_regs;
	unsigned count = t->wide ? ARRAY_SIZE(wide_regs) : ARRAY_SIZE(narrow_regs);

	if (n < count)
		return r + n;
	n -= count;
	return n < ARRAY_SIZE(common_regs) ? common_regs + n : NULL;
}

static unsigned size_of(const struct gdb_target *t, const struct reg *r)
{
	if (r->what <= PC)
		return t->wide ? 8 : 4;
	if (r->what >= FS_BASE)
		return 8;
	return r->what == ST ? 10 : 4;
}

unsigned gdb_reg_size(const struct gdb_target *t, unsigned n)
{
	const struct reg *r = find(t, n);

	return r ? size_of(t, r) : 0;
}

/* Where r is in s; NULL for what is not simply there. */
static u64 *place(const struct reg *r, struct cpu_state *s)
{
	switch (r->what) {
	case PC:
		return &s->rip;
	case FLAGS:
		return &s->rflags;
	case FS_BASE:
		return &s->seg[SEG_FS].base;
	case GS_BASE:
		return &s->seg[SEG_GS].base;
	case CR0:
		return &s->cr0;
	case CR2:
		return &s->cr2;
	case CR3:
		return &s->cr3;
	case CR4:
		return &s->cr4;
	case EFER:
		return &s->efer;
	default:
		return r->what < GPR_COUNT ? &s->gpr[r->what] : NULL;
	}
}

static u64 code_base(const struct gdb_target *t, const struct cpu_state *s)
{
	return t->code_bits == 64 ? 0 : s->seg[SEG_CS].base;
}

void gdb_reg_put(const struct gdb_target *t, const struct cpu_state *s, unsigned n, struct gdb_text *out)
{
	const struct reg *r = find(t, n);
	const u64 *p = r ? place(r, (struct cpu_state *)s) : NULL;
	u64 val;

	if (!r)
		return;
	if (r->what >= SEG && r->what < ST) {
		val = s->seg[r->what - SEG].selector;
	} else if (p) {
		val = *p;
	} else {
		for (unsigned i = 2 * size_of(t, r); i; i--)
			gdb_put(out, "x");
		return;
	}
	if (r->what == PC && t->code_bits != 64)
		val = (u32)(val + code_base(t, s));
	gdb_put_hex(out, &val, size_of(t, r));
}

/* A selector may be written back, as GDB does after a call, but not changed: what it stands for would not. */
bool gdb_reg_set(const struct gdb_target *t, struct cpu_state *s, unsigned n, const char **hex)
{
	const struct reg *r = find(t, n);
	u64 *p = r ? place(r, s) : NULL, val = 0;

	if (!r || size_of(t, r) > sizeof(val) || !gdb_bytes(hex, &val, size_of(t, r)))
		return false;
	if (r->what >= SEG && r->what < ST)
		return val == s->seg[r->what - SEG].selector;
	if (!p)
		return false;
	if (r->what == PC && t->code_bits != 64)
		val = (u32)(val - code_base(t, s));
	*p = val;
	return true;
}

/* A window on a text that is longer than a packet. */
struct window {
	u64 at, from, to;
	struct gdb_text *out;
};

static void add(struct window *w, const char *s)
{
	for (; *s; s++, w->at++)
		if (w->at >= w->from && w->at < w->to)
			gdb_put_bytes(w->out, s, 1);
}

static void add_reg(struct window *w, const struct gdb_target *t, const struct reg *r)
{
	unsigned size = size_of(t, r);

	add(w, "<reg name=\"");
	add(w, r->name);
	add(w, size == 8   ? "\" bitsize=\"64\" type=\""
	       : size == 4 ? "\" bitsize=\"32\" type=\""
			   : "\" bitsize=\"80\" type=\"");
	add(w, r->what == PC ? "code_ptr" : r->what == RSP ? "data_ptr" : size == 10 ? "i387_ext" : "int");
	if (size != 10 && r->what != PC && r->what != RSP)
		add(w, size == 8 ? "64" : "32");
	add(w, "\"/>");
}

u64 gdb_target_xml(const struct gdb_target *t, u64 offset, u64 len, struct gdb_text *out)
{
	struct window w = {.from = offset, .to = offset + MIN(len, (u64)GDB_PACKET_MAX), .out = out};
	const struct reg *r;

	if (w.to < offset)
		w.to = offset;
	add(&w, "<?xml version=\"1.0\"?><target><architecture>");
	add(&w, t->wide ? "i386:x86-64" : t->code_bits == 16 ? "i8086" : "i386");
	add(&w, "</architecture><feature name=\"org.gnu.gdb.i386.core\">");
	for (unsigned n = 0; (r = find(t, n)); n++) {
		if (r->what == FS_BASE)
			add(&w, t->wide ? "</feature><feature name=\"org.gnu.gdb.i386.segments\">"
					: "</feature><feature name=\"pxhv.bases\">");
		if (r->what == CR0)
			add(&w, "</feature><feature name=\"pxhv.control\">");
		add_reg(&w, t, r);
	}
	add(&w, "</feature></target>");
	return w.at;
}
