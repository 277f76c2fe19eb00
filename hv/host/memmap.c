#include "host/memmap.h"

#include "lib/string.h"

#define MEMMAP_END BIT(52) /* no CPU has more physical address bits (SDM 3A 4.1.4) */

struct memmap host_memmap;

static u64 end_of(const struct mem_region *r)
{
	return r->base + r->size;
}

/* Whose claim wins where two overlap: the harm of a wrong guess decides, not the number. */
static unsigned severity(u32 type)
{
	static const u8 order[] = {
		[MEM_RAM] = 0, [MEM_ACPI] = 1, [MEM_NVS] = 2, [MEM_RESERVED] = 3, [MEM_BAD] = 4};

	return order[type];
}

static void delete (struct memmap *m, u32 i)
{
	m->count--;
	memmove(&m->r[i], &m->r[i + 1], (m->count - i) * sizeof(m->r[0]));
}

/* Puts [base, end) where it belongs by base. Without room it stays out, and what no entry covers is not RAM.
 */
static void insert(struct memmap *m, u64 base, u64 end, u32 type)
{
	u32 i = m->count;

	if (base >= end || m->count == MEMMAP_MAX)
		return;
	for (; i && m->r[i - 1].base > base; i--)
		m->r[i] = m->r[i - 1];
	m->r[i] = (struct mem_region){base, end - base, type};
	m->count++;
}

/* Makes entries i and i + 1, which overlap or touch, into what they are together. What is cut off is inserted
 * again by its new base, to meet its next neighbours. */
static void resolve(struct memmap *m, u32 i)
{
	struct mem_region a = m->r[i], b = m->r[i + 1];

	if (a.type == b.type) {
		m->r[i].size = MAX(end_of(&a), end_of(&b)) - a.base;
		delete (m, i + 1);
	} else if (severity(a.type) > severity(b.type)) {
		delete (m, i + 1);
		insert(m, end_of(&a), end_of(&b), b.type);
	} else {
		delete (m, i);
		insert(m, a.base, b.base, a.type);
		insert(m, end_of(&b), end_of(&a), a.type);
	}
}

void memmap_normalize(struct memmap *m)
{
	u32 raw = MIN(m->count, (u32)MEMMAP_MAX);

	/* Each entry is taken out before it is inserted into the sorted part, so there is room. */
	m->count = 0;
	for (u32 i = 0; i < raw; i++) {
		struct mem_region r = m->r[i];
		u64 end = r.size > MEMMAP_END || end_of(&r) > MEMMAP_END ? MEMMAP_END : end_of(&r);

		insert(m, r.base, end, r.type < MEM_RAM || r.type > MEM_BAD ? MEM_RESERVED : r.type);
	}
	for (u32 i = 0; i + 1 < m->count;) {
		u64 end = end_of(&m->r[i]), next = m->r[i + 1].base;

		if (end < next || (end == next && m->r[i].type != m->r[i + 1].type)) {
			i++;
			continue;
		}
		resolve(m, i);
		if (i) /* what stands at i now may touch the one before */
			i--;
	}
}

void memmap_reserve(struct memmap *m, u64 base, u64 size, u32 type)
{
	/* The range needs an entry and may cut another in two: the smallest make room. */
	while (m->count > MEMMAP_MAX - 2) {
		u32 smallest = 0;

		for (u32 i = 1; i < m->count; i++)
			if (m->r[i].size < m->r[smallest].size)
				smallest = i;
		delete (m, smallest);
	}
	m->r[m->count++] = (struct mem_region){base, size, type};
	memmap_normalize(m);
}

u64 memmap_top(const struct memmap *m)
{
	for (u32 i = m->count; i--;)
		if (m->r[i].type == MEM_RAM)
			return end_of(&m->r[i]);
	return 0;
}
