/* A drive in RAM that checks the commands that it gets, and a disk on its blocks from FIRST on. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "host/ata.h"
#include "lib/errno.h"
#include "support.h"
#include "vm/disk.h"

#define BLOCKS 4096
#define FIRST  100
#define COUNT  3000
#define ARENA  (4 * MiB)

static u8 media[BLOCKS * 512], *arena;
static struct drive drive;
static struct spinlock drive_lock, vm_lock;
static struct drive_cmd running[DRIVE_TAGS];
static u32 started, resets, flushes;
static bool silent, failing, gone;

static inline void start(struct drive *d, u32 tag, struct drive_cmd *c)
{
	u64 bytes = 0;

	if (c->op != DRIVE_FLUSH)
		assert_true(c->block >= FIRST && c->block + c->blocks <= FIRST + COUNT);
	if (c->op == DRIVE_DISCARD) {
		assert_in_range(c->blocks, 1, d->discard_max);
		assert_int_equal(c->count, 1);
		ata_trim(c);
	}
	running[tag] = *c;
	started++;
	assert_in_range(c->count, 0, d->rules.max_segments);
	for (u32 i = 0; i < c->count; i++) {
		u64 addr = c->seg[i].addr, end = addr + c->seg[i].len;

		assert_true(c->seg[i].len && addr >> 16 == (end - 1) >> 16 && end <= d->rules.limit);
		assert_int_equal((addr | end) & (d->rules.align - 1), 0);
		if (d->rules.page_joints && i)
			assert_int_equal(addr % PAGE_SIZE, 0);
		if (d->rules.page_joints && i + 1 < c->count)
			assert_int_equal(end % PAGE_SIZE, 0);
		bytes += c->seg[i].len;
	}
	assert_int_equal(bytes, c->blocks * d->block_size);
	assert_true(bytes <= d->rules.max_bytes && (bytes || c->op == DRIVE_FLUSH));
}

static inline void transfer(const struct drive_cmd *c)
{
	u8 *at = media + c->block * 512;

	for (u32 i = 0; i < c->count; at += c->seg[i++].len)
		if (c->op == DRIVE_READ)
			memcpy((void *)c->seg[i].addr, at, c->seg[i].len);
		else if (c->op == DRIVE_WRITE)
			memcpy(at, (void *)c->seg[i].addr, c->seg[i].len);
		else
			for (const u64 *range = (u64 *)c->seg[i].addr; *range; range++)
				memset(media + (*range & (BIT(48) - 1)) * 512, 0, (*range >> 48) * 512);
	flushes += c->op == DRIVE_FLUSH;
}

static inline int poll(struct drive *d)
{
	if (gone)
		return -EIO;
	for (u32 tag = 0; !silent && tag < DRIVE_TAGS; tag++) {
		if (!(d->busy & BIT(tag)))
			continue;
		if (!failing)
			transfer(&running[tag]);
		drive_done(d, tag, failing ? -EIO : 0);
	}
	fake_tsc += tsc_hz / 100; /* for those who wait */
	return 0;
}

static inline int reset(struct drive *d)
{
	resets++;
	return 0;
}

static const struct drive_ops ops = {start, poll, reset};

static inline int setup(void **state)
{
	fake_reset(state);
	if (!arena)
		arena = aligned_alloc(BIT(16), ARENA);
	drive = (struct drive){.ops = &ops,
			       .lock = &drive_lock,
			       .name = "fake0",
			       .blocks = BLOCKS,
			       .block_size = 512,
			       .depth = DRIVE_TAGS,
			       .waiting_end = &drive.waiting};
	drive.rules = (struct dma_rules){
		.align = 2, .max_segments = DRIVE_SEGMENTS, .max_bytes = 1 << 20, .limit = ~0ULL};
	started = resets = flushes = 0;
	silent = failing = gone = false;
	for (u32 i = 0; i < sizeof(media); i++)
		media[i] = (u8)rand();
	return 0;
}

static inline struct disk *make(void)
{
	struct disk *d = host_disk_create(&drive, FIRST, COUNT, false, "fake0p1");

	d->lock = &vm_lock;
	assert_int_equal(d->sectors, COUNT);
	return d;
}

static u32 done_count;
static int done_err;

static inline void done(struct disk_request *r, int err)
{
	done_count++;
	done_err = err;
}

static inline int do_all(struct disk *d, struct disk_request *r)
{
	r->done = done;
	done_count = 0;
	assert_int_equal(d->ops->submit(d, r), DISK_PENDING);
	for (u32 i = 0; i < 20000 && !done_count; i++)
		d->ops->poll(d);
	assert_int_equal(done_count, 1);
	return done_err;
}
