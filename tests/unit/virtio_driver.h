/* The driver's side of a virtio block device, for its tests: guest RAM with a seam between two slots
 * and some ROM, a queue in it, and a disk that finishes requests at once or later. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "dev/devices.h"
#include "dev/machine.h"
#include "dev/virtio.h"
#include "lib/errno.h"
#include "support.h"
#include "vm/disk.h"

#define RAM_SIZE 0x20000
#define SEAM	 0x10000 /* two slots meet */
#define ROM	 0x1F000 /* and above */

#define DESC  0x1000
#define AVAIL 0x2000
#define USED  0x3000
#define TABLE 0x4000 /* an indirect one */
#define QSIZE 8

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11 };

static u8 *ram[2]; /* the two slots */

static inline u8 *at(u64 gpa)
{
	return gpa < SEAM ? ram[0] + gpa : ram[1] + (gpa - SEAM);
}

u8 *guest_chunk(struct vm *vm, u64 gpa, u64 *len, bool write)
{
	u64 end = gpa < SEAM ? SEAM : write ? ROM : RAM_SIZE;

	if (gpa >= end)
		return NULL;
	*len = MIN(*len, end - gpa);
	return at(gpa);
}

/* --- the disk --- */

#define SECTORS 64

static struct disk_request *waiting[64];
static unsigned waiting_count, polls;
static bool later;
static u8 sectors[SECTORS * SECTOR_SIZE];
static struct disk test_disk;

static inline int move_sectors(struct disk_request *r)
{
	u64 offset = r->sector * SECTOR_SIZE, left = r->count * SECTOR_SIZE;

	if (r->op == DISK_FLUSH)
		return 0;
	if (r->sector > SECTORS || r->count > SECTORS - r->sector)
		abort();
	if (r->op == DISK_DISCARD) {
		memset(sectors + offset, 0, left);
		return 0;
	}
	for (u32 i = 0; i < r->piece_count; i++) {
		if (r->pieces[i].len > left)
			abort();
		if (r->op == DISK_READ)
			memcpy(r->pieces[i].p, sectors + offset, r->pieces[i].len);
		else
			memcpy(sectors + offset, r->pieces[i].p, r->pieces[i].len);
		offset += r->pieces[i].len;
		left -= r->pieces[i].len;
	}
	if (left)
		abort();
	return 0;
}

static inline int test_submit(struct disk *d, struct disk_request *r)
{
	if (!later)
		return move_sectors(r);
	if (waiting_count == ARRAY_SIZE(waiting))
		abort();
	waiting[waiting_count++] = r;
	return DISK_PENDING;
}

/* The oldest waiting request is over, or has failed. */
static inline void complete(int err)
{
	struct disk_request *r = waiting[0];

	memmove(waiting, waiting + 1, --waiting_count * sizeof(waiting[0]));
	if (!err)
		move_sectors(r);
	r->done(r, err);
}

static inline void test_poll(struct disk *d)
{
	polls++;
	if (waiting_count)
		complete(0);
}

static inline void test_cancel(struct disk *d)
{
	waiting_count = 0;
}

static const struct disk_ops test_ops = {test_submit, test_poll, test_cancel};

struct disk *vm_disk(struct vm *vm, unsigned n)
{
	return n ? NULL : &test_disk;
}

/* --- the driver --- */

static inline void mmio(u64 offset, u32 val)
{
	fake_mmio_write(VIRTIO_BASE + offset, 4, val);
}

static inline u32 mmio_get(u64 offset)
{
	return (u32)fake_mmio_read(VIRTIO_BASE + offset, 4);
}

static inline void put(u64 gpa, u64 val, unsigned size)
{
	memcpy(at(gpa), &val, size);
}

static inline u64 get(u64 gpa, unsigned size)
{
	u64 val = 0;

	memcpy(&val, at(gpa), size);
	return val;
}

static inline void make_machine(void)
{
	fake_reset(NULL);
	free(ram[0]);
	free(ram[1]);
	ram[0] = calloc(1, SEAM);
	ram[1] = calloc(1, RAM_SIZE - SEAM);
	for (unsigned i = 0; i < sizeof(sectors); i++)
		sectors[i] = (u8)(i / SECTOR_SIZE + i);
	waiting_count = polls = 0;
	later = false;
	test_disk = (struct disk){&test_ops, NULL, SECTORS, SECTOR_SIZE, 100, false, true, "serial"};
}

/* Negotiates and sets the queue up (§3.1.1). */
static inline void start_driver(u64 features)
{
	static const u32 queue[] = {DESC, AVAIL, USED};

	mmio(0x70, 0);
	mmio(0x70, 1);
	mmio(0x70, 3);
	for (unsigned i = 0; i < 2; i++) {
		mmio(0x24, i);
		mmio(0x20, (u32)(features >> 32 * i));
	}
	mmio(0x70, 11);
	mmio(0x30, 0);
	mmio(0x38, QSIZE);
	for (unsigned i = 0; i < 3; i++) {
		mmio(0x80 + 0x10 * i, queue[i]);
		mmio(0x84 + 0x10 * i, 0);
	}
	mmio(0x44, 1);
	mmio(0x70, 15);
}

static inline void descriptor(u64 table, unsigned n, u64 addr, u32 len, u16 flags, u16 next)
{
	put(table + 16 * n, addr, 8);
	put(table + 16 * n + 8, len, 4);
	put(table + 16 * n + 12, flags, 2);
	put(table + 16 * n + 14, next, 2);
}

static inline void make_available(u16 head)
{
	u16 index = (u16)get(AVAIL + 2, 2);

	put(AVAIL + 4 + 2 * (index % QSIZE), head, 2);
	put(AVAIL + 2, (u16)(index + 1), 2);
}

static inline void kick(void)
{
	mmio(0x50, 0);
}

/* --- what a test begins with --- */

void host_timer_rearm(u64 deadline)
{
}

static inline int setup(void **state)
{
	make_machine();
	return virtio_blk_create(NULL);
}

static inline int started(void **state)
{
	int err = setup(state);

	start_driver(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC);
	assert_int_equal(mmio_get(0x70), 15);
	return err;
}

/* --- requests --- */

#define HEADER 0x5000
#define DATA   0x6000
#define STATUS 0x7000

static inline void header(u32 type, u64 sector)
{
	put(HEADER, type, 8);
	put(HEADER + 8, sector, 8);
	put(STATUS, 0xEE, 1);
}

/* A request of three descriptors from n on: header, data, status. */
static inline void request(unsigned n, u32 type, u64 sector, u64 data, u32 len)
{
	header(type, sector);
	descriptor(DESC, n, HEADER, 16, NEXT, n + 1);
	descriptor(DESC, n + 1, data, len, NEXT | (type == IN || type == GET_ID ? WRITE : 0), n + 2);
	descriptor(DESC, n + 2, STATUS, 1, WRITE, 0);
	make_available(n);
}

static inline u8 status(void)
{
	return (u8)get(STATUS, 1);
}

static inline u32 used_len(unsigned n)
{
	return (u32)get(USED + 4 + 8 * n + 4, 4);
}

static inline void assert_broken(void)
{
	assert_int_equal(mmio_get(0x70), 0x4F);
	assert_int_equal(mmio_get(0x60) & 2, 2);
	assert_true(fake_irq[VIRTIO_IRQ]);
}
