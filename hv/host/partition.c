#include "host/partition.h"

#include "host/drive.h"
#include "lib/errno.h"
#include "lib/string.h"

#define TYPE_PROTECTIVE 0xEE /* the MBR that stands before a GPT */
#define FIRST_LOGICAL	5

struct gpt_header {
	char signature[8];
	u32 revision, size, crc, reserved;
	u64 own, backup, first_usable, last_usable;
	u8 guid[16];
	u64 entries;
	u32 entry_count, entry_size, entries_crc;
} __packed;

struct gpt_entry {
	u64 type[2], guid[2];
	u64 first, last;
} __packed;

static int gpt_find(struct drive *d, u32 number, u8 *page, u64 *first, u64 *count)
{
	const struct gpt_header *h = (const void *)page;
	const struct gpt_entry *e;
	u64 offset;
	u32 size;

	if (drive_read(d, 1, page))
		return -EIO;
	size = h->entry_size;
	if (memcmp(h->signature, "EFI PART", 8) || number > h->entry_count || size < 128 || size > 512 ||
	    size & (size - 1))
		return -ENOENT;
	offset = (number - 1) * size;
	if (drive_read(d, h->entries + offset / d->block_size, page))
		return -EIO;
	e = (const void *)(page + offset % d->block_size);
	if (!(e->type[0] | e->type[1]) || e->last < e->first)
		return -ENOENT;
	*first = e->first;
	*count = e->last - e->first + 1;
	return 0;
}

static bool is_extended(const struct partition *p)
{
	return p->type == 0x05 || p->type == 0x0F || p->type == 0x85;
}

/* Logical partitions are a chain: each has a table of its own, with itself and the next table. */
static int mbr_find(struct drive *d, u32 number, u8 *page, u64 *first, u64 *count)
{
	const struct mbr *m = (const void *)page;
	const struct partition *p = m->part;
	u64 base = 0, extended = 0;

	if (number < FIRST_LOGICAL) {
		p += number - 1;
	} else {
		while (p < m->part + 4 && !is_extended(p))
			p++;
		if (p == m->part + 4)
			return -ENOENT;
		base = extended = p->start;
		for (u32 n = FIRST_LOGICAL;; n++) {
			if (drive_read(d, base, page))
				return -EIO;
			p = m->part;
			if (m->signature != MBR_SIGNATURE)
				return -ENOENT;
			if (n == number)
				break;
			if (!is_extended(p + 1))
				return -ENOENT;
			base = extended + p[1].start;
		}
	}
	if (!p->type || is_extended(p))
		return -ENOENT;
	*first = base + p->start;
	*count = p->sectors;
	return 0;
}

int partition_find(struct drive *d, u32 number, u8 *page, u64 *first, u64 *count)
{
	const struct mbr *m = (const void *)page;
	int err;

	if (drive_read(d, 0, page))
		return -EIO;
	if (m->signature != MBR_SIGNATURE)
		return -ENOENT;
	err = (m->part[0].type == TYPE_PROTECTIVE ? gpt_find : mbr_find)(d, number, page, first, count);
	if (!err && (!*first || !*count || *first >= d->blocks || *count > d->blocks - *first))
		err = -ENOENT;
	return err;
}
