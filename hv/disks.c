#include "disks.h"

#include "boot/boot.h"
#include "host/drive.h"
#include "host/partition.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/disk.h"

/* Blocks of a drive that a VM has. */
struct region {
	struct drive *drive;
	u64 first, count;
	bool readonly;
	char name[40];
};

static struct region regions[CONFIG_MAX_VMS * CONFIG_MAX_DISKS];
static u32 region_count;
static u8 page[PAGE_SIZE] __aligned(PAGE_SIZE); /* that drives read into */
static struct fat volume;

static int read_drive(void *ctx, u64 lba, u32 count, void *buf)
{
	for (u8 *to = buf; count; count--, to += sizeof(boot_mbr)) {
		if (drive_read(ctx, lba++, page))
			return -EIO;
		memcpy(to, page, sizeof(boot_mbr));
	}
	return 0;
}

/* Is d the drive that the BIOS gave us to boot from, or one with the same content? */
static bool is_boot_drive(struct drive *d)
{
	return d->block_size == sizeof(boot_mbr) && !drive_read(d, 0, page) &&
	       !memcmp(page, boot_mbr, sizeof(boot_mbr));
}

/* "disk 'NAME': " and why it is refused. */
static int refuse(const struct region *r, const char *why)
{
	printk("disk '%s': %s\n", r->name, why);
	return -EINVAL;
}

/* The drive that pxHV was booted from, among those known; NULL in r when it is not. No other is taken for one
 * on USB. */
static int find_boot_drive(struct region *r)
{
	struct drive *d;

	for (unsigned n = 0; (d = drive_at(n)); n++) {
		if ((boot_from_usb && strncmp(d->name, "usb", 3)) || !is_boot_drive(d))
			continue;
		if (r->drive)
			return refuse(r, "two drives look like the one pxHV was booted from: unplug one");
		r->drive = d;
	}
	return 0;
}

/* A file of the boot partition, found again by the drive's own driver. */
static int find_boot_file(struct region *r, const char *path)
{
	struct fat_file file;
	int err = find_boot_drive(r);

	if (!err && !r->drive) {
		drives_init_usb();
		err = find_boot_drive(r);
	}
	if (err)
		return err;
	if (!r->drive)
		return refuse(r, "pxHV has no driver for the drive it was booted from; use file:");
	if (fat_mount(&volume, read_drive, r->drive))
		return -EINVAL;
	err = fat_open(&volume, path, &file);
	if (err || file.directory || file.size < SECTOR_SIZE)
		return refuse(r, "there is no such file on the boot partition, or no sector in it");
	err = fat_extent(&volume, &file, &r->first, &r->count);
	if (err == -ESPIPE)
		return refuse(r, "the file is in several pieces: put a copy in its place");
	if (!err && (r->first >= r->drive->blocks || r->count > r->drive->blocks - r->first))
		return refuse(r, "the boot partition ends behind the drive");
	return err;
}

static int find_drive(struct region *r, const struct disk_config *c)
{
	struct drive *d;
	unsigned n = 0;

	if (!strncmp(c->name, "usb", 3))
		drives_init_usb();
	while ((d = drive_at(n)) && strcmp(d->name, c->name))
		n++;
	if (!d) {
		printk("disk '%s': this PC has no such drive; it has", r->name);
		for (n = 0; (d = drive_at(n)); n++)
			printk(" %s", d->name);
		printk(n ? "\n" : " none that pxHV has a driver for\n");
		return -EINVAL;
	}
	r->drive = d;
	if (!c->partition) {
		r->count = d->blocks;
		if (!r->readonly && !c->boot_too && is_boot_drive(d))
			return refuse(r, "pxHV was booted from it; to let the guest write all over it, put "
					 "',boot' behind its "
					 "name");
		return 0;
	}
	if (partition_find(d, c->partition, page, &r->first, &r->count))
		return refuse(r, "there is no such partition on the drive");
	return 0;
}

/* No two disks have blocks in common, unless both only read. */
static int check_overlap(const struct region *r)
{
	for (const struct region *o = regions; o < r; o++)
		if (o->drive == r->drive && o->first < r->first + r->count &&
		    r->first < o->first + o->count && !(o->readonly && r->readonly)) {
			printk("disk '%s': it has blocks in common with disk '%s'\n", r->name, o->name);
			return -EBUSY;
		}
	return 0;
}

static int open_disk(struct disk_config *c)
{
	struct region *r = &regions[region_count++];
	int err;

	if (region_count == 1)
		drives_init();
	r->readonly = c->readonly;
	ksnprintf(r->name, sizeof(r->name), c->partition ? "%s%sp%u" : "%s%s",
		  c->kind == DISK_BOOT ? "boot:" : "", c->name, c->partition);
	err = c->kind == DISK_BOOT ? find_boot_file(r, c->name) : find_drive(r, c);
	if (!err)
		err = check_overlap(r);
	if (err)
		return err;
	c->disk = host_disk_create(r->drive, r->first, r->count, r->readonly, r->name);
	return c->disk ? 0 : refuse(r, "no memory left for it");
}

int disks_open(struct config *c)
{
	for (struct vm_config *v = c->vms; v < c->vms + c->vm_count; v++)
		for (struct disk_config *d = v->disks; d < v->disks + CONFIG_MAX_DISKS && d->kind; d++)
			if (d->kind != DISK_FILE && open_disk(d))
				return -EINVAL;
	return 0;
}
