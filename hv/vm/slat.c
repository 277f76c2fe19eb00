/* Second-level translation tables, four levels of 512 entries, whoever's format the entries have. */
#include "vm/slat.h"

#include "host/page.h"
#include "lib/errno.h"

#define LEVELS	  4
#define ENTRIES	  512
#define ADDR_BITS 0x000FFFFFFFFFF000ULL /* where both vendors keep the address */
#define GPA_LIMIT (1ULL << 48)

/* Bytes that one entry of level covers. */
static u64 span_of(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static unsigned index_of(u64 gpa, unsigned level)
{
	return gpa / span_of(level) % ENTRIES;
}

static u64 *next_table(u64 entry)
{
	return (u64 *)(entry & ADDR_BITS);
}

static bool is_table(const struct slat *s, u64 entry, unsigned level)
{
	return level > 1 && s->fmt->present(entry) && !s->fmt->is_leaf(entry, level);
}

static u64 *new_table(struct slat *s)
{
	u64 *t = page_alloc();

	if (t)
		s->table_pages++;
	return t;
}

static void free_table(struct slat *s, u64 *table, unsigned level)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		if (is_table(s, table[i], level))
			free_table(s, next_table(table[i]), level - 1);
	page_free(table);
	s->table_pages--;
}

int slat_init(struct slat *s, const struct slat_format *fmt, unsigned max_level)
{
	*s = (struct slat){.fmt = fmt, .max_level = max_level};
	s->root = new_table(s);
	return s->root ? 0 : -ENOMEM;
}

void slat_destroy(struct slat *s)
{
	if (s->root)
		free_table(s, s->root, LEVELS);
	s->root = NULL;
}

/* The leaf for hpa: with the range's type, or UC where even one 4 KiB page has several. */
static u64 leaf_entry(const struct slat *s, u64 hpa, unsigned prot, unsigned level,
		      int (*type)(u64 hpa, u64 size))
{
	int mt = type ? type(hpa, span_of(level)) : MT_WB;

	return s->fmt->leaf(hpa, prot, mt < 0 ? MT_UC : (enum memtype)mt, level);
}

/* The table below *entry, made if it is absent; a larger page in the way is split into the same mapping. */
static u64 *descend(struct slat *s, u64 *entry, unsigned level, int (*type)(u64 hpa, u64 size))
{
	u64 *table;

	if (is_table(s, *entry, level))
		return next_table(*entry);
	table = new_table(s);
	if (!table)
		return NULL;
	if (s->fmt->present(*entry)) {
		u64 hpa = *entry & ADDR_BITS & ~(span_of(level) - 1);
		unsigned prot = s->fmt->prot(*entry);

		for (unsigned i = 0; i < ENTRIES; i++)
			table[i] = leaf_entry(s, hpa + i * span_of(level - 1), prot, level - 1, type);
	}
	/* In one store, so that a CPU that walks the tables now sees the old mapping or the same one anew. */
	__atomic_store_n(entry, s->fmt->table((u64)table), __ATOMIC_RELEASE);
	return table;
}

static bool fits_leaf(const struct slat *s, u64 hpa, u64 chunk, unsigned prot, unsigned level,
		      int (*type)(u64 hpa, u64 size))
{
	u64 span = span_of(level);

	if (chunk != span)
		return false;
	if (prot == 0 || level == 1)
		return true;
	return level <= s->max_level && (hpa & (span - 1)) == 0 && (!type || type(hpa, span) >= 0);
}

static int map_level(struct slat *s, u64 *table, unsigned level, u64 gpa, u64 hpa, u64 size, unsigned prot,
		     int (*type)(u64 hpa, u64 size))
{
	while (size) {
		u64 span = span_of(level);
		u64 chunk = MIN(span - (gpa & (span - 1)), size);
		u64 *entry = &table[index_of(gpa, level)];

		if (fits_leaf(s, hpa, chunk, prot, level, type)) {
			u64 old = *entry;

			__atomic_store_n(entry, prot ? leaf_entry(s, hpa, prot, level, type) : 0,
					 __ATOMIC_RELEASE);
			if (is_table(s, old, level))
				free_table(s, next_table(old), level - 1);
		} else if (prot || s->fmt->present(*entry)) {
			u64 *below = descend(s, entry, level, type);
			int err;

			if (!below)
				return -ENOMEM;
			err = map_level(s, below, level - 1, gpa, hpa, chunk, prot, type);
			if (err)
				return err;
		}
		gpa += chunk;
		hpa += chunk;
		size -= chunk;
	}
	return 0;
}

int slat_map(struct slat *s, u64 gpa, u64 hpa, u64 size, unsigned prot, int (*type)(u64 hpa, u64 size))
{
	if (((gpa | hpa | size) & ~PAGE_MASK) || gpa > GPA_LIMIT || size > GPA_LIMIT - gpa)
		return -EINVAL;
	return map_level(s, s->root, LEVELS, gpa, hpa, size, prot, type);
}

unsigned slat_walk(const struct slat *s, u64 gpa, u64 entries[4])
{
	const u64 *table = s->root;
	unsigned level = LEVELS;

	for (;; level--) {
		u64 e = table[index_of(gpa, level)];

		entries[level - 1] = e;
		if (!is_table(s, e, level))
			return level;
		table = next_table(e);
	}
}
