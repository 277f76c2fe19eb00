/* How a triple fault came about, in words: what could not be delivered, and what was wrong with its way
 * through the IDT (SDM 3A 6.12, 6.13, 6.15). */
#include "debug/gdb_internal.h"
#include "debug/mon.h"
#include "host/cpu.h"
#include "lib/exception.h"

#define ULL(x) ((unsigned long long)(x))

#define ERROR_IDT  BIT(1)
#define NEAR_STACK 512	       /* bytes below RSP that a delivery may touch */
#define HAS_ERROR  0x60227D00U /* vectors with an error code */
#define TYPE(info) ((info) >> 8 & 7)

static void show_gate(const struct mon *m, const struct cpu_state *s, u32 vector)
{
	unsigned size = s->efer & EFER_LMA ? 16 : 8;
	u64 at = s->seg[SEG_IDTR].base + vector * size, gate;

	if (vector * size + size - 1 > s->seg[SEG_IDTR].limit)
		say(m, ": the IDT ends before gate %u (limit %x)", vector, s->seg[SEG_IDTR].limit);
	else if (gdb_memory_read(m->v, at, &gate, sizeof(gate)))
		say(m, ": gate %u at %llx is not mapped", vector, ULL(at));
	else
		say(m, ": gate %u at %llx, %016llx, is %s", vector, ULL(at), ULL(gate),
		    !gate		? "empty"
		    : !(gate & BIT(47)) ? "not present"
					: "no interrupt or trap gate");
}

static void show_page_fault(const struct mon *m, const struct cpu_state *s, u64 addr, u32 error,
			    bool delivery)
{
	u64 sp = s->gpr[RSP] + s->seg[SEG_SS].base;

	say(m, ": %s of %llx: %s",
	    error & PF_FETCH || addr == s->rip ? "fetch"
	    : error & PF_WRITE		       ? "write"
					       : "read",
	    ULL(addr),
	    error & PF_RSVD	 ? "reserved bit in the page tables"
	    : error & PF_PRESENT ? "no right to"
				 : "not mapped");
	if (delivery && addr - s->seg[SEG_IDTR].base <= s->seg[SEG_IDTR].limit)
		say(m, ", in the IDT");
	else if (delivery && sp - addr <= NEAR_STACK)
		say(m, ", on the stack");
}

static void show_fault(const struct mon *m, const struct cpu_state *s, unsigned i)
{
	const struct fault_chain *c = &m->v->chain;
	u32 error = c->fault[i].error, before = c->fault[i].delivering;
	u8 vector = c->fault[i].vector;
	bool has_error = BIT(vector) & HAS_ERROR;

	say(m, "%s %s", i ? " then" : "first", exception_name(vector));
	if (has_error)
		say(m, " (error %x)", error);
	if (before)
		say(m, " on delivery of %s %02x",
		    TYPE(before) == EVENT_EXCEPTION ? exception_name((u8)before) : "interrupt",
		    before & 0xFF);
	if (vector == X86_PF)
		show_page_fault(m, s, c->fault[i].addr, error, before);
	else if (before && has_error && (error & ERROR_IDT))
		show_gate(m, s, before & 0xFF); /* some emulators count their gates in bytes of their own */
	else if (before && has_error && error >> 3)
		say(m, ": segment %04x", error & 0xFFFC);
	say(m, "\n");
}

void mon_show_chain(const struct mon *m)
{
	struct fault_chain *c = &m->v->chain;

	for (unsigned i = 0; i < c->count; i++)
		show_fault(m, &c->state, i);
}
