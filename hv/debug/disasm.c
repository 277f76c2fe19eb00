/* A small disassembler: the lengths come from vm/decode.c, the names from one table. It knows what kernels
 * are made of; x87, MMX, SSE and AVX appear as opcodes. */
#include "debug/disasm.h"

#include <stdarg.h>

#include "lib/printf.h"
#include "lib/string.h"
#include "vm/decode.h"
#include "vm/vcpu.h"

/* Each entry: first and last opcode (of the groups: ModRM), a text, a zero; END is one of none. In a map the
 * first that fits counts. In the text {a,b,..} chooses by ModRM.reg, <a,b,..> by the opcode less the first,
 * (a,b,c) by the operand size 2, 4, 8, & among CC, @ among SHIFTS, ^ among ALU; and behind the blank that
 * ends the name stand operands: E rm, 8 6 4 its byte, word and dword forms, M memory without a size, G reg, Z
 * register of the opcode, T DX, A accumulator, U CL, 1 itself, I immediate, P unsigned byte, J branch target,
 * O offset, X far pointer, S C D segment, control, debug register. */
#define ALU    "{add,or,adc,sbb,and,sub,xor,cmp}"
#define CC     "<o,no,b,nb,z,nz,be,a,s,ns,p,np,l,ge,le,g>"
#define END    "\xff\0"
#define SHIFTS "{rol,ror,rcl,rcr,shl,shr,sal,sar}"
/* clang-format off */
static const char one_byte[] =
	"\x27\x27" "daa\0" "\x2f\x2f" "das\0" "\x37\x37" "aaa\0" "\x3f\x3f" "aas\0"
	"\x06\x07" "<push,pop> es\0" "\x0e\x0e" "push cs\0" "\x16\x17" "<push,pop> ss\0"
	"\x1e\x1f" "<push,pop> ds\0" "\x40\x47" "inc Z\0" "\x48\x4f" "dec Z\0" "\x50\x57" "push Z\0"
	"\x58\x5f" "pop Z\0" "\x60\x61" "<pusha,popa>\0" "\x62\x62" "bound G,M\0" "\x63\x63" "movsxd G,4\0"
	"\x68\x68" "push I\0" "\x69\x69" "imul G,E,I\0" "\x6a\x6a" "push I\0" "\x6b\x6b" "imul G,E,I\0"
	"\x6c\x6d" "ins%\0" "\x6e\x6f" "outs%\0" "\x70\x7f" "j& J\0" "\x80\x83" ALU " E,I\0"
	"\x84\x85" "test E,G\0" "\x86\x87" "xchg E,G\0" "\x88\x89" "mov E,G\0" "\x8a\x8b" "mov G,E\0"
	"\x8c\x8c" "mov E,S\0" "\x8d\x8d" "lea G,M\0" "\x8e\x8e" "mov S,6\0" "\x8f\x8f" "pop E\0"
	"\x90\x90" "nop\0" "\x91\x97" "xchg A,Z\0" "\x98\x98" "(cbw,cwde,cdqe)\0"
	"\x99\x99" "(cwd,cdq,cqo)\0" "\x9a\x9a" "callf X\0" "\x9b\x9b" "fwait\0"
	"\x9c\x9f" "<pushf,popf,sahf,lahf>\0" "\xa0\xa1" "mov A,O\0" "\xa2\xa3" "mov O,A\0"
	"\xa4\xa5" "movs%\0" "\xa6\xa7" "cmps%\0" "\xa8\xa9" "test A,I\0" "\xaa\xab" "stos%\0"
	"\xac\xad" "lods%\0" "\xae\xaf" "scas%\0" "\xb0\xbf" "mov Z,I\0" "\xc0\xc1" "@ E,I\0"
	"\xc2\xc2" "ret W\0" "\xc3\xc3" "ret\0" "\xc4\xc5" "<les,lds> G,M\0" "\xc6\xc7" "mov E,I\0"
	"\xc8\xc9" "<enter,leave>\0" "\xca\xca" "retf W\0" "\xcb\xcc" "<retf,int3>\0" "\xcd\xcd" "int P\0"
	"\xce\xcf" "<into,iret>\0" "\xd0\xd1" "@ E,1\0" "\xd2\xd3" "@ E,U\0" "\xd4\xd5" "<aam,aad> P\0"
	"\xd7\xd7" "xlat\0" "\xe0\xe3" "<loopne,loope,loop,jcxz> J\0" "\xe4\xe5" "in A,P\0"
	"\xe6\xe7" "out P,A\0" "\xe8\xe9" "<call,jmp> J\0" "\xea\xea" "jmpf X\0" "\xeb\xeb" "jmp J\0"
	"\xec\xed" "in A,T\0" "\xee\xef" "out T,A\0" "\xf1\xf5" "<int1,,,hlt,cmc>\0"
	"\xf6\xf7" "{test,test,not,neg,mul,imul,div,idiv} E\0" "\xf8\xfd" "<clc,stc,cli,sti,cld,std>\0"
	"\xfe\xff" "{inc,dec,call,callf,jmp,jmpf,push,} E\0" END;
