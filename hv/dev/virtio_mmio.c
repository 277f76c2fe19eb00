/* The virtio transport over MMIO (virtio 1.2 §4.2), version 2 only. A device's registers are a page that the
 * guest reads directly: only its writes exit. So a request costs two exits, the notification and the
 * interrupt's acknowledgement, and what a write selects is put into the page at once. */
#include "dev/machine.h"
#include "dev/virtio.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/bus.h"

enum { /* register offsets (§4.2.2) */
       MAGIC = 0x000,
       VERSION = 0x004,
       DEVICE_ID = 0x008,
       VENDOR_ID = 0x00C,
       DEVICE_FEATURES = 0x010,
       DEVICE_FEATURES_SEL = 0x014,
       DRIVER_FEATURES = 0x020,
       DRIVER_FEATURES_SEL = 0x024,
       QUEUE_SEL = 0x030,
       QUEUE_NUM_MAX = 0x034,
       QUEUE_NUM = 0x038,
       QUEUE_READY = 0x044,
       QUEUE_NOTIFY = 0x050,
       INTERRUPT_STATUS = 0x060,
       INTERRUPT_ACK = 0x064,
       STATUS = 0x070,
       QUEUE_ADDR = 0x080, /* six halves: descriptors, driver area, device area, 16 bytes apart */
       QUEUE_ADDR_END = 0x0A8,
       SHM_LEN = 0x0B0,
       SHM_BASE = 0x0B8,
};

#define MAGIC_VALUE  0x74726976 /* "virt" */
#define VENDOR_VALUE 0x56487870 /* "pxHV" */

enum { STATUS_DRIVER_OK = 4, STATUS_FEATURES_OK = 8, STATUS_NEEDS_RESET = 0x40 };
enum { INTERRUPT_USED = 1, INTERRUPT_CONFIG = 2 };

static u32 *reg(struct virtio_device *d, unsigned offset)
{
	return &d->regs[offset / 4];
}

/* The line is the GSI's, edge-triggered: it goes up with the first reason and down with the last. */
static void interrupt(struct virtio_device *d, u32 reason)
{
	*reg(d, INTERRUPT_STATUS) |= reason;
	vm_irq_set(d->vm, d->irq, true);
}

/* What has come since the driver looked makes a new edge. */
static void acknowledge(struct virtio_device *d, u32 reasons)
{
	*reg(d, INTERRUPT_STATUS) &= ~reasons;
	vm_irq_set(d->vm, d->irq, false);
	if (*reg(d, INTERRUPT_STATUS))
		vm_irq_set(d->vm, d->irq, true);
}

void virtio_signal(struct virtio_device *d, struct virtqueue *q)
{
	if (virtq_wants_interrupt(q))
		interrupt(d, INTERRUPT_USED);
}

void virtio_broken(struct virtio_device *d)
{
	if (!d->told)
		printk("the guest's driver for virtio device %u broke a rule of virtqueues: it must reset "
		       "it\n",
		       d->irq - VIRTIO_IRQ);
	d->told = true;
	*reg(d, STATUS) |= STATUS_NEEDS_RESET;
	if (*reg(d, STATUS) & STATUS_DRIVER_OK)
		interrupt(d, INTERRUPT_CONFIG);
}

static struct virtqueue *selected(struct virtio_device *d)
{
	return d->queue_select < d->queue_count ? &d->queues[d->queue_select] : NULL;
}

static void show_features(struct virtio_device *d, u32 select)
{
	*reg(d, DEVICE_FEATURES) = select < 2 ? d->feature_half[select] : 0;
}

static void show_queue(struct virtio_device *d)
{
	struct virtqueue *q = selected(d);

	*reg(d, QUEUE_NUM_MAX) = q ? VIRTQ_SIZE_MAX : 0;
	*reg(d, QUEUE_READY) = q && q->ready;
}

static void reset(struct virtio_device *d)
{
	d->ops->reset(d);
	for (u32 i = 0; i < d->queue_count; i++)
		d->queues[i] = (struct virtqueue){.vm = d->vm};
	d->accepted = 0;
	d->driver_select = d->queue_select = 0;
	*reg(d, STATUS) = 0;
	acknowledge(d, ~0U);
	show_features(d, 0);
	show_queue(d);
}

