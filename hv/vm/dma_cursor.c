#include "vm/dma_cursor.h"

#include "lib/string.h"

#define BOUNDARY 0x10000 /* that no segment crosses */

static void skip(struct dma_cursor *at, u32 len)
{
	at->offset += len;
	if (at->offset == at->piece->len) {
		at->piece++;
		at->offset = 0;
	}
}

/* The next piece's bytes that can be one segment behind the n that c has; 0 when there are none. */
static u32 segment(const struct dma_rules *rules, const struct dma_cursor *at, u64 left,
		   const struct drive_cmd *c)
{
	u64 addr = (u64)at->piece->p + at->offset;
	u64 len = MIN(MIN(left, at->piece->len - at->offset), BOUNDARY - addr % BOUNDARY);
	const struct dma_segment *last = &c->seg[c->count - 1];

	if (addr >= rules->limit || len > rules->limit - addr || (addr | len) & (rules->align - 1))
		return 0;
	if (c->count && rules->page_joints && ((last->addr + last->len) | addr) & (PAGE_SIZE - 1))
		return 0;
	return (u32)len;
}

u32 dma_take(const struct dma_rules *rules, u32 block_size, struct dma_cursor *at, u64 left,
	     struct drive_cmd *c)
{
	struct dma_cursor end = *at;
	u32 bytes = 0, whole = 0, count = 0, len;

	left = MIN(left, rules->max_bytes);
	c->count = 0;
	while (bytes < left && c->count < rules->max_segments) {
		if (end.piece->len == end.offset) { /* an empty one */
			skip(&end, 0);
			continue;
		}
		len = segment(rules, &end, left - bytes, c);
		if (!len)
			break;
		c->seg[c->count++] = (struct dma_segment){(u64)end.piece->p + end.offset, len};
		bytes += len;
		skip(&end, len);
		if (bytes % block_size)
			continue;
		*at = end;
		whole = bytes;
		count = c->count;
	}
	c->count = count;
	c->blocks = whole / block_size;
	return whole;
}

void dma_copy(struct dma_cursor *at, u8 *buf, u32 len, bool to_guest)
{
	while (len) {
		u32 n = MIN(len, at->piece->len - at->offset);
		u8 *p = at->piece->p + at->offset;

		if (to_guest)
			memcpy(p, buf, n);
		else
			memcpy(buf, p, n);
		buf += n;
		len -= n;
		skip(at, n);
	}
}
