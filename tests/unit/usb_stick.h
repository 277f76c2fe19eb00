/* A USB stick that does wrong whatever it is told to: the pipes of host/usb.h, with a disk behind them. */
#pragma once

#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/drive.h"
#include "host/usb.h"
#include "lib/errno.h"

#define BLOCK  512
#define BLOCKS 256
#define QUEUE  4

enum {
	TEST_UNIT_READY = 0,
	REQUEST_SENSE = 3,
	INQUIRY = 0x12,
	MODE_SENSE = 0x1A,
	CAPACITY = 0x25,
	READ = 0x28
};
enum { WRITE = 0x2A, FLUSH = 0x35, CAPACITY_16 = 0x9E, READ_16 = 0x88, WRITE_16 = 0x8A };
enum { TRANSACTION_ERROR = 4 };

static u8 media[BLOCKS * BLOCK], cdb[16];
static u64 blocks;
static struct drive *drive;
static struct usb_device *device;
static struct spinlock lock;

/* What the stick does wrong, and how often. */
static struct {
	u32 not_ready, fail, stall_out, stall_data, stall_status;
	u8 fail_op, key, asc, type, status, mode;
	int attach;
	u32 cut;	   /* bytes that it does not send */
	u32 residue;	   /* bytes that it says it did not process */
	u32 bad_tag, code; /* of the status, of the data */
	bool gone, no_medium, silent;
} wrong;
static u32 attached, cleared, tag;
static u8 result;

/* Transfers that are on a pipe. */
static struct {
	struct dma_segment seg[DRIVE_SEGMENTS];
	u32 count;
} queue[USB_PIPES][QUEUE];
static u32 queued[USB_PIPES];

void *drive_alloc(u32 size, u64 limit)
{
	void *p = aligned_alloc(PAGE_SIZE, ALIGN_UP(size, PAGE_SIZE));

	return memset(p, 0, ALIGN_UP(size, PAGE_SIZE));
}

void page_free_run(void *p, u64 size)
{
	free(p);
}

void drive_add(struct drive *d, const char *kind)
{
	assert_string_equal(kind, "usb");
	strcpy(d->name, "usb0");
	d->waiting_end = &d->waiting;
	drive = d;
}

int usb_attach(struct usb_device *u)
{
	attached++;
	device = u;
	memset(queued, 0, sizeof(queued));
	memset(u->pipe, 0, sizeof(u->pipe));
	return wrong.attach;
}

void usb_detach(struct usb_device *u)
{
	memset(queued, 0, sizeof(queued));
}

bool usb_is_there(const struct usb_device *u)
{
	return !wrong.gone;
}

void usb_make_room(struct usb_pipe *p, u32 trbs)
{
}

void usb_events(struct usb_device *u)
{
	fake_tsc += tsc_hz / 100; /* for those who wait */
}

void usb_put(struct usb_pipe *p, const struct dma_segment *seg, u32 count, bool tell)
{
	u32 id = (u32)(p - device->pipe);

	assert_in_range(count, 1, DRIVE_SEGMENTS);
	assert_in_range(queued[id], 0, QUEUE - 1);
	memcpy(queue[id][queued[id]].seg, seg, count * sizeof(*seg));
	queue[id][queued[id]++].count = count;
}

int usb_clear_halt(struct usb_device *u, enum usb_pipe_id id)
{
	cleared++;
	queued[id] = 0;
	return 0;
}

static u64 be(const u8 *p, u32 len)
{
	u64 v = 0;

	while (len--)
		v = v << 8 | *p++;
	return v;
}

static void set_be(u8 *p, u64 v, u32 len)
{
	while (len--) {
		p[len] = (u8)v;
		v >>= 8;
	}
}

static u32 copy(u32 id, u8 *at, bool to_host, u32 bytes)
{
	u32 done = 0;

	for (u32 i = 0; i < queue[id][0].count; i++) {
		u32 n = MIN(queue[id][0].seg[i].len, bytes - done);

		if (to_host)
			memcpy((void *)queue[id][0].seg[i].addr, at + done, n);
		else
			memcpy(at + done, (void *)queue[id][0].seg[i].addr, n);
		done += n;
	}
	memmove(queue[id], queue[id] + 1, sizeof(queue[id]) - sizeof(queue[id][0]));
	queued[id]--;
	return done;
}

static u32 bytes_queued(u32 id)
{
	u32 n = 0;

	for (u32 i = 0; i < queue[id][0].count; i++)
		n += queue[id][0].seg[i].len;
	return n;
}

