/* Registers, with the names of their bits. */
#include "debug/mon.h"
#include "debug/regs.h"
#include "host/cpu.h"
#include "lib/string.h"

#define ULL(x) ((unsigned long long)(x))

static void show(const struct mon *m, const struct cpu_state *s, unsigned n, const char *end)
{
	unsigned size;

	say(m, "%-6s %016llx%s", reg_name(n), ULL(*(const u64 *)reg_place(s, n, &size)), end);
}

void mon_show_registers(const struct mon *m, const struct cpu_state *s)
{
	for (unsigned i = 0; i <= REG_FLAGS; i++)
		show(m, s, i, i % 3 == 2 ? "\n" : "  ");
}

void mon_show_control(const struct mon *m, const struct cpu_state *s)
{
	static const u8 shown[] = {REG_CR0, REG_EFER, REG_CR4, REG_FLAGS};
	struct reg_bits b;
	unsigned size;

	for (unsigned i = 0; i < ARRAY_SIZE(shown); i++) {
		u64 val = *(const u64 *)reg_place(s, shown[i], &size);

		say(m, "%-6s %08llx", reg_name(shown[i]), ULL(val));
		reg_bits_begin(&b, shown[i]);
		while (reg_bits_next(&b))
			if (val >> b.bit & 1)
				say(m, " %.*s", b.len, b.name);
		say(m, i ? "\n" : "  "); /* the first two are one line */
	}
	say(m, "cr2    %016llx  cr3    %016llx  dr7    %08llx\n", ULL(s->cr2), ULL(s->cr3), ULL(s->dr7));
}

void mon_show_segments(const struct mon *m, const struct cpu_state *s)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		say(m, "%.2s %04x %016llx %08x %04x%s", &"escsssdsfsgsldtr"[2 * i], s -> seg[i].selector,
		    ULL(s->seg[i].base), s->seg[i].limit, s->seg[i].attr, i % 2 ? "\n" : "   ");
	say(m, "gdt %016llx %04x   idt %016llx %04x\n", ULL(s->seg[SEG_GDTR].base), s->seg[SEG_GDTR].limit,
	    ULL(s->seg[SEG_IDTR].base), s->seg[SEG_IDTR].limit);
}
