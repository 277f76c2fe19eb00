/* Second-level translation tables, four levels of 512 entries, whoever's format the entries have. */
#include "vm/slat.h"

#include "host/mtrr.h"
#include "host/page.h"
#include "lib/errno.h"

#define LEVELS	  4
#define ENTRIES	  512
#define ADDR_BITS 0x000FFFFFFFFFF000ULL /* where both vendors keep the address */
#define GPA_LIMIT (1ULL << 48)
#define LARGE	  BIT(7)
#define TABLE	  7ULL

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

static bool is_table(u64 entry, unsigned level)
{
	return level > 1 && entry && !(entry & LARGE);
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
		if (is_table(table[i], level))
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
static u64 leaf_entry(const struct slat *s, u64 hpa, unsigned prot, unsigned level)
{
	int mt = mtrr_type(hpa, span_of(level));

	return s->fmt->leaf(hpa, prot, mt < 0 ? MT_UC : (enum memtype)mt, level);
}

/* The table below *entry, made if it is absent; a larger page in the way is split into the same mapping. */
static u64 *descend(struct slat *s, u64 *entry, unsigned level)
{
	u64 *table;

	if (is_table(*entry, level))
		return next_table(*entry);
	table = new_table(s);
	if (!table)
		return NULL;
	if (*entry) {
		u64 hpa = *entry & ADDR_BITS & ~(span_of(level) - 1);
		unsigned prot = s->fmt->prot(*entry);

		for (unsigned i = 0; i < ENTRIES; i++)
			table[i] = leaf_entry(s, hpa + i * span_of(level - 1), prot, level - 1);
	}
	/* In one store, so that a CPU that walks the tables now sees the old mapping or the same one anew. */
	__atomic_store_n(entry, (u64)table | TABLE, __ATOMIC_RELEASE);
	return table;
}

/* Can one page of level, which it would fill, map hpa? */
static bool fits_leaf(const struct slat *s, u64 hpa, unsigned level)
{
	return level == 1 || (level <= s->max_level && !(hpa & (span_of(level) - 1)) &&
			      mtrr_type(hpa, span_of(level)) >= 0);
}

static void set_leaf(struct slat *s, u64 *entry, u64 leaf, unsigned level)
{
	u64 old = *entry;

	__atomic_store_n(entry, leaf, __ATOMIC_RELEASE);
	if (is_table(old, level))
		free_table(s, next_table(old), level - 1);
}

int slat_map(struct slat *s, u64 gpa, u64 hpa, u64 size, unsigned prot)
{
	u64 chunk;

	if (((gpa | hpa | size) & ~PAGE_MASK) || gpa > GPA_LIMIT || size > GPA_LIMIT - gpa)
		return -EINVAL;
	for (; size; gpa += chunk, hpa += chunk, size -= chunk) {
		u64 *table = s->root;

		for (unsigned level = LEVELS;; level--) {
			u64 span = span_of(level), *entry = &table[index_of(gpa, level)];

			chunk = MIN(span - (gpa & (span - 1)), size);
			if (!prot && (chunk == span || !*entry)) {
				set_leaf(s, entry, 0, level);
				break;
			}
			if (prot && chunk == span && fits_leaf(s, hpa, level)) {
				set_leaf(s, entry, leaf_entry(s, hpa, prot, level), level);
				break;
			}
			table = descend(s, entry, level);
			if (!table)
				return -ENOMEM;
		}
	}
	return 0;
}

unsigned slat_walk(const struct slat *s, u64 gpa, u64 entries[4])
{
	const u64 *table = s->root;
	unsigned level = LEVELS;

	for (;; level--) {
		u64 e = table[index_of(gpa, level)];

		entries[level - 1] = e;
		if (!is_table(e, level))
			return level;
		table = next_table(e);
	}
}
