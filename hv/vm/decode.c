/* The x86 instruction decoder (SDM 2A chapter 2, opcode maps: SDM 2D appendix A). */
#include "vm/decode.h"

#include "lib/errno.h"
#include "vm/vcpu.h"

/* What follows an opcode: bits 0-2 tell the immediate, the rest are flags. */
enum {
	I1 = 1,	  /* 8 bits */
	IZ = 2,	  /* 16 or 32 bits, by the operand size */
	I2 = 3,	  /* 16 bits */
	IV = 4,	  /* 16, 32 or 64 bits */
	MO = 5,	  /* an address */
	FP = 6,	  /* a far pointer */
	I3 = 7,	  /* ENTER's 24 bits */
	M = 8,	  /* ModRM */
	B = 0x10, /* byte operands */
	P = 0x20, /* a prefix */
	N = 0x40, /* not in 64-bit code */
	X = 0x80, /* unknown here, or an escape that the code handles */
};

/* clang-format off */
#define ALU M | B, M, M | B, M, I1 | B, IZ
#define x8(a) a, a, a, a, a, a, a, a

static const u8 map_1[256] = {
	ALU, N, N, ALU, N, X, /* 00: ADD, OR; 0F is the escape */
	ALU, N, N, ALU, N, N, /* 10: ADC, SBB */
	ALU, P, N, ALU, P, N, /* 20: AND, SUB */
	ALU, P, N, ALU, P, N, /* 30: XOR, CMP */
	x8(0), x8(0),	      /* 40: INC, DEC; REX in 64-bit code */
	x8(0), x8(0),	      /* 50: PUSH, POP */
	N, N, M | N, M, P, P, P, P, IZ, M | IZ, I1, M | I1, B, 0, B, 0, /* 60: BOUND, MOVSXD, IMUL, INS, OUTS */
	x8(I1), x8(I1),						/* 70: Jcc */
	M | B | I1, M | IZ, M | B | I1 | N, M | I1, M | B, M, M | B, M, /* 80: group 1, TEST, XCHG */
	M | B, M, M | B, M, M, M, M, M,				/* 88: MOV, LEA, POP */
	x8(0), 0, 0, FP | N, 0, 0, 0, 0, 0,			/* 90 */
	MO | B, MO, MO | B, MO, B, 0, B, 0,			/* A0: MOV, MOVS, CMPS */
	I1 | B, IZ, B, 0, B, 0, B, 0,				/* A8: TEST, STOS, LODS, SCAS */
	x8(I1 | B), x8(IV),					/* B0: MOV */
	M | B | I1, M | I1, I2, 0, M | N, M | N, M | B | I1, M | IZ, /* C0: shifts, RET, LES, LDS, MOV */
	I3, 0, I2, 0, 0, I1, N, 0,				/* C8: ENTER, INT */
	M | B, M, M | B, M, I1 | N, I1 | N, X, B, x8(M),	/* D0: shifts, x87 */
	I1, I1, I1, I1, I1 | B, I1, I1 | B, I1,			/* E0: LOOP, IN, OUT */
	IZ, IZ, FP | N, I1, B, 0, B, 0,				/* E8: CALL, JMP, IN, OUT */
	P, 0, P, P, 0, 0, M | B, M,				/* F0: HLT, group 3 */
	0, 0, 0, 0, 0, 0, M | B, M,				/* F8: groups 4 and 5 */
};

static const u8 map_0f[256] = {
	M, M, M, M, X, 0, 0, 0, 0, 0, X, 0, X, M, X, X, /* 00: groups 6 and 7, CLTS, INVD, WBINVD, UD2 */
	x8(M), x8(M),					/* 10 */
	M, M, M, M, X, X, X, X, x8(M),			/* 20: MOV CRn, DRn */
	0, 0, 0, 0, 0, 0, X, 0, x8(X),			/* 30: WRMSR, RDTSC, RDMSR, RDPMC; the escapes */
	x8(M), x8(M),					/* 40: CMOVcc */
	x8(M), x8(M),					/* 50 */
	x8(M), x8(M),					/* 60 */
	M | I1, M | I1, M | I1, M | I1, M, M, M, 0,	/* 70 */
	M, M, X, X, M, M, M, M,				/* 78: VMREAD, VMWRITE */
	x8(IZ), x8(IZ),					/* 80: Jcc */
	x8(M | B), x8(M | B),				/* 90: SETcc */
	0, 0, 0, M, M | I1, M, X, X,			/* A0: CPUID, BT */
	0, 0, 0, M, M | I1, M, M, M,			/* A8: BTS */
	M | B, M, M, M, M, M, M, M,			/* B0: CMPXCHG, BTR, MOVZX */
	M, M, M | I1, M, M, M, M, M,			/* B8: group 8, BTC, MOVSX */
	M | B, M, M | I1, M, M | I1, M | I1, M | I1, M, /* C0: XADD, MOVNTI */
	x8(0),						/* C8: BSWAP */
	x8(M), x8(M), x8(M), x8(M), x8(M), x8(M),	/* D0 */
};
/* clang-format on */

struct cursor {
	const u8 *bytes;
	unsigned pos, avail;
};

/* One byte; 0 past the end, where pos goes on so that the caller need look only once. */
static inline u8 next(struct cursor *c)
{
	unsigned pos = c->pos++;

	return pos < c->avail ? c->bytes[pos] : 0;
}

