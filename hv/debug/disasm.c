/* A small disassembler: the lengths come from vm/decode.c, the names from disasm_names.c. It knows what
 * kernels are made of; x87, MMX, SSE and AVX appear as opcodes. */
#include "debug/disasm.h"

#include <stdarg.h>

#include "debug/disasm_names.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/vcpu.h"

struct text {
	char *buf;
	size_t size, len;
};

static __printf(2, 3) void put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->len += (size_t)kvsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	t->len = MIN(t->len, t->size - 1);
}

static void put_char(struct text *t, char c)
{
	put(t, "%c", c);
}

struct operands {
	const struct insn *i;
	const u8 *modrm; /* in the code, SIB and displacement behind it */
	unsigned bits, size;
	u64 next; /* RIP behind the instruction */
};

static const char regs[8][3] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
static const char segs[8][3] = {"es", "cs", "ss", "ds", "fs", "gs", "?", "?"};

static void put_reg(struct text *t, unsigned n, unsigned size, bool rex)
{
	static const char suffix[] = "\0bw\0d";

	if (n >= 8)
		put(t, "r%u%.1s", n, size == 8 ? "" : suffix + size);
	else if (size == 1 && !rex && n >= 4)
		put(t, "%ch", regs[n & 3][0]);
	else if (size == 1)
		put(t, n < 4 ? "%.1sl" : "%sl", regs[n]);
	else
		put(t, "%s%s", size == 8 ? "r" : size == 4 ? "e" : "", regs[n]);
}

static void put_signed(struct text *t, s64 v, bool plus)
{
	put(t, "%s%#llx", v < 0 ? "-" : plus ? "+" : "", (unsigned long long)(v < 0 ? -(u64)v : (u64)v));
}

static s64 displacement(const u8 *p, unsigned n)
{
	s64 v = n ? (s8)p[n - 1] : 0;

	for (unsigned k = n; k > 1; k--)
		v = (s64)((u64)v << 8 | p[k - 2]);
	return v;
}

static void put_memory16(struct text *t, const struct operands *o)
{
	static const char bases[8][6] = {"bx+si", "bx+di", "bp+si", "bp+di", "si", "di", "bp", "bx"};
	unsigned mod = *o->modrm >> 6, rm = *o->modrm & 7;

	if (mod == 0 && rm == 6) {
		put(t, "%#x", (u16)displacement(o->modrm + 1, 2));
		return;
	}
	put(t, "%s", bases[rm]);
	if (mod)
		put_signed(t, displacement(o->modrm + 1, mod), true);
}

static void put_memory(struct text *t, const struct operands *o)
{
	const u8 *p = o->modrm + 1;
	unsigned mod = *o->modrm >> 6, rm = *o->modrm & 7, size = o->i->addr_size;
	unsigned n = mod == 1 ? 1 : mod == 2 ? 4 : 0, index = 4, scale = 0;
	bool base;

	if (rm == 4) {
		scale = 1U << (*p >> 6);
		index = (*p >> 3 & 7) | (o->i->rex & 2) << 2;
		rm = *p++ & 7;
	}
	base = mod || rm != 5;
	if (!base)
		n = 4;
	if (!base && !scale && o->bits == 64) {
		u64 addr = o->next + (u64)displacement(p, 4); /* RIP-relative */

		put(t, "%#llx", (unsigned long long)addr);
		return;
	}
	if (base)
		put_reg(t, rm | (o->i->rex & 1) << 3, size, true);
	if (scale && index != 4) {
		put(t, base ? "+" : "");
		put_reg(t, index, size, true);
		put(t, "*%u", scale);
	} else if (!base) {
		put(t, "%#llx",
		    o->bits == 64 ? (unsigned long long)displacement(p, 4) : (u32)displacement(p, 4));
		return;
	}
	if (n)
		put_signed(t, displacement(p, n), true);
}

static void put_rm(struct text *t, const struct operands *o, unsigned size)
{
	static const char names[9][7] = {"", "byte ", "word ", "", "dword ", "", "", "", "qword "};

	if (*o->modrm >= 0xC0) {
		put_reg(t, insn_rm(o->i), size ? size : o->bits / 8, o->i->rex);
		return;
	}
	put(t, "%s[", names[size]);
	if (o->i->seg != SEG_DS)
		put(t, "%s:", segs[o->i->seg]);
	if (o->i->addr_size == 2)
		put_memory16(t, o);
	else
		put_memory(t, o);
	put(t, "]");
}

static void put_immediate(struct text *t, const struct operands *o)
{
	s64 v = (s64)o->i->imm;

	if (v < 0 && v > -0x10000)
		put_signed(t, v, false);
	else
		put(t, "%#llx",
		    (unsigned long long)(o->size == 8 ? (u64)v : (u64)v & (BIT(8 * o->size) - 1)));
}

