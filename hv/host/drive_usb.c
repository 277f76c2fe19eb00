/* USB sticks and disks (Mass Storage Class, Bulk-Only Transport 1.0; SCSI's SPC-3 and SBC-2): one command at
 * a time goes out, with the data that it writes; then the data that it reads come in, and then its status. */
#include "host/usb.h"

#include "host/page.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SIGNATURE_COMMAND 0x43425355U
#define SIGNATURE_STATUS  0x53425355U
#define FLAG_IN		  0x80

enum {
	TEST_UNIT_READY = 0x00,
	REQUEST_SENSE = 0x03,
	INQUIRY = 0x12,
	MODE_SENSE = 0x1A,
	READ_CAPACITY = 0x25,
	READ_10 = 0x28,
	WRITE_10 = 0x2A,
	SYNCHRONIZE_CACHE = 0x35,
	READ_16 = 0x88,
	WRITE_16 = 0x8A,
	READ_CAPACITY_16 = 0x9E,
};
static const u8 cdb_length[] = {6, 10, 10, 0, 16}; /* by the highest three bits */

/* What devices are asked for, in bytes: all ask for as many, so that any device has an answer. */
enum { INQUIRY_LEN = 36, SENSE_LEN = 18, MODE_LEN = 192, CAPACITY_LEN = 8, CAPACITY_16_LEN = 32 };

enum { ALL_PAGES = 0x3F, WRITE_PROTECTED = 0x80 };
enum { KEY_ILLEGAL_REQUEST = 5 };
enum { ASC_MEDIUM_CHANGED = 0x28, ASC_NO_MEDIUM = 0x3A };

#define COMMAND_MS 3000
#define READY_MS   5000
#define STALLS_MAX 2
#define MAX_BYTES  (64U << 10) /* a command: not all sticks take more */
#define TRBS	   (DRIVE_SEGMENTS + 2 + STALLS_MAX)
#define FAILED	   1 /* the device says so, and works */
#define RUNNING	   2

struct usb_disk {
	struct drive d;
	enum { COMMAND_OUT, DATA_IN, STATUS_IN } phase;
	bool gone;	  /* or another medium is there */
	bool bad_residue; /* what it says of those means nothing */
	/* Of this command: */
	bool incomplete;
	u32 stalls;
	struct {
		u32 signature, tag, bytes;
		u8 flags, lun, length, cdb[16];
	} __packed command __aligned(64);
	struct {
		u32 signature, tag, residue;
		u8 status;
	} __packed status __aligned(64);
	struct usb_device u;
};

static void put_be(u8 *to, u64 value, u32 len)
{
	while (len--) {
		to[len] = (u8)value;
		value >>= 8;
	}
}

static u64 get_be(const u8 *from, u32 len)
{
	u64 value = 0;

	while (len--)
		value = value << 8 | *from++;
	return value;
}

/* Starts the command whose CDB is there. */
static void issue(struct usb_disk *s, bool in, const struct dma_segment *seg, u32 count)
{
	struct usb_pipe *out_pipe = &s->u.pipe[USB_OUT], *in_pipe = &s->u.pipe[USB_IN];
	struct dma_segment command = {(u64)&s->command, 31};

	s->command.signature = SIGNATURE_COMMAND;
	s->command.tag++;
	s->command.bytes = 0;
	for (u32 i = 0; i < count; i++)
		s->command.bytes += seg[i].len;
	s->command.flags = in ? FLAG_IN : 0;
	s->command.length = cdb_length[s->command.cdb[0] >> 5];
	s->status.signature = 0;
	s->phase = COMMAND_OUT;
	s->incomplete = false;
	s->stalls = 0;
	usb_events(&s->u); /* of ports: else they would keep the next interrupt back */
	usb_make_room(out_pipe, TRBS);
	usb_make_room(in_pipe, TRBS);
	usb_put(out_pipe, &command, 1, in || !count);
	if (count)
		usb_put(in ? in_pipe : out_pipe, seg, count, true); /* in: for later */
	usb_start(&s->u, USB_OUT);
}

