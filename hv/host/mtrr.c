#include "host/mtrr.h"

#include "host/cpu.h"

#define MSR_MTRRCAP	   0xFE
#define MSR_MTRR_PHYSBASE0 0x200
#define MSR_MTRR_DEF_TYPE  0x2FF
#define CAP_VCNT	   0xFF
#define CAP_FIX		   BIT(8)
#define DEF_TYPE_FE	   BIT(10)
#define DEF_TYPE_E	   BIT(11)
#define MASK_VALID	   BIT(11)
#define CPUID_1_EDX_MTRR   BIT(12)
#define FIXED_END	   MiB

enum { UC = 0, WT = 4, WB = 6 };

static const u16 fixed_msrs[11] = {0x250, 0x258, 0x259, 0x268, 0x269, 0x26A,
				   0x26B, 0x26C, 0x26D, 0x26E, 0x26F};

/* The type of fixed range pa lies in, and where that range ends. */
static int fixed_type(const struct mtrr_state *m, u32 pa, u64 *end)
{
	/* One byte a range: 8 of 64 KiB, 16 of 16 KiB, 64 of 4 KiB. */
	unsigned shift = pa < 0x80000 ? 16 : pa < 0xC0000 ? 14 : 12;
	unsigned n = pa < 0x80000   ? pa >> 16
		     : pa < 0xC0000 ? 8 + ((pa - 0x80000) >> 14)
				    : 24 + ((pa - 0xC0000) >> 12);

	*end = ((pa >> shift) + 1) << shift;
	return ((const u8 *)m->fixed)[n] & 7;
}

/* SDM 3A 12.11.4.1: UC beats all, WT beats WB; what else overlaps is undefined, so take UC. */
static int combine(int a, int b)
{
	if (a == b)
		return a;
	return (a == WT && b == WB) || (a == WB && b == WT) ? WT : UC;
}

/* Up to where nothing changes from pa on, as far as the variable range of base and mask goes. A mask with
 * holes repeats the range; one without, the usual kind, gives one block. */
static u64 variable_end(const struct mtrr_state *m, u64 base, u64 mask, u64 pa)
{
	u64 block = mask & -mask;
	u64 high = mask | ~m->pa_mask;

	if (!block)
		return ~0ULL;
	if (!(high & (high + block))) {
		if (pa < base)
			return base;
		if (pa >= base + block)
			return ~0ULL;
	}
	return (pa & -block) + block;
}

/* The type at pa; *end, set by the caller, is lowered to where it may change. */
static int type_at(const struct mtrr_state *m, u64 pa, u64 *end)
{
	int type = -1;

	if (!(m->def_type & DEF_TYPE_E))
		return UC;
	if (pa < FIXED_END) {
		if (m->def_type & DEF_TYPE_FE && m->cap & CAP_FIX)
			return fixed_type(m, (u32)pa, end);
		*end = MIN(*end, FIXED_END);
	}
	for (unsigned i = 0; i < MIN(m->cap & CAP_VCNT, MTRR_VARIABLE_MAX); i++) {
		u64 mask = m->variable[i].mask & m->pa_mask & PAGE_MASK;
		u64 base = m->variable[i].base & mask;
		int t = (int)(m->variable[i].base & 7);

		if (!(m->variable[i].mask & MASK_VALID))
			continue;
		*end = MIN(*end, variable_end(m, base, mask, pa));
		if ((pa & mask) == base)
			type = type < 0 ? t : combine(type, t);
	}
	return type < 0 ? (int)(m->def_type & 7) : type;
}

int mtrr_state_type(const struct mtrr_state *m, u64 pa, u64 size)
{
	u64 last = pa + size;
	int first = -1;

	while (pa < last) {
		u64 end = last;
		int type = type_at(m, pa, &end);

		if (first < 0)
			first = type;
		else if (type != first)
			return -1;
		pa = end;
	}
	return first;
}

static struct mtrr_state host; /* the same on every CPU of a PC (SDM 3A 12.11.8) */

static void read_host(void)
{
	host.cap = rdmsr(MSR_MTRRCAP);
	host.def_type = rdmsr(MSR_MTRR_DEF_TYPE);
	host.pa_mask = BIT(cpuid(0x80000008, 0).eax & 0xFF) - 1;
	if (host.cap & CAP_FIX)
		for (unsigned i = 0; i < ARRAY_SIZE(fixed_msrs); i++)
			host.fixed[i] = rdmsr(fixed_msrs[i]);
	for (unsigned i = 0; i < MIN(host.cap & CAP_VCNT, MTRR_VARIABLE_MAX); i++) {
		host.variable[i].base = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i);
		host.variable[i].mask = rdmsr(MSR_MTRR_PHYSBASE0 + 2 * i + 1);
	}
}

int mtrr_type(u64 pa, u64 size)
{
	if (!host.pa_mask) {
		if (!(cpuid(1, 0).edx & CPUID_1_EDX_MTRR)) {
			host.pa_mask = ~0ULL;
			host.def_type = DEF_TYPE_E | WB;
		} else {
			read_host();
		}
	}
	return mtrr_state_type(&host, pa, size);
}