static void put_operand(struct text *t, const struct operands *o, char kind)
{
	const struct insn *i = o->i;

	switch (kind) {
	case 'E':
		put_rm(t, o, o->size);
		break;
	case '8':
	case '6':
	case '4':
		put_rm(t, o, kind == '8' ? 1 : kind == '6' ? 2 : 4);
		break;
	case 'M':
		put_rm(t, o, 0);
		break;
	case 'G':
		put_reg(t, insn_reg(i), o->size, i->rex);
		break;
	case 'Z':
		put_reg(t, (i->opcode & 7) | (i->rex & 1U) << 3, o->size, i->rex);
		break;
	case 'A':
		put_reg(t, 0, o->size, true);
		break;
	case 'T':
	case 'U':
		put(t, kind == 'T' ? "dx" : "cl");
		break;
	case 'I':
		put_immediate(t, o);
		break;
	case 'P':
		put(t, "%#x", (u8)i->imm);
		break;
	case 'W':
		put(t, "%#x", (u16)i->imm);
		break;
	case 'J':
		put(t, "%#llx",
		    (unsigned long long)(o->bits == 64 ? o->next + i->imm : (u32)(o->next + i->imm)));
		break;
	case 'X': /* selector:offset */
		put(t, "%#x:%#x", (u16)displacement(o->modrm + o->size, 2),
		    (u32)displacement(o->modrm, o->size) & (u32)(BIT(8 * o->size) - 1));
		break;
	case 'O':
		put(t, "[%s%s%#llx]", i->seg == SEG_DS ? "" : segs[i->seg], i->seg == SEG_DS ? "" : ":",
		    (unsigned long long)i->imm);
		break;
	case 'S':
		put(t, "%s", segs[insn_reg(i) & 7]);
		break;
	case 'C':
	case 'D':
		put(t, "%cr%u", kind | 0x20, insn_reg(i));
		break;
	default: /* punctuation, and names of registers */
		put_char(t, kind);
	}
}

/* The n-th of the alternatives from s to their closing bracket, which is returned. */
static const char *choose(struct text *t, const char *s, unsigned n)
{
	char close = *s == '{' ? '}' : *s == '<' ? '>' : ')';

	for (s++; *s != close; s++) {
		if (*s == ',')
			n--;
		else if (!n)
			put_char(t, *s);
	}
	return s;
}

static void put_opcode(struct text *t, const struct insn *i)
{
	put(t, "(%s%02x)", i->map ? "0f " : "", i->opcode);
}

/* The text s for the nth of its opcodes. */
static void write(struct text *t, const struct operands *o, const char *s, unsigned n)
{
	size_t before;
	bool name = true;

	if (o->i->lock)
		put(t, "lock ");
	before = t->len;
	for (; *s; s++) {
		if (!name)
			put_operand(t, o, *s);
		else if (*s == '{')
			s = choose(t, s, insn_reg(o->i) & 7);
		else if (*s == '<')
			s = choose(t, s, n);
		else if (*s == '(')
			s = choose(t, s, o->i->op_size / 4);
		else if (*s == '^')
			choose(t, ALU, o->i->opcode >> 3);
		else if (*s == '&')
			choose(t, CC, o->i->opcode & 15);
		else if (*s == '@')
			choose(t, SHIFTS, insn_reg(o->i) & 7);
		else if (*s == '%')
			put_char(t, "bw\0d\0\0\0q"[o->size - 1]);
		else
			put_char(t, *s);
		name &= *s != ' ';
		if (t->len == before + !name) { /* an alternative without a name */
			t->len = before;
			put_opcode(t, o->i);
			return;
		}
	}
	if (o->i->map == MAP_1 && (o->i->opcode & 0xFE) == 0xF6 && (o->i->modrm & 0x38) < 0x10) {
		put(t, ",");
		put_immediate(t, o);
	}
}

/* Stack and control-register instructions have their own idea of the operand size in 64-bit code. */
static unsigned size_of(const struct insn *i, unsigned bits)
{
	bool stack = i->map == MAP_1 && ((i->opcode & 0xF0) == 0x50 || i->opcode == 0x8F ||
					 (i->opcode == 0xFF && insn_reg(i) % 8 > 1));

	if (i->map == MAP_0F && ((i->opcode & 0xFC) == 0x20 || (i->opcode & 0xFE) == 0x78))
		return bits == 64 ? 8 : 4;
	return stack && bits == 64 && i->op_size == 4 ? 8 : i->op_size;
}

static const char *repeat_of(const struct insn *i)
{
	bool string = i->map == MAP_1 && ((i->opcode & 0xFC) == 0x6C || (i->opcode & 0xF4) == 0xA4 ||
					  (i->opcode & 0xFE) == 0xAA);

	return !string || !i->rep ? "" : i->rep == 0xF2 ? "repne " : "rep ";
}

unsigned disassemble(const u8 *bytes, size_t avail, unsigned bits, u64 rip, char *buf, size_t size)
{
	struct text t = {buf, size, 0};
	struct insn i;
	const char *s;
	unsigned n = 0;

	buf[0] = 0;
	if (decode_insn(bytes, avail, bits, &i)) {
		put(&t, "(bad)");
		return 1;
	}
	s = disasm_text(&i, &n);
	if (i.rep == 0xF3 && i.map == MAP_0F && i.opcode == 0x1E && i.modrm == 0xFA) {
		put(&t, "endbr64");
	} else if (i.rep == 0xF3 && i.map == MAP_1 && i.opcode == 0x90) {
		put(&t, "pause");
	} else if (s) {
		struct operands o = {&i, bytes + i.args, bits, size_of(&i, bits), rip + i.len};

		put(&t, "%s", repeat_of(&i));
		write(&t, &o, s, n);
	} else {
		put_opcode(&t, &i);
	}
	return i.len;
}
