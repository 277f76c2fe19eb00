/* Split virtqueues (virtio 1.2 §2.7). The guest may change all of a queue's memory at any moment: each word
 * is read once, and checked after. */
#include "dev/virtio.h"
#include "lib/errno.h"

#define DESC_SIZE     16
#define DESC_NEXT     BIT(0)
#define DESC_WRITE    BIT(1)
#define DESC_INDIRECT BIT(2)

#define AVAIL_NO_INTERRUPT BIT(0)

/* Indices of u16 words. The areas' flags are at 0, their indices at 1. */
#define AVAIL_RING     2
#define USED_RING      2 /* of elements of 4 words */
#define USED_EVENT(q)  (AVAIL_RING + (q)->size)
#define AVAIL_EVENT(q) (USED_RING + 4 * (q)->size)

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

static u16 load(const u16 *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(u16 *p, u16 val)
{
	__atomic_store_n(p, val, __ATOMIC_RELEASE);
}

/* One descriptor; a table that the driver's descriptor leads to may lie at any address. */
static struct desc read_desc(const u8 *p)
{
	typedef u64 __attribute__((aligned(1), may_alias)) word;
	u64 addr = *(const volatile word *)p, rest = *(const volatile word *)(p + 8);

	return (struct desc){addr, (u32)rest, (u16)(rest >> 32), (u16)(rest >> 48)};
}

/* size bytes at gpa, aligned, that the device writes or only reads; NULL when that is not RAM. */
static void *area(struct virtqueue *q, u64 gpa, u64 size, u64 align, bool write)
{
	u64 len = size;
	u8 *p = gpa % align ? NULL : guest_chunk(q->vm, gpa, &len, write);

	return len == size ? p : NULL;
}

int virtq_enable(struct virtqueue *q, u64 features)
{
	u32 n = q->size;

	if (!n || n > VIRTQ_SIZE_MAX || (n & (n - 1)))
		return -EINVAL;
	q->desc = area(q, q->addr[0], n * DESC_SIZE, 16, false);
	q->avail = area(q, q->addr[1], (AVAIL_RING + n + 1) * 2, 2, false);
	q->used = area(q, q->addr[2], (USED_RING + 4 * n + 1) * 2, 4, true);
	if (!q->desc || !q->avail || !q->used)
		return -EINVAL;
	q->indirect = features & VIRTIO_F_INDIRECT_DESC;
	q->event_idx = features & VIRTIO_F_EVENT_IDX;
	q->avail_next = q->used_next = q->signalled = 0;
	q->ready = true;
	return 0;
}

/* Adds a descriptor's memory to the chain: a piece for each memory slot that it lies in. */
static int add(struct virtqueue *q, struct virtq_chain *c, const struct desc *d)
{
	bool write = d->flags & DESC_WRITE;
	u64 gpa = d->addr, left = d->len;

	if (c->in && !write)
		return -EINVAL; /* §2.7.4.2: what the device reads comes first */
	while (left) {
		u64 n = left;
		u8 *p = guest_chunk(q->vm, gpa, &n, write);

		if (!p || c->out + c->in == VIRTQ_PIECES_MAX)
			return -EINVAL;
		c->pieces[c->out + c->in] = (struct guest_piece){p, (u32)n};
		c->out += !write;
		c->in += write;
		gpa += n;
		left -= n;
	}
	return 0;
}

/* Follows the chain from c->head. It is no longer than the queue (§2.7.5.3.1 for indirect ones), so that a
 * loop ends, too. */
static int follow(struct virtqueue *q, struct virtq_chain *c)
{
	const u8 *table = q->desc;
	u32 index = c->head, count = q->size;

	c->out = c->in = 0;
	for (u32 left = q->size + 1; left; left--) { /* one for the descriptor of an indirect table */
		struct desc d;

		if (index >= count)
			return -EINVAL;
		d = read_desc(table + index * DESC_SIZE);
		if (d.flags & DESC_INDIRECT) {
			u64 len = d.len;

			if (!q->indirect || table != q->desc || (d.flags & DESC_NEXT) || len % DESC_SIZE)
				return -EINVAL;
			table = guest_chunk(q->vm, d.addr, &len, false);
			if (!table || len != d.len)
				return -EINVAL;
			index = 0;
			count = d.len / DESC_SIZE;
			continue;
		}
		if (add(q, c, &d))
			return -EINVAL;
		if (!(d.flags & DESC_NEXT))
			return 1;
		index = d.next;
	}
	return -EINVAL;
}

int virtq_pop(struct virtqueue *q, struct virtq_chain *c)
{
	u16 waiting = load(&q->avail[1]) - q->avail_next;

	if (!waiting)
		return 0;
	if (waiting > q->size)
		return -EINVAL;
	c->head = load(&q->avail[AVAIL_RING + q->avail_next % q->size]);
	q->avail_next++;
	return follow(q, c);
}

void virtq_push(struct virtqueue *q, u16 head, u32 len)
{
	u32 *e = (u32 *)(q->used + USED_RING) + 2 * (q->used_next % q->size);

	e[0] = head;
	e[1] = len;
	store(&q->used[1], ++q->used_next);
}

bool virtq_rearm(struct virtqueue *q)
{
	if (q->event_idx)
		store(&q->used[AVAIL_EVENT(q)], q->avail_next);
	/* The driver stores its index and then looks whether we want to know: we do it the other way round.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return load(&q->avail[1]) != q->avail_next;
}

bool virtq_wants_interrupt(struct virtqueue *q)
{
	u16 pushed = q->used_next - q->signalled;

	q->signalled = q->used_next;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!pushed)
		return false;
	if (q->event_idx) /* §2.7.10: the index that the driver waits for is among those */
		return (u16)(q->used_next - load(&q->avail[USED_EVENT(q)]) - 1) < pushed;
	return !(load(&q->avail[0]) & AVAIL_NO_INTERRUPT);
}
