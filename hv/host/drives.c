/* The PC's drives: which there are, by name. */
#include "host/console.h"
#include "host/drive.h"
#include "host/irq.h"
#include "host/page.h"
#include "host/pci.h"
#include "lib/printf.h"
#include "lib/string.h"

/* PCI_ID. */
#define VIRTIO_BLK	  0x10421AF4
#define VIRTIO_BLK_LEGACY 0x10011AF4 /* transitional */

/* Classes. */
#define USB  0x0C03
#define XHCI 0x0C0330

static const struct {
	u32 class, mask; /* class, subclass, programming interface */
	int (*probe)(u32 fn);
} controllers[] = {
	{0x010100, 0xFFFF00, ata_probe},
	{0x010601, 0xFFFFFF, ahci_probe},
	{0x010802, 0xFFFFFF, nvme_probe},
};

static struct drive *drives[DRIVES_MAX];
static u32 drive_count;

void *drive_alloc(u32 size, u64 limit)
{
	void *p = page_alloc_run(size, PAGE_SIZE, limit);

	return p ? memset(p, 0, ALIGN_UP(size, PAGE_SIZE)) : NULL;
}

void mmio_write_address(volatile u32 *reg, const volatile void *p)
{
	reg[0] = (u32)(u64)p;
	reg[1] = (u32)((u64)p >> 32);
}

void drive_add(struct drive *d, const char *kind)
{
	u32 number = 0, len = sizeof(d->model);

	for (u32 i = 0; i < drive_count; i++)
		number += drives[i]->ops == d->ops;
	ksnprintf(d->name, sizeof(d->name), "%s%u", kind, number);
	if (drive_count == DRIVES_MAX || (d->block_size != 512 && d->block_size != 4096) || !d->blocks) {
		printk("disk %s: cannot use it (%lu blocks of %u bytes)\n", d->name, d->blocks,
		       d->block_size);
		return;
	}
	d->waiting_end = &d->waiting;
	drives[drive_count++] = d;
	while (len && d->model[len - 1] <= ' ')
		len--;
	story("disk %s: %llu MiB %.*s", d->name, d->blocks * d->block_size / MiB, (int)len, d->model);
}

struct drive *drive_at(unsigned n)
{
	return n < drive_count ? drives[n] : NULL;
}

/* One vector for all: who has nothing running has nothing to look at. */
static void interrupt(void)
{
	for (u32 i = 0; i < drive_count; i++) {
		struct drive *d = drives[i];

		if (!d->busy && !d->waiting)
			continue;
		spin_lock(d->lock);
		drive_poll(d);
		spin_unlock(d->lock);
		for (struct drive_user *u = d->users; u; u = u->next)
			u->finished(u);
	}
}

static void probe_by(int (*probe)(u32 fn), u32 fn)
{
	u32 id = pci_read(fn, PCI_ID);

	if (probe(fn))
		printk("PCI %02x:%02x.%u: cannot drive this disk controller (%04x:%04x)\n", fn >> 8,
		       fn >> 3 & 31, fn & 7, id & 0xFFFF, id >> 16);
}

static void found(u32 fn, u32 class)
{
	u32 id = pci_read(fn, PCI_ID);
	int (*probe)(u32 fn) = NULL;

	if (id == VIRTIO_BLK || id == VIRTIO_BLK_LEGACY)
		probe = virtio_probe;
	for (unsigned i = 0; i < ARRAY_SIZE(controllers); i++)
		if ((class & controllers[i].mask) == controllers[i].class)
			probe = controllers[i].probe;
	if (probe)
		probe_by(probe, fn);
}

static void found_usb(u32 fn, u32 class)
{
	static const char kinds[][5] = {"UHCI", "OHCI", "EHCI", "xHCI"};
	u32 kind = class >> 4 & 15;

	if (class == XHCI && xhci_probe)
		probe_by(xhci_probe, fn);
	else if (class >> 8 == USB && kind < ARRAY_SIZE(kinds))
		story("PCI %02x:%02x.%u: no driver for USB by %s, disks on it are not seen", fn >> 8,
		      fn >> 3 & 31, fn & 7, kinds[kind]);
}

void drives_init(void)
{
	irq_set_handler(VEC_DISK, interrupt);
	pci_scan(found);
}

void drives_init_usb(void)
{
	static bool done;

	if (!done)
		pci_scan(found_usb);
	done = true;
}
