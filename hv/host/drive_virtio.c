/* virtio-blk on PCI, the modern interface (virtio 1.2 4.1, 5.2): what clouds and emulators give for a disk.
 */
#include "host/drive.h"
#include "host/irq.h"
#include "host/paging.h"
#include "host/pci.h"
#include "lib/errno.h"
#include "lib/string.h"

/* struct virtio_pci_common_cfg. */
struct common {
	u32 device_feature_select, device_feature, driver_feature_select, driver_feature;
	u16 config_msix_vector, num_queues;
	u8 device_status, config_generation;
	u16 queue_select, queue_size, queue_msix_vector, queue_enable, queue_notify_off;
	u32 queue_desc[2], queue_driver[2], queue_device[2];
};

enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_DEVICE = 4 };
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 64 };

#define F_RO	   BIT(5)
#define F_BLK_SIZE BIT(6)
#define F_FLUSH	   BIT(9)
#define F_DISCARD  BIT(13)
#define F_VERSION1 BIT(0) /* of the second word */

/* The device's config space, as u32 words. */
enum { CAPACITY = 0, BLK_SIZE = 5, MAX_DISCARD_SECTORS = 9 };

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_DISCARD = 11 };
enum { DESC_NEXT = 1, DESC_WRITE = 2 };

#define QUEUE_MAX 256U
#define CHAIN	  16U /* descriptors of a tag: header, segments, status */
#define RESET_MS  1000

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};

/* What a discard writes. */
struct discard {
	u64 sector;
	u32 count, flags;
};

/* What the device reads and writes. */
struct rings {
	struct desc desc[QUEUE_MAX];
	struct {
		u16 flags, idx, ring[QUEUE_MAX];
	} avail;
	struct {
		struct {
			u32 type, reserved;
			u64 sector;
		} header;
		u8 status;
	} request[DRIVE_TAGS];
	struct {
		u16 flags, idx;
		struct {
			u32 id, len;
		} ring[QUEUE_MAX];
	} used __aligned(4);
};

struct virtio {
	struct drive d;
	struct spinlock lock;
	volatile struct common *common;
	volatile u32 *config;
	u64 notify; /* the address, and bytes for each step of queue_notify_off */
	u32 notify_step, size;
	volatile u16 *doorbell;
	u16 avail, used;
	struct rings r __aligned(PAGE_SIZE);
};

static void start(struct drive *d, u32 tag, struct drive_cmd *c)
{
	static const u8 types[] = {[DRIVE_READ] = T_IN,
				   [DRIVE_WRITE] = T_OUT,
				   [DRIVE_FLUSH] = T_FLUSH,
				   [DRIVE_DISCARD] = T_DISCARD};
	struct virtio *v = (struct virtio *)d;
	struct rings *r = &v->r;
	u16 first = (u16)(tag * CHAIN), at = first;
	u64 sector = c->block * (d->block_size / 512);

	if (c->op == DRIVE_DISCARD) {
		*(struct discard *)c->seg[0].addr =
			(struct discard){sector, c->blocks * (d->block_size / 512), 0};
		c->seg[0].len = sizeof(struct discard);
	}
	r->request[tag].header.type = types[c->op];
	r->request[tag].header.sector = c->op <= DRIVE_WRITE ? sector : 0;
	r->request[tag].status = 0xFF;
	r->desc[at] = (struct desc){(u64)&r->request[tag].header, sizeof(r->request[tag].header), DESC_NEXT,
				    (u16)(at + 1)};
	at++;
	for (u32 i = 0; i < c->count; i++, at++)
		r->desc[at] =
			(struct desc){c->seg[i].addr, c->seg[i].len,
				      DESC_NEXT | (c->op == DRIVE_READ ? DESC_WRITE : 0), (u16)(at + 1)};
	r->desc[at] = (struct desc){(u64)&r->request[tag].status, 1, DESC_WRITE, 0};
	r->avail.ring[v->avail++ % v->size] = first;
	dma_barrier();
	*(volatile u16 *)&r->avail.idx = v->avail;
	/* The index is to be seen before the doorbell rings; a write to uncached memory waits for it. */
	dma_barrier();
	*v->doorbell = 0;
}