static u8 *block_at(u64 block, u32 bytes)
{
	block -= blocks - BLOCKS; /* the last of a large stick are those that there are */
	assert_true(block * BLOCK + bytes <= sizeof(media));
	return media + block * BLOCK;
}

/* What the stick answers to the CDB. */
static void answer(u8 *data)
{
	memset(data, 0, 256);
	switch (cdb[0]) {
	case INQUIRY:
		data[0] = wrong.type;
		memcpy(data + 8, "Maker   A stick         1.0 ", 28);
		break;
	case REQUEST_SENSE:
		data[2] = wrong.key;
		data[12] = wrong.asc;
		break;
	case MODE_SENSE:
		data[2] = wrong.mode;
		break;
	case CAPACITY:
		set_be(data, MIN(blocks - 1, ~0U), 4);
		set_be(data + 4, BLOCK, 4);
		break;
	case CAPACITY_16:
		assert_int_equal(cdb[1], 0x10);
		set_be(data, blocks - 1, 8);
		set_be(data + 8, BLOCK, 4);
		break;
	}
}

static u8 command_out(void)
{
	u8 cbw[64];
	u32 bytes, expected;

	assert_int_equal(bytes_queued(USB_OUT), 31);
	copy(USB_OUT, cbw, false, 31);
	assert_memory_equal(cbw, "USBC", 4);
	memcpy(&tag, cbw + 4, 4);
	memcpy(&expected, cbw + 8, 4);
	memset(cdb, 0, sizeof(cdb));
	memcpy(cdb, cbw + 15, cbw[14]);
	result = cdb[0] == READ ? wrong.status : 0;
	if (cdb[0] == TEST_UNIT_READY && wrong.not_ready) {
		wrong.not_ready--;
		result = 1;
	}
	if (wrong.fail && cdb[0] == wrong.fail_op) {
		wrong.fail--;
		result = 1;
	}
	if (wrong.no_medium && cdb[0] == TEST_UNIT_READY)
		result = 1;
	assert_int_equal(queued[USB_OUT] + queued[USB_IN], expected ? 1 : 0);
	if (!expected)
		return USB_SUCCESS;
	assert_int_equal(queued[USB_IN], cbw[12] == 0x80);
	bytes = bytes_queued(cbw[12] ? USB_IN : USB_OUT);
	assert_int_equal(bytes, expected);
	if (cbw[12])
		return USB_SUCCESS;
	if (wrong.stall_out) {
		wrong.stall_out--;
		result = 1;
		return USB_STALL;
	}
	assert_true(cdb[0] == WRITE || cdb[0] == WRITE_16);
	copy(USB_OUT, cdb[0] == WRITE ? block_at(be(cdb + 2, 4), bytes) : block_at(be(cdb + 2, 8), bytes),
	     false, bytes);
	return USB_SUCCESS;
}

static u8 data_in(void)
{
	u32 bytes = bytes_queued(USB_IN), sent = bytes - MIN(bytes, wrong.cut);
	u8 buf[256], *from = buf;

	if (wrong.stall_data) {
		wrong.stall_data--;
		return USB_STALL;
	}
	if (cdb[0] == READ)
		from = block_at(be(cdb + 2, 4), bytes);
	else if (cdb[0] == READ_16)
		from = block_at(be(cdb + 2, 8), bytes);
	else
		answer(buf);
	copy(USB_IN, from, true, sent);
	if (wrong.code && (cdb[0] == READ || cdb[0] == READ_16))
		return (u8)wrong.code;
	return sent < bytes ? USB_SHORT : USB_SUCCESS;
}

static u8 status_in(void)
{
	u8 csw[13] = "USBS";

	assert_int_equal(queued[USB_IN], 1);
	assert_int_equal(bytes_queued(USB_IN), 13);
	if (wrong.stall_status) {
		wrong.stall_status--;
		return USB_STALL;
	}
	tag ^= cdb[0] == READ ? wrong.bad_tag : 0;
	memcpy(csw + 4, &tag, 4);
	memcpy(csw + 8, &wrong.residue, 4);
	csw[12] = result;
	copy(USB_IN, csw, true, sizeof(csw));
	return USB_SUCCESS;
}

void usb_start(struct usb_device *u, enum usb_pipe_id id)
{
	struct usb_pipe *p = &u->pipe[id];

	if (wrong.silent) {
		p->code = USB_PENDING;
		return;
	}
	assert_true(queued[id]);
	if (id == USB_OUT)
		p->code = command_out();
	else
		p->code = bytes_queued(USB_IN) == 13 ? status_in() : data_in();
}
