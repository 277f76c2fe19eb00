/* virtio block devices (virtio 1.2 §5.2): the VM's disks. */
#include "dev/devices.h"
#include "dev/virtio.h"
#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/disk.h"

#define ID_BLOCK 2

#define BLK_F_SEG_MAX  BIT(2)
#define BLK_F_RO       BIT(5)
#define BLK_F_BLK_SIZE BIT(6)
#define BLK_F_FLUSH    BIT(9)
#define BLK_F_DISCARD  BIT(13)

/* The config space, as u32 words. */
enum {
	CONFIG_CAPACITY = 0, /* sectors, 64 bits */
	CONFIG_SEG_MAX = 3,
	CONFIG_BLK_SIZE = 5,
	CONFIG_MAX_DISCARD_SECTORS = 9,
	CONFIG_MAX_DISCARD_SEG = 10,
	CONFIG_DISCARD_ALIGNMENT = 11,
};

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_PENDING };

_Static_assert(VIRTQ_PIECES_MAX <= DISK_MAX_PIECES, "what disk drivers are ready for");

struct blk_header {
	u32 type, reserved;
	u64 sector;
};

struct blk_discard {
	u64 sector;
	u32 count, flags;
};

struct blk_request {
	struct disk_request r;
	struct virtio_blk *blk;
	struct blk_request *next; /* free one */
	u8 *status;		  /* in guest memory */
	u32 data;		  /* bytes that a success writes to guest memory before it */
	struct virtq_chain chain;
};

struct virtio_blk {
	struct virtio_device v; /* comes first */
	struct virtqueue queue;
	struct disk *disk;
	struct blk_request *requests, *free;
	u32 request_count, pending;
	struct vtimer poll;
};

static bool on_disk(const struct disk *d, u64 sector, u64 count)
{
	u32 per_block = d->block_size / SECTOR_SIZE;

	return sector <= d->sectors && count <= d->sectors - sector && !((sector | count) & (per_block - 1));
}

/* Copies up to len bytes between the pieces' start and buf, and cuts them off the pieces. Returns how many.
 */
static u32 take(struct guest_piece **p, u32 *count, void *buf, u32 len, bool to_guest)
{
	u32 done = 0;

	while (done < len && *count) {
		u32 n = MIN(len - done, (*p)->len);

		if (to_guest)
			memcpy((*p)->p, (u8 *)buf + done, n);
		else
			memcpy((u8 *)buf + done, (*p)->p, n);
		done += n;
		(*p)->p += n;
		(*p)->len -= n;
		if (!(*p)->len) {
			++*p;
			--*count;
		}
	}
	return done;
}

static void give_back(struct blk_request *rq)
{
	rq->next = rq->blk->free;
	rq->blk->free = rq;
}

static void finish(struct blk_request *rq, u8 status)
{
	*rq->status = status;
	virtq_push(&rq->blk->queue, rq->chain.head, 1 + (status == S_OK ? rq->data : 0));
	give_back(rq);
}

static u8 submit(struct blk_request *rq, enum disk_op op)
{
	struct disk *d = rq->blk->disk;
	int err;

	rq->r.op = op;
	err = d->ops->submit(d, &rq->r);
	return err == DISK_PENDING ? S_PENDING : err ? S_IOERR : S_OK;
}

static u8 transfer(struct blk_request *rq, u64 sector, bool write)
{
	struct disk *d = rq->blk->disk;
	u64 bytes = 0;

	for (u32 i = 0; i < rq->r.piece_count; i++)
		bytes += rq->r.pieces[i].len;
	rq->r.sector = sector;
	rq->r.count = bytes / SECTOR_SIZE;
	if (bytes % SECTOR_SIZE || bytes >> 31 || !on_disk(d, sector, rq->r.count) || (write && d->readonly))
		return S_IOERR;
	rq->data = write ? 0 : (u32)bytes;
	/* Who does not take the offered FLUSH finds a write stable when it is over (5.2.6.2). */
	rq->r.through = !(rq->blk->v.accepted & BLK_F_FLUSH);
	return submit(rq, write ? DISK_WRITE : DISK_READ);
}

static u8 discard(struct blk_request *rq)
{
	struct disk *d = rq->blk->disk;
	struct blk_discard seg;

	if (!d->can_discard)
		return S_UNSUPP;
	if (take(&rq->r.pieces, &rq->r.piece_count, &seg, sizeof(seg), false) < sizeof(seg) ||
	    rq->r.piece_count)
		return S_IOERR; /* exactly one segment, as the config space says */
	if (seg.flags)
		return S_UNSUPP;
	if (d->readonly || !on_disk(d, seg.sector, seg.count))
		return S_IOERR;
	rq->r.sector = seg.sector;
	rq->r.count = seg.count;
	return submit(rq, DISK_DISCARD);
}

