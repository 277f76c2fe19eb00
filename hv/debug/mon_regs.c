/* Registers, with the names of their bits. */
#include "debug/mon.h"
#include "host/cpu.h"
#include "lib/string.h"

#define ULL(x) ((unsigned long long)(x))

static const struct {
	char name[8];
	u16 offset, size;
} registers[] = {
#define GPR(n, r)                                                                                            \
	{                                                                                                    \
		n, offsetof(struct cpu_state, gpr[r]), 8                                                     \
	}
#define REG(f)                                                                                               \
	{                                                                                                    \
#f, offsetof(struct cpu_state, f), 8                                                         \
	}
	GPR("rax", RAX),
	GPR("rbx", RBX),
	GPR("rcx", RCX),
	GPR("rdx", RDX),
	GPR("rsi", RSI),
	GPR("rdi", RDI),
	GPR("rbp", RBP),
	GPR("rsp", RSP),
	GPR("r8", R8),
	GPR("r9", R9),
	GPR("r10", R10),
	GPR("r11", R11),
	GPR("r12", R12),
	GPR("r13", R13),
	GPR("r14", R14),
	GPR("r15", R15),
	REG(rip),
	REG(rflags),
	/* not in the block of general ones */
	REG(cr0),
	REG(cr2),
	REG(cr3),
	REG(cr4),
	REG(efer),
	REG(dr7),
	{"fsbase", offsetof(struct cpu_state, seg[SEG_FS].base), 8},
	{"gsbase", offsetof(struct cpu_state, seg[SEG_GS].base), 8},
};
#define GENERAL 18 /* the first ones, up to rflags */

static const char seg_names[SEG_COUNT][3] = {"es", "cs", "ss", "ds", "fs", "gs", "ld", "tr"};

void *mon_register(struct cpu_state *s, const char *name, size_t len, unsigned *size)
{
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		if (!strncmp(registers[i].name, name, len) && !registers[i].name[len]) {
			*size = registers[i].size;
			return (u8 *)s + registers[i].offset;
		}
	}
	for (unsigned i = 0; i < SEG_COUNT && len == 2; i++) {
		if (!strncmp(seg_names[i], name, 2)) {
			*size = 2;
			return &s->seg[i].selector;
		}
	}
	return NULL;
}

/* The names of val's bits: one a bit from 0, a number n for n bits without one. */
static void show_bits(const struct mon *m, const char *names, u64 val)
{
	while (*names) {
		size_t len = 0;

		if (*names >= '0' && *names <= '9') {
			val >>= *names - '0';
			len = 1;
		} else {
			while (names[len] && names[len] != ' ')
				len++;
			if (val & 1)
				say(m, " %.*s", (int)len, names);
			val >>= 1;
		}
		names += len + (names[len] == ' ');
	}
}

void mon_show_registers(const struct mon *m, const struct cpu_state *s)
{
	for (unsigned i = 0; i < GENERAL; i++)
		say(m, "%-6s %016llx%s", registers[i].name,
		    ULL(*(const u64 *)((const u8 *)s + registers[i].offset)), i % 3 == 2 ? "\n" : "  ");
}

void mon_show_control(const struct mon *m, const struct cpu_state *s)
{
	static const struct {
		char name[8];
		u16 offset;
		const char *bits;
	} control[] = {
		{"cr0", offsetof(struct cpu_state, cr0), "PE MP EM TS ET NE 9 1 WP 1 AM 9 1 NW CD PG"},
		{"efer", offsetof(struct cpu_state, efer), "SCE 7 LME 1 LMA NXE"},
		{"cr4", offsetof(struct cpu_state, cr4),
		 "VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 VMXE SMXE 1 FSGSBASE PCIDE "
		 "OSXSAVE 1 "
		 "SMEP SMAP PKE CET PKS"},
		{"rflags", offsetof(struct cpu_state, rflags),
		 "CF 1 PF 1 AF 1 ZF SF TF IF DF OF 2 NT 1 RF VM AC"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(control); i++) {
		u64 val = *(const u64 *)((const u8 *)s + control[i].offset);

		say(m, "%-6s %08llx", control[i].name, ULL(val));
		show_bits(m, control[i].bits, val);
		say(m, i ? "\n" : "  "); /* the first two are one line */
	}
	say(m, "cr2    %016llx  cr3    %016llx  dr7    %08llx\n", ULL(s->cr2), ULL(s->cr3), ULL(s->dr7));
}

void mon_show_segments(const struct mon *m, const struct cpu_state *s)
{
	for (unsigned i = 0; i < SEG_COUNT; i++)
		say(m, "%s %04x %016llx %08x %04x%s", seg_names[i], s->seg[i].selector, ULL(s->seg[i].base),
		    s->seg[i].limit, s->seg[i].attr, i % 2 ? "\n" : "   ");
	say(m, "gdt %016llx %04x   idt %016llx %04x\n", ULL(s->gdtr.base), s->gdtr.limit, ULL(s->idtr.base),
	    s->idtr.limit);
}