/* How far the command is: 0, FAILED, RUNNING, or -EIO when the device does not follow. */
static int progress(struct usb_disk *s)
{
	struct dma_segment status = {(u64)&s->status, 13};
	bool in = s->command.flags & FLAG_IN;

	usb_events(&s->u);
	for (;;) {
		enum usb_pipe_id id = s->phase == COMMAND_OUT ? USB_OUT : USB_IN;
		u8 code = s->u.pipe[id].code;

		if (code == USB_PENDING)
			return RUNNING;
		if (code == USB_SUCCESS && s->phase == STATUS_IN)
			break;
		if (code == USB_STALL && !(in && s->phase == COMMAND_OUT)) {
			/* It does not want the data, or has none. There is a status all the same (6.7). */
			s->incomplete |= s->phase != STATUS_IN;
			if (s->stalls++ == STALLS_MAX || usb_clear_halt(&s->u, id))
				return -EIO;
		} else if (code == USB_SHORT && s->phase == DATA_IN) {
			s->incomplete = true;
		} else if (code != USB_SUCCESS) {
			return -EIO;
		}
		s->phase = in && s->phase == COMMAND_OUT ? DATA_IN : STATUS_IN;
		if (s->phase == STATUS_IN)
			usb_put(&s->u.pipe[USB_IN], &status, 1, true);
		usb_start(&s->u, USB_IN);
	}
	dma_barrier();
	if (s->status.signature != SIGNATURE_STATUS || s->status.tag != s->command.tag ||
	    s->status.status > FAILED)
		return -EIO;
	return s->status.status;
}

/* A command of ours with len bytes of answer in u.data. */
static int ask(struct usb_disk *s, u8 op, u8 byte1, u8 byte2, u32 len)
{
	struct dma_segment seg = {(u64)s->u.data, len};
	u8 *cdb = s->command.cdb;
	int err = -EIO;

	memset(s->u.data, 0, len);
	memset(cdb, 0, sizeof(s->command.cdb));
	cdb[0] = op;
	cdb[1] = byte1;
	cdb[2] = byte2;
	if (op >> 5 == 0)
		cdb[4] = (u8)len;
	else if (op >> 5 == 4)
		cdb[13] = (u8)len;
	issue(s, len, &seg, len ? 1 : 0);
	return wait_until((err = progress(s)) != RUNNING, COMMAND_MS) ? err : -EIO;
}

/* Why the last command failed: sense key << 8 | additional sense code, or -EIO. */
static int sense(struct usb_disk *s)
{
	return ask(s, REQUEST_SENSE, 0, 0, SENSE_LEN) ? -EIO : (s->u.data[2] & 15) << 8 | s->u.data[12];
}

static void start(struct drive *d, u32 tag, struct drive_cmd *c)
{
	struct usb_disk *s = (struct usb_disk *)d;
	u8 *cdb = s->command.cdb;
	bool far = (c->block + c->blocks) >> 32;

	memset(cdb, 0, sizeof(s->command.cdb));
	if (c->op == DRIVE_FLUSH) {
		cdb[0] = SYNCHRONIZE_CACHE;
	} else {
		cdb[0] = c->op == DRIVE_READ ? READ_10 : WRITE_10;
		put_be(cdb + 2, c->block, 4);
		put_be(cdb + 7, c->blocks, 2);
	}
	if (c->op != DRIVE_FLUSH && far) {
		cdb[0] += READ_16 - READ_10;
		put_be(cdb + 2, c->block, 8);
		put_be(cdb + 10, c->blocks, 4);
	}
	issue(s, c->op == DRIVE_READ, c->seg, c->count);
}

