/* String instructions: those with an operand in device memory, and INS and OUTS. */
#include "host/cpu.h"
#include "vm/emulate.h"
#include "vm/exits.h"
#include "vm/vm.h"

/* By opcode, but for its bit 0. */
enum { INS = 0x6C, OUTS = 0x6E, MOVS = 0xA4, CMPS = 0xA6, STOS = 0xAA, LODS = 0xAC, SCAS = 0xAE };

/* Iterations of a REP a call, so that no guest can hold the CPU for long. */
#define STRING_MAX 256

/* A segment's type is its rights' low 4 bits (SDM 3A table 3-1): those that can be written or read, as bits.
 */
#define WRITABLE	 0x00CC
#define READABLE	 0xCCFF
#define EXPAND_DOWN	 0x4
#define EXPAND_DOWN_MASK 0xC

/* An operand in memory: where its segment begins, the offsets in it that may be used, the exception for
 * others, and the page of its last element: most are all in one. */
struct operand {
	enum gpr index;
	u8 fault;
	u64 base, first, last, page, gpa;
};

struct string {
	struct vcpu *v;
	unsigned op, size;
	u64 mask, linear_mask; /* of addresses, and of linear addresses */
	u64 flags;
	struct operand si, di;
};

/* Where byte n of o's element is; false with the fault queued. */
static bool translate(const struct string *s, struct operand *o, unsigned n, bool write, u64 *gpa)
{
	u64 linear = (o->base + (s->v->regs[o->index] & s->mask) + n) & s->linear_mask;
	struct page_walk w;

	if ((linear & PAGE_MASK) != o->page) {
		if (!linear_translate(s->v, linear, write ? PF_WRITE : 0, &w))
			return false;
		o->page = linear & PAGE_MASK;
		o->gpa = w.gpa & PAGE_MASK;
	}
	*gpa = o->gpa | (linear & ~PAGE_MASK);
	return true;
}

/* Can all of the element be reached? A fault must come before anything is changed. */
static bool reach(const struct string *s, struct operand *o, bool write, u64 *gpa)
{
	u64 offset = s->v->regs[o->index] & s->mask;

	if (offset < o->first || offset + s->size - 1 > o->last) {
		vcpu_exception(s->v, o->fault, true, 0);
		return false;
	}
	return translate(s, o, 0, write, gpa) && translate(s, o, s->size - 1, write, gpa);
}

static bool access(const struct string *s, struct operand *o, bool write, u64 *val)
{
	unsigned step = s->size;
	u64 gpa;

	if (!reach(s, o, write, &gpa))
		return false;
	if ((gpa & ~PAGE_MASK) < s->size - 1) /* across two pages: by bytes */
		step = 1;
	if (!write)
		*val = 0;
	for (unsigned n = 0; n < s->size; n += step) {
		translate(s, o, n, write, &gpa);
		if (write)
			gpa_store(s->v, gpa, step, *val >> 8 * n);
		else
			*val |= gpa_load(s->v, gpa, step) << 8 * n;
	}
	return true;
}

/* One iteration; false with the fault queued. */
static bool step(struct string *s)
{
	struct vcpu *v = s->v;
	u64 a = v->regs[RAX], b;
	u16 port = (u16)v->regs[RDX];

	if (s->op == INS) {
		if (!reach(s, &s->di, true, &b))
			return false;
		a = bus_pio_read(v->vm, port, s->size);
	} else if (s->op != STOS && s->op != SCAS && !access(s, &s->si, false, &a)) {
		return false;
	}
	if (s->op == LODS)
		reg_write(v, RAX, s->size, true, a);
	else if (s->op == OUTS)
		bus_pio_write(v->vm, port, s->size, a);
	else if (s->op != CMPS && s->op != SCAS)
		return access(s, &s->di, true, &a);
	else if (!access(s, &s->di, false, &b))
		return false;
	else
		alu(ALU_CMP, a, b, s->size, &s->flags);
	return true;
}

/* Adds delta to register r as wide as addresses are. */
static void advance(const struct string *s, enum gpr r, unsigned addr_size, u64 delta)
{
	reg_write(s->v, r, addr_size, true, s->v->regs[r] + delta);
}

/* What the segment lets be used (SDM 3A 5.3 to 5.5): INS and OUTS exit before the CPU has looked (SDM
 * 3C 26.1.1), and of an operand in device memory it has seen the first element alone. */
static void operand(struct vcpu *v, struct operand *o, enum seg seg, unsigned bits, u32 types)
{
	struct segment s;

	o->base = seg_linear(v, seg, 0, bits);
	o->fault = X86_GP - (seg == SEG_SS);
	o->last = o->page = ~0ULL;
	if (bits == 64)
		return;
	v->ops->get_seg(v, seg, &s);
	o->last = s.limit;
	if (!(v->ops->get(v, VREG_CR0) & CR0_PE)) /* whatever rights protected mode has left there */
		return;
	if ((s.attr & EXPAND_DOWN_MASK) == EXPAND_DOWN) {
		o->first = s.limit + 1ULL;
		o->last = s.attr & SEG_BIG ? ~0U : 0xFFFF;
	}
	if (s.attr & SEG_UNUSABLE || !(types >> (s.attr & 15) & 1))
		o->first = ~0ULL;
}

bool emulate_string(struct vcpu *v, const struct insn *i, unsigned bits)
{
	struct string s = {.v = v,
			   .op = i->opcode & ~1u,
			   .size = i->op_size,
			   .mask = size_mask(i->addr_size),
			   .linear_mask = bits == 64 ? ~0ULL : ~0U,
			   .flags = v->ops->get(v, VREG_RFLAGS),
			   .si.index = RSI,
			   .di.index = RDI};
	bool compares = s.op == CMPS || s.op == SCAS, io = s.op == INS || s.op == OUTS;
	bool done = false;

	if (i->map != MAP_1 || !(io || (s.op >= MOVS && s.op <= SCAS && s.op != 0xA8)))
		return false;
	if (io)
		s.size = MIN(s.size, 4u);
	u64 delta = s.flags & RFLAGS_DF ? -(u64)s.size : s.size;

	operand(v, &s.si, i->seg, bits, READABLE);
	operand(v, &s.di, SEG_ES, bits, compares ? READABLE : WRITABLE);
	for (unsigned n = 0; n < STRING_MAX && !done; n++) {
		if (i->rep && !(v->regs[RCX] & s.mask))
			break;
		if (!step(&s))
			break;
		if (s.op != INS && s.op != STOS && s.op != SCAS)
			advance(&s, RSI, i->addr_size, delta);
		if (s.op != OUTS && s.op != LODS)
			advance(&s, RDI, i->addr_size, delta);
		done = !i->rep;
		if (i->rep) {
			advance(&s, RCX, i->addr_size, -1ULL);
			done = compares && !(s.flags & RFLAGS_ZF) == (i->rep == 0xF3);
		}
	}
	done |= i->rep && !(v->regs[RCX] & s.mask);
	if (!done) /* no breakpoint is met twice for it (SDM 3B 18.3.1.1) */
		s.flags |= RFLAGS_RF;
	if (compares || !done)
		v->ops->set(v, VREG_RFLAGS, s.flags);
	if (done)
		v->ops->skip(v, i->len);
	return true;
}

void exit_io_string(struct vcpu *v)
{
	unsigned bits = fetch_insn(v);

	if (bits && !emulate_string(v, &v->fetch->insn, bits))
		vm_died(v->vm, "an INS or OUTS that pxHV cannot decode, at rip %#llx",
			(unsigned long long)v->rip);
}
