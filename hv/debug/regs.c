#include "debug/regs.h"

#include "lib/string.h"

static const char names[] =
	"rax\0rbx\0rcx\0rdx\0rsi\0rdi\0rbp\0rsp\0r8\0r9\0r10\0r11\0r12\0r13\0r14\0r15\0rip\0rflags\0"
	"cs\0ss\0ds\0es\0fs\0gs\0st0\0st1\0st2\0st3\0st4\0st5\0st6\0st7\0"
	"fctrl\0fstat\0ftag\0fiseg\0fioff\0foseg\0fooff\0fop\0fs_base\0gs_base\0"
	"cr0\0cr2\0cr3\0cr4\0efer\0dr7\0ld\0tr\0";

/* Where they are, in words. */
#define AT(member) (offsetof(struct cpu_state, member) / 8)
#define NONE	   0xFF
static const u8 places[] = {
	/* clang-format off */
	RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, AT(rip), AT(rflags),
	AT(seg[SEG_CS]), AT(seg[SEG_SS]), AT(seg[SEG_DS]), AT(seg[SEG_ES]), AT(seg[SEG_FS]), AT(seg[SEG_GS]),
	[REG_ST ... REG_BASE - 1] = NONE,
	AT(seg[SEG_FS].base), AT(seg[SEG_GS].base), AT(cr0), AT(cr2), AT(cr3), AT(cr4), AT(efer), AT(dr7),
	AT(seg[SEG_LDTR]), AT(seg[SEG_TR]),
	/* clang-format on */
};

const char *reg_name(unsigned n)
{
	return nth_string(names, n);
}

int reg_find(const char *name, size_t len)
{
	for (unsigned n = 0; n < ARRAY_SIZE(places); n++)
		if (!strncmp(reg_name(n), name, len) && !reg_name(n)[len])
			return (int)n;
	return -1;
}

void *reg_place(const struct cpu_state *s, unsigned n, unsigned *size)
{
	*size = n - REG_SEG < 6 || n > REG_GDB_COUNT ? 2 : 8;
	return places[n] == NONE ? NULL : (u64 *)s + places[n];
}

void reg_bits_begin(struct reg_bits *b, unsigned n)
{
	/* Each name with a blank behind it; a digit for so many bits without one. */
	static const char names_of[] =
		"CF 1 PF 1 AF 1 ZF SF TF IF DF OF 2 NT 1 RF VM AC \0"
		"PE MP EM TS ET NE 9 1 WP 1 AM 9 1 NW CD PG \0"
		"VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 VMXE SMXE 1 FSGSBASE PCIDE "
		"OSXSAVE 1 SMEP SMAP PKE CET PKS \0"
		"SCE 7 LME 1 LMA NXE \0";
	static const u8 regs[] = {REG_FLAGS, REG_CR0, REG_CR4, REG_EFER};
	unsigned i = 0;

	while (i < ARRAY_SIZE(regs) && regs[i] != n)
		i++;
	b->next = nth_string(names_of, i);
	b->bit = ~0U;
}

bool reg_bits_next(struct reg_bits *b)
{
	unsigned bits = 1;

	do {
		b->bit += bits;
		b->name = b->next;
		if (!*b->name)
			return false;
		while (*b->next++ != ' ')
			;
		b->len = (unsigned)(b->next - b->name - 1);
		bits = (unsigned)*b->name - '0';
	} while (bits <= 9);
	return true;
}