static int poll(struct drive *d)
{
	struct usb_disk *s = (struct usb_disk *)d;
	int err = progress(s);
	bool flush, incomplete;
	int why;

	if (err == RUNNING)
		return usb_is_there(&s->u) ? 0 : -EIO;
	flush = s->command.cdb[0] == SYNCHRONIZE_CACHE;
	/* Or what it took or sent, but did not process. More than all is a mistake that some make. */
	incomplete = s->incomplete || (!s->bad_residue && s->status.residue - 1 < s->command.bytes);
	if (err == FAILED) {
		why = sense(s);
		s->gone = (u8)why == ASC_MEDIUM_CHANGED || (u8)why == ASC_NO_MEDIUM;
		if (why < 0 || s->gone)
			return -EIO;
		if (flush &&
		    why >> 8 == KEY_ILLEGAL_REQUEST) { /* it has no cache, or none that it tells of */
			d->write_through = true;
			err = 0;
		}
	}
	if (err < 0)
		return -EIO;
	drive_done(d, 0, err || incomplete ? -EIO : 0);
	return 0;
}

/* Waits for it to be ready and asks how large it is. */
static int get_size(struct usb_disk *s)
{
	u64 end = deadline_in(READY_MS), last;
	const u8 *data = s->u.data;
	int err;

	while ((err = ask(s, TEST_UNIT_READY, 0, 0, 0))) {
		int why = err < 0 ? -EIO : sense(s); /* and it does not say so again */

		if (why < 0 || (u8)why == ASC_NO_MEDIUM || is_past(end))
			return -EIO;
	}
	if (ask(s, READ_CAPACITY, 0, 0, CAPACITY_LEN))
		return -EIO;
	last = get_be(data, 4);
	s->d.block_size = (u32)get_be(data + 4, 4);
	if (last == ~0U) {
		if (ask(s, READ_CAPACITY_16, 0x10, 0, CAPACITY_16_LEN))
			return -EIO;
		last = get_be(data, 8);
		s->d.block_size = (u32)get_be(data + 8, 4);
	}
	s->d.blocks = last + 1;
	return 0;
}

/* From the port on. */
static int bring_up(struct usb_disk *s)
{
	const u8 *data = s->u.data;
	int err = usb_attach(&s->u);

	if (err)
		return err;
	if (ask(s, INQUIRY, 0, 0, INQUIRY_LEN) || data[0] & 0x1F) /* a disk */
		return -EIO;
	s->bad_residue = !s->incomplete && s->status.residue; /* it has sent all, and says otherwise */
	memcpy(s->d.model, data + 8, 24);		      /* vendor and product */
	if (get_size(s))
		return -EIO;
	err = ask(s, MODE_SENSE, 0, ALL_PAGES, MODE_LEN);
	s->d.readonly = !err && data[2] & WRITE_PROTECTED;
	return MIN(err, 0);
}

/* What a device does not recover from by this, it does by nothing. */
static int reset(struct drive *d)
{
	struct usb_disk *s = (struct usb_disk *)d;
	u64 blocks = d->blocks;
	u32 size = d->block_size;
	bool same = !s->gone && usb_is_there(&s->u);

	usb_detach(&s->u);
	return same && !bring_up(s) && d->blocks == blocks && d->block_size == size ? 0 : -EIO;
}

static const struct drive_ops usb_ops = {start, poll, reset};

void usb_disk_try(struct xhci *x, u32 port, struct spinlock *lock, u64 limit, bool interrupts)
{
	struct usb_disk *s = drive_alloc(sizeof(*s), 4 * GiB);
	int err;

	if (!s)
		return;
	s->u.x = x;
	s->u.port = port;
	err = bring_up(s);
	if (err) {
		if (err != -ENODEV)
			printk("USB port %u: the device does not answer as a disk does\n", port);
		usb_detach(&s->u);
		page_free_run(s, sizeof(*s));
		return;
	}
	s->d.ops = &usb_ops;
	s->d.lock = lock;
	s->d.depth = 1;
	s->d.interrupts = interrupts;
	s->d.rules = (struct dma_rules){
		.align = 4, .max_segments = DRIVE_SEGMENTS, .max_bytes = MAX_BYTES, .limit = limit};
	drive_add(&s->d, "usb");
}