static int poll(struct drive *d)
{
	struct virtio *v = (struct virtio *)d;
	struct rings *r = &v->r;

	while (d->busy && v->used != *(volatile u16 *)&r->used.idx) {
		u32 tag;

		dma_barrier();
		tag = r->used.ring[v->used++ % v->size].id / CHAIN;
		if (tag < DRIVE_TAGS)
			drive_done(d, tag, r->request[tag].status ? -EIO : 0);
	}
	return d->busy && v->common->device_status & S_NEEDS_RESET ? -EIO : 0; /* all ones: gone */
}

static bool negotiate(struct virtio *v)
{
	volatile struct common *c = v->common;
	u32 features;

	c->device_status = S_ACKNOWLEDGE;
	c->device_status = S_ACKNOWLEDGE | S_DRIVER;
	c->device_feature_select = 0;
	features = c->device_feature & (F_RO | F_BLK_SIZE | F_FLUSH | F_DISCARD);
	c->driver_feature_select = 0;
	c->driver_feature = features;
	c->device_feature_select = 1;
	c->driver_feature_select = 1;
	c->driver_feature = c->device_feature & F_VERSION1;
	c->device_status = S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK;
	v->d.readonly = features & F_RO;
	v->d.block_size = features & F_BLK_SIZE ? MAX(v->config[BLK_SIZE], 512) : 512;
	v->d.write_through = !(features & F_FLUSH);
	v->d.discard_max =
		features & F_DISCARD ? v->config[MAX_DISCARD_SECTORS] / (v->d.block_size / 512) : 0;
	return c->device_status & S_FEATURES_OK;
}

static int reset(struct drive *d)
{
	struct virtio *v = (struct virtio *)d;
	volatile struct common *c = v->common;

	c->device_status = 0;
	if (!wait_until(!c->device_status, RESET_MS) || !negotiate(v))
		return -EIO;
	memset(&v->r, 0, sizeof(v->r));
	v->avail = v->used = 0;
	c->queue_select = 0;
	v->size = MIN(c->queue_size, QUEUE_MAX);
	d->depth = MIN(v->size / CHAIN, DRIVE_TAGS);
	if (!d->depth)
		return -EIO;
	c->queue_size = (u16)v->size;
	c->config_msix_vector = 0xFFFF;
	c->queue_msix_vector = d->interrupts ? 0 : 0xFFFF;
	mmio_write_address(c->queue_desc, v->r.desc);
	mmio_write_address(c->queue_driver, &v->r.avail);
	mmio_write_address(c->queue_device, &v->r.used);
	v->doorbell = mmio_map(v->notify + (u64)c->queue_notify_off * v->notify_step, 2);
	c->queue_enable = 1;
	c->device_status = S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK;
	return v->doorbell ? 0 : -EIO;
}

static const struct drive_ops virtio_ops = {start, poll, reset};

/* Where the structures of the interface are (4.1.4). */
static bool find_structures(struct virtio *v, u32 fn)
{
	u32 cap = 0;

	/* Bounded: the list may be a circle. */
	for (u32 i = 0; i < PCI_CAPS_MAX && (cap = pci_capability(fn, PCI_CAP_VENDOR, cap)); i++) {
		u32 type = pci_read(fn, cap) >> 24, bar_index = pci_read(fn, cap + 4) & 0xFF;
		u64 bar = bar_index < 6 ? pci_bar(fn, bar_index) : 0;
		u64 at = bar + pci_read(fn, cap + 8);

		if (!bar)
			continue;
		if (type == CFG_COMMON && !v->common)
			v->common = mmio_map(at, sizeof(struct common));
		else if (type == CFG_DEVICE && !v->config)
			v->config = mmio_map(at, 64);
		else if (type == CFG_NOTIFY && !v->notify) {
			v->notify = at;
			v->notify_step = pci_read(fn, cap + 16);
		}
	}
	return v->common && v->config && v->notify;
}

int virtio_probe(u32 fn)
{
	struct virtio *v = drive_alloc(sizeof(*v), 0);

	if (!v || !find_structures(v, fn))
		return -ENODEV;
	pci_enable(fn);
	v->d.ops = &virtio_ops;
	v->d.lock = &v->lock;
	v->d.interrupts = pci_msi(fn, VEC_DISK);
	if (reset(&v->d))
		return -ENODEV;
	v->d.blocks = (v->config[CAPACITY] | (u64)v->config[CAPACITY + 1] << 32) / (v->d.block_size / 512);
	v->d.rules = (struct dma_rules){
		.align = 1, .max_segments = CHAIN - 2, .max_bytes = 1 << 20, .limit = ~0ULL};
	drive_add(&v->d, "virtio");
	return 0;
}
