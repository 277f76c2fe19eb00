/* One instruction of the guest. RFLAGS.TF makes the CPU stop after it, and the guest must not see that: not
 * in what PUSHF pushes, nor in the frame of an interrupt. Instructions that go through the IDT, and SYSCALL,
 * leave TF behind: for them a breakpoint waits where they lead. */
#include "debug/gdb_internal.h"
#include "host/cpu.h"
#include "host/msr.h"
#include "vm/exits.h"

/* The base of the code segment that a gate names. */
static bool code_base(struct vcpu *v, const struct cpu_state *s, u16 selector, u64 *base)
{
	u64 table = selector & 4 ? s->seg[SEG_LDTR].base : s->seg[SEG_GDTR].base, d;

	if (gdb_memory_read(v, table + (selector & ~7u), &d, 8))
		return false;
	*base = (d >> 16 & 0xFFFFFF) | (d >> 32 & 0xFF000000);
	return true;
}

/* Where vector's handler begins: by the real mode table, or a gate of 8 or 16 bytes (SDM 3A 6.11, 6.14.1).
 * False where there is none, or none for an INT n or INT3 that runs here (6.12.1.2, 20.3). */
static bool handler_of(struct vcpu *v, u8 vector, bool software, u64 *linear)
{
	struct cpu_state s;
	u64 gate[2] = {0, 0}, base = 0;
	bool wide, is16;

	vcpu_get_state(v, &s);
	wide = s.efer & EFER_LMA;
	if (!(s.cr0 & CR0_PE)) {
		u16 pointer[2];

		if (gdb_memory_read(v, s.seg[SEG_IDTR].base + vector * 4u, pointer, 4))
			return false;
		*linear = ((u64)pointer[1] << 4) + pointer[0];
		return true;
	}
	if (gdb_memory_read(v, s.seg[SEG_IDTR].base + vector * (wide ? 16u : 8u), gate, wide ? 16 : 8) ||
	    !(gate[0] & BIT(47)))
		return false;
	if (software &&
	    ((gate[0] >> 45 & 3) < vcpu_cpl(v) || ((s.rflags & RFLAGS_VM) && (s.rflags >> 12 & 3) < 3)))
		return false;
	is16 = !(gate[0] & BIT(43)); /* a 16-bit gate has no upper half of the offset */
	*linear = (gate[0] & 0xFFFF) | (is16 ? 0 : gate[0] >> 32 & 0xFFFF0000) | gate[1] << 32;
	if (!wide && !code_base(v, &s, (u16)(gate[0] >> 16), &base))
		return false;
	*linear += base;
	return true;
}

/* What the instruction at the program counter needs of gdb_step. What cannot be decoded needs nothing. */
static void examine(struct vcpu *v, struct gdb_step *step)
{
	unsigned bits = vcpu_code_bits(v);
	u8 code[INSN_MAX];
	int vector = -1;
	struct insn i;

	if (decode_insn(code, gdb_code(v, gdb_pc(v), code, sizeof(code)), bits, &i))
		return;
	switch (i.map << 8 | i.opcode) {
	case 0x9C: /* PUSHF */
		step->pushes = true;
		break;
	case 0x9D:		 /* POPF */
	case 0xCF:		 /* IRET */
	case MAP_0F << 8 | 0x07: /* SYSRET */
		step->loads = true;
		break;
	case 0xCC:
		vector = X86_BP;
		break;
	case 0xCD:
		vector = (u8)i.imm;
		break;
	case 0xF1:
		vector = X86_DB;
		break;
	case MAP_0F << 8 | 0x05: /* SYSCALL clears TF by FMASK, after R11 has got it */
		step->has_landing = bits == 64 && v->ops->get(v, VREG_EFER) & EFER_SCE &&
				    !vcpu_rdmsr(v, MSR_LSTAR, &step->landing);
	}
	if (vector >= 0)
		step->has_landing = handler_of(v, (u8)vector, vector != X86_DB, &step->landing);
}

void gdb_step_begin(struct vcpu *v)
{
	struct gdb_step *step = &gdb_vcpu(v)->step;
	u64 flags = v->ops->get(v, VREG_RFLAGS);

	*step = (struct gdb_step){.rip = v->rip, .own_tf = flags & RFLAGS_TF};
	examine(v, step);
	if (step->has_landing)
		return;
	v->debug |= DEBUG_STEP;
	v->ops->set(v, VREG_RFLAGS, flags | RFLAGS_TF);
}

static void restore_tf(struct vcpu *v, const struct gdb_step *step)
{
	u64 flags = v->ops->get(v, VREG_RFLAGS);

	v->ops->set(v, VREG_RFLAGS, step->own_tf ? flags | RFLAGS_TF : flags & ~RFLAGS_TF);
	v->debug &= ~(u32)DEBUG_STEP;
}

void gdb_step_end(struct vcpu *v)
{
	struct gdb_step *step = &gdb_vcpu(v)->step;
	u8 *high;
	u64 gpa;

	gdb_break_stop(v);
	step->has_landing = false;
	if (!(v->debug & DEBUG_STEP))
		return;
	if (v->rip == step->rip) /* stopped before it ran */
		step->loads = step->pushes = false;
	if (step->loads)
		step->own_tf = v->ops->get(v, VREG_RFLAGS) & RFLAGS_TF;
	restore_tf(v, step);
	if (!step->pushes || step->own_tf)
		return;
	high = gdb_memory(v, gdb_sp(v) + 1, &gpa);
	if (high)
		*high &= (u8) ~(RFLAGS_TF >> 8);
}

void gdb_step_deliver(struct vcpu *v, u8 vector)
{
	struct gdb_step *step = &gdb_vcpu(v)->step;

	gdb_break_stop(v);
	restore_tf(v, step);
	step->has_landing = handler_of(v, vector, false, &step->landing);
	if (!step->has_landing) {
		v->events |= EV_DEBUG; /* at whatever the event leads to */
		gdb_vcpu(v)->report.signal = SIGNAL_TRAP;
	}
	gdb_break_apply(v);
}

static bool stop_with(struct vcpu *v, s8 reason, u64 addr)
{
	gdb_vcpu(v)->report = (struct gdb_report){SIGNAL_TRAP, reason, addr};
	v->events |= EV_DEBUG;
	return true;
}

bool gdb_exception(struct vcpu *v, u8 vector, u64 dr6)
{
	u32 slots = v->debug & DEBUG_REGISTERS ? dr6 & 15 : 0;
	const struct gdb_step *step = &gdb_vcpu(v)->step;
	u64 pc = gdb_pc(v);

	if (vector == X86_BP)
		return (v->debug & DEBUG_BREAK) && gdb_break_at(pc) && stop_with(v, BREAK_SOFT, pc);
	if (step->has_landing && slots && pc == step->landing)
		return stop_with(v, -1, pc);
	for (const struct gdb_break *b = gdb.breaks; slots; slots >>= 1, b++)
		if ((slots & 1) && b->len)
			return stop_with(v, (s8)b->type, b->addr);
	return (v->debug & DEBUG_STEP) && (dr6 & DR6_BS) && stop_with(v, -1, pc);
}
