/* A disk that is blocks of one of the PC's drives. What the drive's DMA reaches goes there straight from or
 * to guest RAM; the rest by way of a page. */
#include "host/page.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/disk.h"
#include "vm/dma_cursor.h"

#define POLL_US	     100
#define POLL_SLOW_US 20000 /* where interrupts tell: for the timeouts */

struct host_request {
	struct drive_job job;
	struct host_disk *h;
	struct disk_request *r; /* NULL: a free one */
	struct dma_cursor at;
	u64 block, left; /* on the drive; bytes */
	u32 bounced;	 /* bytes of the page that the drive has read and the guest not got */
	bool flush;	 /* when nothing is left */
	u8 *page;
};

struct host_disk {
	struct disk d;
	struct drive_user user;
	struct drive *drive;
	u64 first;
	u32 pending;
	struct host_request requests[DISK_MAX_PENDING];
};
_Static_assert((int)DISK_READ == DRIVE_READ && (int)DISK_WRITE == DRIVE_WRITE &&
		       (int)DISK_FLUSH == DRIVE_FLUSH && (int)DISK_DISCARD == DRIVE_DISCARD,
	       "step() takes one for the other");
_Static_assert(sizeof(struct host_disk) <= PAGE_SIZE, "what page_alloc() gives");

static bool step(struct drive_job *j, struct drive_cmd *c)
{
	struct host_request *q = container_of(j, struct host_request, job);
	const struct drive *d = q->h->drive;
	u64 bytes;

	dma_copy(&q->at, q->page, q->bounced, true);
	q->bounced = 0;
	c->op = q->left ? (enum drive_op)q->r->op : DRIVE_FLUSH;
	c->block = q->block;
	c->blocks = c->count = 0;
	if (!q->left) {
		bool flush = q->flush;

		q->flush = false;
		return flush;
	}
	if (c->op == DRIVE_DISCARD) {
		c->blocks = (u32)MIN(q->left / d->block_size, d->discard_max);
		c->count = 1;
		c->seg[0] = (struct dma_segment){(u64)q->page, PAGE_SIZE};
		bytes = (u64)c->blocks * d->block_size;
	} else {
		bytes = dma_take(&d->rules, d->block_size, &q->at, q->left, c);
		if (!bytes) {
			bytes = MIN(q->left, PAGE_SIZE);
			if (c->op == DRIVE_READ)
				q->bounced = (u32)bytes;
			else
				dma_copy(&q->at, q->page, (u32)bytes, false);
			c->blocks = (u32)bytes / d->block_size;
			c->count = 1;
			c->seg[0] = (struct dma_segment){(u64)q->page, (u32)bytes};
		}
	}
	q->block += c->blocks;
	q->left -= bytes;
	return true;
}

static int submit(struct disk *d, struct disk_request *r)
{
	struct host_disk *h = (struct host_disk *)d;
	struct host_request *q = h->requests;
	u32 per_block = d->block_size / SECTOR_SIZE;

	if (r->op == DISK_FLUSH) {
		if (h->drive->write_through)
			return 0;
	} else if ((r->op == DISK_DISCARD && !d->can_discard) || r->sector > d->sectors ||
		   r->count > d->sectors - r->sector) {
		return -EIO;
	}
	while (q < h->requests + DISK_MAX_PENDING && q->r)
		q++;
	if (q == h->requests + DISK_MAX_PENDING)
		return -EIO;
	q->r = r;
	q->at = (struct dma_cursor){r->pieces, 0};
	q->block = h->first + r->sector / per_block;
	q->left = r->op == DISK_FLUSH ? 0 : r->count * SECTOR_SIZE;
	q->bounced = 0;
	q->flush = r->op == DISK_FLUSH || (r->op == DISK_WRITE && r->through && !h->drive->write_through);
	h->pending++;
	spin_lock(h->drive->lock);
	drive_submit(h->drive, &q->job);
	spin_unlock(h->drive->lock);
	return DISK_PENDING;
}

static void collect(struct host_disk *h)
{
	for (struct host_request *q = h->requests; q < h->requests + DISK_MAX_PENDING; q++) {
		struct disk_request *r = q->r;

		if (!r || !__atomic_load_n(&q->job.ended, __ATOMIC_ACQUIRE))
			continue;
		q->r = NULL;
		h->pending--;
		r->done(r, q->job.err);
	}
}

static void poll(struct disk *d)
{
	struct host_disk *h = (struct host_disk *)d;

	spin_lock(h->drive->lock);
	drive_poll(h->drive);
	spin_unlock(h->drive->lock);
	collect(h);
}

static void cancel(struct disk *d)
{
	struct host_disk *h = (struct host_disk *)d;

	spin_lock(h->drive->lock);
	for (u32 i = 0; i < DISK_MAX_PENDING; i++)
		h->requests[i].job.stop = true; /* none begins while another one ends */
	for (struct host_request *q = h->requests; q < h->requests + DISK_MAX_PENDING; q++) {
		if (q->r && !q->job.ended)
			drive_cancel(h->drive, &q->job);
		q->r = NULL;
	}
	h->pending = 0;
	spin_unlock(h->drive->lock);
}

static void finished(struct drive_user *u)
{
	struct host_disk *h = container_of(u, struct host_disk, user);

	if (!h->pending) /* and perhaps no VM */
		return;
	spin_lock(h->d.lock);
	collect(h);
	spin_unlock(h->d.lock);
}

static const struct disk_ops host_ops = {submit, poll, cancel};

struct disk *host_disk_create(struct drive *drive, u64 first, u64 count, bool readonly, const char *serial)
{
	struct host_disk *h = page_alloc();
	u8 *pages = page_alloc_run(DISK_MAX_PENDING * PAGE_SIZE, PAGE_SIZE, drive->rules.limit);

	if (!h || !pages)
		return NULL;
	h->d.ops = &host_ops;
	h->d.block_size = drive->block_size;
	h->d.sectors = count * (drive->block_size / SECTOR_SIZE);
	h->d.readonly = readonly || drive->readonly;
	h->d.can_discard = drive->discard_max;
	h->d.poll_us = drive->interrupts ? POLL_SLOW_US : POLL_US;
	memcpy(h->d.serial, serial, MIN(strlen(serial), sizeof(h->d.serial)));
	h->drive = drive;
	h->first = first;
	for (u32 i = 0; i < DISK_MAX_PENDING; i++) {
		h->requests[i].job.step = step;
		h->requests[i].h = h;
		h->requests[i].page = pages + i * PAGE_SIZE;
	}
	h->user.finished = finished;
	h->user.next = drive->users;
	drive->users = &h->user;
	return &h->d;
}
