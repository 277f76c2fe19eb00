/* How a triple fault came about, in words: what could not be delivered, and what was wrong with its way
 * through the IDT (SDM 3A 6.12, 6.13, 6.15). */
#include "debug/gdb_internal.h"
#include "debug/mon.h"
#include "host/cpu.h"
#include "lib/exception.h"

#define ULL(x) ((unsigned long long)(x))

#define ERROR_IDT  BIT(1)
#define INT_N	   0xCD
#define NEAR_STACK 512	       /* bytes below RSP that a delivery may touch */
#define HAS_ERROR  0x60227D00U /* vectors with an error code */
#define TYPE(info) ((info) >> 8 & 7)

/* Entry number of the table, size bytes each: what is wrong with it. */
static void show_entry(const struct mon *m, const struct segment *table, const char *name, const char *what,
		       unsigned number, unsigned size, const char *otherwise)
{
	u64 at = table->base + number * size, entry;

	if (number * size + size - 1 > table->limit)
		say(m, ": the %s ends before %s %u (limit %x)", name, what, number, table->limit);
	else if (gdb_memory_read(m->v, at, &entry, sizeof(entry)))
		say(m, ": %s %u at %llx is not mapped", what, number, ULL(at));
	else
		say(m, ": %s %u at %llx, %016llx, is %s", what, number, ULL(at), ULL(entry),
		    !entry		 ? "empty"
		    : !(entry & BIT(47)) ? "not present"
					 : otherwise);
}

static void show_gate(const struct mon *m, const struct cpu_state *s, u32 vector)
{
	show_entry(m, &s->seg[SEG_IDTR], "IDT", "gate", vector, s->efer & EFER_LMA ? 16 : 8,
		   "no interrupt or trap gate");
}

static void show_descriptor(const struct mon *m, const struct cpu_state *s, u32 selector)
{
	bool local = selector & BIT(2);

	say(m, ": segment %04x", selector & 0xFFFC);
	show_entry(m, &s->seg[local ? SEG_LDTR : SEG_GDTR], local ? "LDT" : "GDT", "descriptor",
		   selector >> 3, 8, "not what is wanted here");
}

/* What the instruction at RIP, which faulted, asked of the IDT. */
static u32 software_vector(const struct mon *m, const struct cpu_state *s, u32 error)
{
	u8 insn[2];

	if (!gdb_memory_read(m->v, s->seg[SEG_CS].base + s->rip, insn, sizeof(insn)) && insn[0] == INT_N)
		return insn[1];
	return error >> 3;
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
	else if (has_error &&
		 (error & ERROR_IDT)) /* some emulators count their gates in bytes of their own */
		show_gate(m, s, before ? before & 0xFF : software_vector(m, s, error));
	else if (has_error && error >> 3)
		show_descriptor(m, s, error);
	say(m, "\n");
}

void mon_show_chain(const struct mon *m)
{
	struct fault_chain *c = &m->v->chain;

	for (unsigned i = 0; i < c->count; i++)
		show_fault(m, &c->state, i);
}