/* Does what the chain asks for, or begins it. -EINVAL when it is not even a request. */
static int begin(struct blk_request *rq)
{
	struct virtq_chain *c = &rq->chain;
	struct guest_piece *out = c->pieces, *in = c->pieces + c->out, *last = in + c->in - 1;
	u32 out_count = c->out, in_count = c->in;
	struct blk_header h;
	u8 status;

	if (!in_count || take(&out, &out_count, &h, sizeof(h), false) < sizeof(h))
		return -EINVAL;
	rq->status = last->p + --last->len;
	if (!last->len)
		in_count--;
	rq->data = 0;
	rq->r.pieces = h.type == T_IN ? in : out;
	rq->r.piece_count = h.type == T_IN ? in_count : out_count;

	switch (h.type) {
	case T_IN:
	case T_OUT:
		status = transfer(rq, h.sector, h.type == T_OUT);
		break;
	case T_FLUSH:
		status = submit(rq, DISK_FLUSH);
		break;
	case T_DISCARD:
		status = discard(rq);
		break;
	case T_GET_ID:
		rq->data = take(&in, &in_count, rq->blk->disk->serial, sizeof(rq->blk->disk->serial), true);
		status = S_OK;
		break;
	default:
		status = S_UNSUPP;
	}
	if (status == S_PENDING)
		rq->blk->pending++;
	else
		finish(rq, status);
	return 0;
}

/* Not later than it is due already, or a busy driver would put it off for ever. */
static void arm_poll(struct virtio_blk *b)
{
	if (b->pending && b->disk->ops->poll && b->poll.deadline == TIMER_NEVER)
		vtimer_arm(&b->poll, tsc_now() + tsc_hz / 1000000 * b->disk->poll_us);
}

/* Takes requests while there is room for them, and tells the driver of those that are over. */
static void work(struct virtio_blk *b)
{
	/* More are not in the queue, unless what is read from the disk puts them there. */
	u32 left = VIRTQ_SIZE_MAX;
	int err = 0;

	do {
		struct blk_request *rq;

		while ((rq = b->free) && (err = virtq_pop(&b->queue, &rq->chain)) > 0) {
			b->free = rq->next;
			err = left-- ? begin(rq) : -EINVAL;
			if (err)
				break;
		}
		if (err < 0) {
			virtio_broken(&b->v);
			return;
		}
	} while (b->free && virtq_rearm(&b->queue));
	virtio_signal(&b->v, &b->queue);
	arm_poll(b);
}

static void done(struct disk_request *r, int err)
{
	struct blk_request *rq = container_of(r, struct blk_request, r);

	rq->blk->pending--;
	if (!virtio_running(&rq->blk->v,
			    &rq->blk->queue)) { /* the driver has stopped the queue, or broken it */
		give_back(rq);
		return;
	}
	finish(rq, err ? S_IOERR : S_OK);
	work(rq->blk);
}

static void poll(void *dev, u64 deadline)
{
	struct virtio_blk *b = dev;

	b->disk->ops->poll(b->disk);
	arm_poll(b);
}

static void notify(struct virtio_device *v, struct virtqueue *q)
{
	work((struct virtio_blk *)v);
}

static void reset(struct virtio_device *v)
{
	struct virtio_blk *b = (struct virtio_blk *)v;

	if (b->pending)
		b->disk->ops->cancel(b->disk);
	b->pending = 0;
	b->free = NULL;
	for (u32 i = 0; i < b->request_count; i++)
		give_back(&b->requests[i]);
}

static const struct virtio_ops blk_ops = {notify, reset};

static void fill_config(struct virtio_blk *b)
{
	const struct disk *d = b->disk;
	u32 *config = b->v.regs + VIRTIO_CONFIG;

	config[CONFIG_CAPACITY] = (u32)d->sectors;
	config[CONFIG_CAPACITY + 1] = (u32)(d->sectors >> 32);
	config[CONFIG_SEG_MAX] = VIRTQ_SIZE_MAX - 2; /* beside header and status */
	config[CONFIG_BLK_SIZE] = d->block_size;
	if (!d->can_discard)
		return;
	config[CONFIG_MAX_DISCARD_SECTORS] = 0x400000; /* 2 GiB */
	config[CONFIG_MAX_DISCARD_SEG] = 1;
	config[CONFIG_DISCARD_ALIGNMENT] = d->block_size / SECTOR_SIZE;
}

static int create(struct vm *vm, struct disk *d, unsigned slot)
{
	struct virtio_blk *b = vm_zalloc(vm, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->disk = d;
	b->request_count = d->ops->cancel ? DISK_MAX_PENDING : 1;
	b->requests = vm_zalloc(vm, b->request_count * sizeof(*b->requests));
	if (!b->requests)
		return -ENOMEM;
	for (struct blk_request *rq = b->requests; rq < b->requests + b->request_count; rq++) {
		rq->blk = b;
		rq->r.done = done;
	}
	if (d->ops->poll)
		vtimer_init(&b->poll, vm_timers(vm), poll, b);
	b->v.ops = &blk_ops;
	b->v.features = BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_FLUSH | (d->readonly ? BLK_F_RO : 0) |
			(d->can_discard && !d->readonly ? BLK_F_DISCARD : 0);
	b->v.queues = &b->queue;
	b->v.queue_count = 1;
	err = virtio_mmio_create(vm, &b->v, ID_BLOCK, slot);
	if (!err)
		fill_config(b);
	return err;
}

int virtio_blk_create(struct vm *vm)
{
	struct disk *d;
	int err = 0;

	for (unsigned n = 0; !err && (d = vm_disk(vm, n)); n++)
		err = create(vm, d, n);
	return err;
}
