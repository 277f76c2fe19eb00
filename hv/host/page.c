/* Free memory as a sorted list of ranges. Single pages come from its low end and large runs from the top, so
 * that pages which live for ever do not cut up the large aligned blocks that guests want. */
#include "host/page.h"

#include "host/memmap.h"
#include "host/panic.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define RANGES 128

struct range {
	u64 base, end;
};

static struct range ranges[RANGES];
static u32 count;
static void *spill; /* freed pages for which the list had no room, linked by their first word */
static u64 free_bytes, total_bytes;
static struct spinlock lock;

static void remove(struct range *r)
{
	memmove(r, r + 1, (size_t)(&ranges[--count] - r) * sizeof(*r));
}

static bool insert(struct range *r, u64 base, u64 end)
{
	if (count == RANGES)
		return false;
	memmove(r + 1, r, (size_t)(&ranges[count++] - r) * sizeof(*r));
	*r = (struct range){base, end};
	return true;
}

/* Takes [base, end) out of r, which contains it. Fails when that needs an entry more than there are. */
static bool take(struct range *r, u64 base, u64 end)
{
	if (r->base == base) {
		r->base = end;
		if (r->end == end)
			remove(r);
	} else {
		if (r->end != end && !insert(r + 1, end, r->end))
			return false;
		r->end = base;
	}
	free_bytes -= end - base;
	return true;
}

static void give(u64 base, u64 end)
{
	struct range *r = ranges, *last = ranges + count;
	bool above;

	while (r < last && r->end <= base)
		r++;
	if (r < last && r->base < end)
		panic("page: 0x%lx freed twice", base);
	free_bytes += end - base;
	above = r < last && r->base == end;
	if (r > ranges && r[-1].end == base) {
		r[-1].end = above ? r->end : end;
		if (above)
			remove(r);
	} else if (above) {
		r->base = base;
	} else if (!insert(r, base, end)) {
		for (; base < end; base += PAGE_SIZE) {
			*(void **)base = spill;
			spill = (void *)base;
		}
	}
}

void page_init(void)
{
	for (u32 i = 0; i < host_memmap.count; i++) {
		const struct mem_region *m = &host_memmap.r[i];
		u64 base = ALIGN_UP(MAX(m->base, MiB), PAGE_SIZE);
		u64 end = ALIGN_DOWN(m->base + m->size, PAGE_SIZE);

		if (m->type != MEM_RAM)
			continue;
		total_bytes += m->size;
		if (base < end)
			give(base, end);
	}
}

void *page_alloc(void)
{
	void *p = NULL;

	spin_lock(&lock);
	if (spill) {
		p = spill;
		spill = *(void **)p;
		free_bytes -= PAGE_SIZE;
	} else if (count) {
		p = (void *)ranges->base;
		take(ranges, ranges->base, ranges->base + PAGE_SIZE);
	}
	spin_unlock(&lock);
	return p ? memset(p, 0, PAGE_SIZE) : NULL;
}

void *page_alloc_run(u64 size, u64 align, u64 limit)
{
	void *p = NULL;

	size = ALIGN_UP(size, PAGE_SIZE);
	spin_lock(&lock);
	for (u32 i = count; size && i-- && !p;) {
		struct range *r = &ranges[i];
		u64 end = limit ? MIN(r->end, ALIGN_DOWN(limit, PAGE_SIZE)) : r->end;
		u64 base;

		if (end < r->base || end - r->base < size)
			continue;
		base = ALIGN_DOWN(end - size, align);
		if (base >= r->base && take(r, base, base + size))
			p = (void *)base;
	}
	spin_unlock(&lock);
	return p;
}

u64 page_largest_run(u64 align)
{
	u64 best = 0;

	spin_lock(&lock);
	for (u32 i = 0; i < count; i++) {
		u64 base = ALIGN_UP(ranges[i].base, align);

		if (base < ranges[i].end)
			best = MAX(best, ranges[i].end - base);
	}
	spin_unlock(&lock);
	return best;
}

void page_free_run(void *p, u64 size)
{
	if (!p || !size)
		return;
	spin_lock(&lock);
	give((u64)p, (u64)p + ALIGN_UP(size, PAGE_SIZE));
	spin_unlock(&lock);
}

void page_free(void *p)
{
	page_free_run(p, PAGE_SIZE);
}

u64 page_free_bytes(void)
{
	return free_bytes;
}

u64 page_total_bytes(void)
{
	return total_bytes;
}