static const char two_bytes[] =
	"\x00\x00" "{sldt,str,lldt,ltr,verr,verw,,} 6\0"
	"\x01\x01" "{sgdt,sidt,lgdt,lidt,smsw,,lmsw,invlpg} M\0" "\x02\x03" "<lar,lsl> G,6\0"
	"\x05\x09" "<syscall,clts,sysret,invd,wbinvd>\0" "\x0b\x0b" "ud2\0"
	"\x18\x18" "{prefetchnta,prefetcht0,prefetcht1,prefetcht2} M\0" "\x18\x1f" "nop E\0"
	"\x20\x20" "mov E,C\0" "\x21\x21" "mov E,D\0" "\x22\x22" "mov C,E\0" "\x23\x23" "mov D,E\0"
	"\x30\x35" "<wrmsr,rdtsc,rdmsr,rdpmc,sysenter,sysexit>\0" "\x40\x4f" "cmov& G,E\0"
	"\x78\x78" "vmread E,G\0" "\x79\x79" "vmwrite G,E\0" "\x80\x8f" "j& J\0" "\x90\x9f" "set& E\0"
	"\xa0\xa2" "<push fs,pop fs,cpuid>\0" "\xa3\xa3" "bt E,G\0" "\xa4\xa4" "shld E,G,I\0"
	"\xa5\xa5" "shld E,G,U\0" "\xa8\xa9" "<push gs,pop gs>\0" "\xab\xab" "bts E,G\0"
	"\xac\xac" "shrd E,G,I\0" "\xad\xad" "shrd E,G,U\0"
	"\xae\xae" "{fxsave,fxrstor,ldmxcsr,stmxcsr,xsave,xrstor,xsaveopt,clflush} M\0"
	"\xaf\xaf" "imul G,E\0" "\xb0\xb1" "cmpxchg E,G\0" "\xb3\xb3" "btr E,G\0" "\xb6\xb6" "movzx G,8\0"
	"\xb7\xb7" "movzx G,6\0" "\xb8\xb8" "popcnt G,E\0" "\xba\xba" "{,,,,bt,bts,btr,btc} E,I\0"
	"\xbb\xbb" "btc E,G\0" "\xbc\xbd" "<bsf,bsr> G,E\0" "\xbe\xbe" "movsx G,8\0"
	"\xbf\xbf" "movsx G,6\0" "\xc0\xc1" "xadd E,G\0" "\xc3\xc3" "movnti E,G\0"
	"\xc7\xc7" "{,cmpxchg8b,,xrstors,xsavec,xsaves,,} M\0" "\xc8\xcf" "bswap Z\0"
	"\xb2\xb5" "<lss,,lfs,lgs> G,M\0" END;
static const char group_0f01[] =
	"\xc0\xc4" "<,vmcall,vmlaunch,vmresume,vmxoff>\0" "\xc8\xcb" "<monitor,mwait,clac,stac>\0"
	"\xd0\xd1" "<xgetbv,xsetbv>\0"
	"\xd8\xdf" "<vmrun,vmmcall,vmload,vmsave,stgi,clgi,skinit,invlpga>\0"
	"\xf8\xf9" "<swapgs,rdtscp>\0" "\xfa\xfa" "monitorx\0" END;
static const char group_0fae[] =
	"\xe8\xff" "{,,,,,lfence,mfence,sfence}\0" END;
/* clang-format on */

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

/* The text of opcode, which is *n behind its entry's first; NULL for none. */
static const char *find(const char *e, u8 opcode, unsigned *n)
{
	for (; (u8)e[0] <= (u8)e[1]; e += 2 + strlen(e + 2) + 1) {
		*n = opcode - (u8)e[0];
		if (*n <= (unsigned)((u8)e[1] - (u8)e[0]))
			return e + 2;
	}
	return NULL;
}

static const char *text_of(const struct insn *i, unsigned *n)
{
	static const char alu[3][6] = {"^ E,G", "^ G,E", "^ A,I"};
	unsigned form = (i->opcode & 7) / 2;

	if (i->map > MAP_0F)
		return NULL;
	if (i->map == MAP_1 && i->opcode < 0x40 && form < ARRAY_SIZE(alu))
		return alu[form];
	if (i->map == MAP_0F && i->modrm >= 0xC0 &&
	    (i->opcode == 0x01 || (i->opcode == 0xAE && !i->rep && i->op_size != 2)))
		return find(i->opcode == 1 ? group_0f01 : group_0fae, i->modrm, n);
	/* With other prefixes these are other instructions. */
	if (i->map == MAP_0F &&
	    ((i->opcode == 0xC7 && (i->modrm >= 0xC0 || i->op_size == 8)) ||
	     (i->opcode == 0xAE && (i->rep || i->op_size == 2)) || ((i->opcode & 0xFE) == 0xBC && i->rep)))
		return NULL;
	return find(i->map == MAP_1 ? one_byte : two_bytes, i->opcode, n);
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
	s = text_of(&i, &n);
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
