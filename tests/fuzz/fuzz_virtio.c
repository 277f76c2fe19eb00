/* A virtio disk and a guest that writes whatever it likes: each step of the input is a register write, bytes
 * for guest memory, or a completion by the drive. Guest memory is in two blocks of exactly its size, so that
 * ASan sees every byte outside; and no completion may come for a request that was forgotten. */
#include <stdlib.h>
#include <string.h>

#include "dev/devices.h"
#include "dev/machine.h"
#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "vm/bus.h"
#include "vm/disk.h"

#define SLOT	0x1000 /* bytes of each of the two memory slots */
#define SECTORS 8

u64 fake_tsc, tsc_hz = 1000000000;
static u8 *slots[2], *sectors;
static void *blocks[16]; /* of vm_zalloc() */
static unsigned block_count, waiting_count;
static struct disk_request *waiting[16];
static bool later;
static const struct mmio_ops *ops;
static void *device;
static struct timer_queue timers;

void printk(const char *fmt, ...)
{
}

void host_timer_rearm(u64 deadline)
{
}

struct timer_queue *vm_timers(struct vm *vm)
{
	return &timers;
}

void *vm_zalloc(struct vm *vm, size_t size)
{
	return blocks[block_count++] = calloc(1, size);
}

void vm_irq_set(struct vm *vm, unsigned gsi, bool level)
{
}

int bus_add_mmio_page(struct vm *vm, u64 base, void *page, const struct mmio_ops *o, void *dev,
		      const char *name)
{
	ops = o;
	device = dev;
	return 0;
}

u8 *guest_chunk(struct vm *vm, u64 gpa, u64 *len, bool write)
{
	u64 offset = gpa % SLOT;

	if (gpa >= 2 * SLOT)
		return NULL;
	*len = MIN(*len, SLOT - offset);
	return slots[gpa / SLOT] + offset;
}

static void move_sectors(struct disk_request *r)
{
	u64 offset = r->sector * SECTOR_SIZE, left = r->count * SECTOR_SIZE;

	if (r->op == DISK_FLUSH)
		return;
	if (r->sector > SECTORS || r->count > SECTORS - r->sector)
		abort();
	if (r->op == DISK_DISCARD) {
		memset(sectors + offset, 0, left);
		return;
	}
	for (u32 i = 0; i < r->piece_count; i++) {
		struct guest_piece *p = &r->pieces[i];

		if (p->len > left)
			abort();
		memmove(r->op == DISK_READ ? p->p : sectors + offset,
			r->op == DISK_READ ? sectors + offset : p->p, p->len);
		offset += p->len;
		left -= p->len;
	}
	if (left)
		abort();
}

static int submit(struct disk *d, struct disk_request *r)
{
	if (!later) {
		move_sectors(r);
		return 0;
	}
	if (waiting_count == ARRAY_SIZE(waiting))
		abort();
	waiting[waiting_count++] = r;
	return DISK_PENDING;
}

static void complete(struct disk *d)
{
	struct disk_request *r = waiting[0];

	if (!waiting_count)
		return;
	memmove(waiting, waiting + 1, --waiting_count * sizeof(waiting[0]));
	move_sectors(r);
	r->done(r, waiting_count & 1 ? -EIO : 0);
}

static void cancel(struct disk *d)
{
	waiting_count = 0;
}

static const struct disk_ops disk_ops = {submit, complete, cancel};
static struct disk disk = {
	.ops = &disk_ops, .sectors = SECTORS, .block_size = SECTOR_SIZE, .poll_us = 100, .can_discard = true};

struct disk *vm_disk(struct vm *vm, unsigned n)
{
	return n ? NULL : &disk;
}

static u8 take(const u8 **data, size_t *size)
{
	if (!*size)
		return 0;
	--*size;
	return *(*data)++;
}

static u32 take32(const u8 **data, size_t *size)
{
	u32 val = 0;

	for (unsigned i = 0; i < 4; i++)
		val |= (u32)take(data, size) << 8 * i;
	return val;
}

/* The set-up that every driver does, so that the input can be about what comes after. */
static void start(void)
{
	static const u32 writes[][2] = {{0x70, 0},    {0x70, 3},     {0x20, 0x30002244}, {0x24, 1},
					{0x20, 1},    {0x70, 11},    {0x38, 8},		 {0x80, 0},
					{0x90, 0x80}, {0xA0, 0x100}, {0x44, 1},		 {0x70, 15}};

	for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
		ops->write(device, writes[i][0], 4, writes[i][1]);
}

static void step(const u8 **data, size_t *size)
{
	u32 word = take(data, size), n;

	switch (word & 7) {
	case 0: /* a register */
	case 1:
		n = take(data, size);
		ops->write(device, n * 4, 4, take32(data, size));
		break;
	case 2: /* memory */
	case 3:
	case 4:
		n = take(data, size) << 8 | take(data, size);
		for (word >>= 3; word < 32; word++, n++)
			slots[n / SLOT & 1][n % SLOT] = take(data, size);
		break;
	case 5:
		ops->write(device, 0x50, 4, 0);
		break;
	case 6:
		complete(&disk);
		break;
	case 7:
		later = word & 8;
		if (word & 16)
			start();
		timers_run(&timers, fake_tsc += 1000000);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	timers = (struct timer_queue){.next = TIMER_NEVER};
	later = false;
	waiting_count = 0;
	slots[0] = calloc(1, SLOT);
	slots[1] = calloc(1, SLOT);
	sectors = calloc(SECTORS, SECTOR_SIZE);
	if (virtio_blk_create(NULL))
		abort();
	start();
	while (size)
		step(&data, &size);
	while (block_count)
		free(blocks[--block_count]);
	free(slots[0]);
	free(slots[1]);
	free(sectors);
	return 0;
}