static void set_status(struct virtio_device *d, u32 val)
{
	if (!val) {
		reset(d);
		return;
	}
	if (!(d->accepted & VIRTIO_F_VERSION_1) || (d->accepted & ~d->features))
		val &= ~STATUS_FEATURES_OK; /* §2.2.2: not by this device */
	*reg(d, STATUS) = (val & 0xFF) | (*reg(d, STATUS) & STATUS_NEEDS_RESET);
}

static void accept_features(struct virtio_device *d, u32 val)
{
	if (d->driver_select < 2 && !(*reg(d, STATUS) & STATUS_FEATURES_OK))
		d->accepted_half[d->driver_select] = val;
}

static void set_ready(struct virtio_device *d, struct virtqueue *q, u32 val)
{
	if (!(val & 1))
		q->ready = false;
	else if (!q->ready && virtq_enable(q, d->accepted))
		virtio_broken(d);
	show_queue(d);
}

bool virtio_running(const struct virtio_device *d, const struct virtqueue *q)
{
	u32 status = d->regs[STATUS / 4] & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET);

	return q->ready && status == STATUS_DRIVER_OK;
}

static void notify(struct virtio_device *d, u32 index)
{
	if (index < d->queue_count && virtio_running(d, &d->queues[index]))
		d->ops->notify(d, &d->queues[index]);
}

/* The selected queue's registers, those of them that may be written while it is ready excepted. */
static void write_queue(struct virtio_device *d, unsigned offset, u32 val)
{
	struct virtqueue *q = selected(d);

	if (!q)
		return;
	if (offset == QUEUE_READY)
		set_ready(d, q, val);
	else if (q->ready)
		return;
	else if (offset == QUEUE_NUM)
		q->size = val;
	else if (offset >= QUEUE_ADDR && offset < QUEUE_ADDR_END && !(offset & 8))
		q->addr_half[(offset - QUEUE_ADDR) / 16 * 2 + (offset >> 2 & 1)] = val;
}

/* The config space is read-only, and all registers are of four bytes (§4.2.2.2). */
static void mmio_write(void *dev, u64 offset, unsigned size, u64 val)
{
	struct virtio_device *d = dev;

	if (size != 4 || offset & 3)
		return;
	switch (offset) {
	case QUEUE_NOTIFY:
		notify(d, (u32)val);
		break;
	case INTERRUPT_ACK:
		acknowledge(d, (u32)val);
		break;
	case STATUS:
		set_status(d, (u32)val);
		break;
	case DEVICE_FEATURES_SEL:
		show_features(d, (u32)val);
		break;
	case DRIVER_FEATURES_SEL:
		d->driver_select = (u32)val;
		break;
	case DRIVER_FEATURES:
		accept_features(d, (u32)val);
		break;
	case QUEUE_SEL:
		d->queue_select = (u32)val;
		show_queue(d);
		break;
	default:
		write_queue(d, (unsigned)offset, (u32)val);
	}
}

/* For instructions that are emulated, such as those that read and write: what the page says. */
static u64 mmio_read(void *dev, u64 offset, unsigned size)
{
	struct virtio_device *d = dev;
	u64 val = 0;

	__builtin_memcpy(&val, (u8 *)d->regs + offset, size);
	return val;
}

static const struct mmio_ops mmio_ops = {mmio_read, mmio_write};

int virtio_mmio_create(struct vm *vm, struct virtio_device *d, u32 id, unsigned slot)
{
	u32 *regs = vm_zalloc(vm, PAGE_SIZE);

	d->vm = vm;
	d->irq = VIRTIO_IRQ + slot;
	d->features |= VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX;
	d->regs = regs;
	if (!regs)
		return -ENOMEM;
	regs[MAGIC / 4] = MAGIC_VALUE;
	regs[VERSION / 4] = 2;
	regs[DEVICE_ID / 4] = id;
	regs[VENDOR_ID / 4] = VENDOR_VALUE;
	memset(regs + SHM_LEN / 4, 0xFF, SHM_BASE + 8 - SHM_LEN); /* there are no shared memory regions */
	reset(d);
	return bus_add_mmio_page(vm, VIRTIO_BASE + slot * PAGE_SIZE, regs, &mmio_ops, d, "virtio");
}