/* n (up to 8) bytes, sign-extended. */
static s64 take(struct cursor *c, unsigned n)
{
	u64 v = 0;
	unsigned shift = 64 - 8 * n;

	if (!n)
		return 0;
	if (c->pos + n <= c->avail) {
		for (unsigned i = n; i--;)
			v = v << 8 | c->bytes[c->pos + i];
	}
	c->pos += n;
	return (s64)(v << shift) >> shift;
}

/* Takes ModRM's SIB and displacement. */
static void take_address(struct cursor *c, const struct insn *i)
{
	unsigned mod = i->modrm >> 6, rm = i->modrm & 7, disp;

	if (mod == 3)
		return;
	disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	if (i->addr_size == 2) {
		if (mod == 2 || (mod == 0 && rm == 6))
			disp = 2;
	} else {
		if (rm == 4)
			rm = next(c) & 7; /* the SIB's base is read as rm is */
		if (mod == 0 && rm == 5)
			disp = 4;
	}
	c->pos += disp;
}

static u64 take_immediate(struct cursor *c, const struct insn *i, unsigned kind, bool branch64)
{
	unsigned z = i->op_size == 2 && !branch64 ? 2 : 4;
	const u8 sizes[] = {
		0,	 [I1] = 1, [IZ] = z, [I2] = 2, [IV] = i->op_size, [MO] = i->addr_size, [FP] = z + 2,
		[I3] = 3};
	u64 v = take(c, sizes[kind]);

	return kind == MO ? v & ~0ULL >> (64 - 8 * i->addr_size) : v;
}

static void take_prefixes(struct cursor *c, unsigned bits, struct insn *i)
{
	bool small_op = false, other_addr = false;
	u8 b;

	i->seg = SEG_DS;
	for (; c->pos < c->avail; c->pos++) {
		b = c->bytes[c->pos];
		if (bits == 64 && (b & 0xF0) == 0x40) {
			i->rex = b;
			continue;
		}
		if (!(map_1[b] & P))
			break;
		i->rex = 0; /* counts only right before the opcode */
		switch (b) {
		case 0x26:
		case 0x2E:
		case 0x36:
		case 0x3E: /* of no effect in 64-bit code */
			if (bits != 64)
				i->seg = SEG_ES + (b >> 3 & 3);
			break;
		case 0x64:
		case 0x65:
			i->seg = SEG_FS + (b & 1);
			break;
		case 0x66:
			small_op = true;
			break;
		case 0x67:
			other_addr = true;
			break;
		case 0xF0:
			i->lock = true;
			break;
		default:
			i->rep = b;
		}
	}
	i->op_size = i->rex & 8 ? 8 : small_op == (bits == 16) ? 4 : 2;
	if (bits == 64)
		i->addr_size = other_addr ? 4 : 8;
	else
		i->addr_size = other_addr == (bits == 16) ? 4 : 2;
}

/* Takes the opcode; returns its attributes. */
static unsigned take_opcode(struct cursor *c, struct insn *i)
{
	i->opcode = next(c);
	if (i->opcode != 0x0F)
		return map_1[i->opcode];
	i->opcode = next(c);
	if (i->opcode == 0x38 || i->opcode == 0x3A) {
		i->map = i->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
		i->opcode = next(c);
		return i->map == MAP_0F38 ? M : M | I1;
	}
	i->map = MAP_0F;
	return map_0f[i->opcode];
}

int decode_insn(const u8 *bytes, size_t avail, unsigned bits, struct insn *i)
{
	struct cursor c = {.bytes = bytes, .avail = MIN(avail, INSN_MAX)};
	unsigned attr, mod, nnn;
	bool branch64 = false;

	*i = (struct insn){0};
	take_prefixes(&c, bits, i);
	attr = take_opcode(&c, i);
	i->args = (u8)c.pos;
	if (c.pos > c.avail)
		goto more;
	if (attr & X || (attr & N && bits == 64))
		return -EINVAL;
	if (attr & B)
		i->op_size = 1;
	if (attr & M) {
		i->modrm = next(&c);
		if (c.pos > c.avail)
			goto more;
		mod = i->modrm >> 6;
		nnn = i->modrm >> 3 & 7;
		if (i->map == MAP_1) {
			/* VEX and EVEX stand where LES, LDS and BOUND take no register; XOP where POP has no
			 * reg. */
			if ((attr & N && mod == 3 && i->opcode != 0x82) || (i->opcode == 0x8F && nnn))
				return -EINVAL;
			if ((i->opcode & 0xFE) == 0xF6 &&
			    nnn < 2) /* TEST alone in group 3 has an immediate */
				attr |= i->opcode & 1 ? IZ : I1;
		}
		if (!(i->map == MAP_0F &&
		      (i->opcode & 0xFC) == 0x20)) /* MOV CRn/DRn: registers whatever mod says */
			take_address(&c, i);
	}
	/* Near branches ignore the operand-size prefix in 64-bit code (Intel; SDM 2A 2.2.1.8). */
	if (bits == 64)
		branch64 = i->map == MAP_1 ? (i->opcode & 0xFE) == 0xE8 : (i->opcode & 0xF0) == 0x80;
	i->imm = take_immediate(&c, i, attr & 7, branch64);
	if (c.pos > c.avail)
		goto more;
	i->len = c.pos;
	return 0;
more:
	return c.avail < INSN_MAX ? -ERANGE : -EINVAL;
}
