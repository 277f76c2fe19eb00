/* Files of the boot partition: the config, kernels and whatever else it names. */
#include "boot/boot.h"
#include "host/page.h"
#include "lib/errno.h"
#include "lib/printf.h"

u8 boot_mbr[512];
static struct fat volume;

static int read_sectors(void *ctx, u64 lba, u32 count, void *buf)
{
	return disk_read(lba, count, buf);
}

int boot_load_file(const char *path, u8 **data, u64 *size)
{
	struct fat_file file;
	u64 room;
	int err;

	err = fat_open(&volume, path, &file);
	if (err) {
		if (err == -ENOENT)
			printk("cannot find '%s' on the boot partition\n", path);
		return err;
	}
	if (file.directory || !file.size) {
		printk("'%s' on the boot partition is %s\n", path, file.directory ? "a folder" : "empty");
		return -EINVAL;
	}
	room = ALIGN_UP((u64)file.size, PAGE_SIZE);
	*data = page_alloc_run(room, PAGE_SIZE, 0);
	if (!*data) {
		printk("no memory for '%s': it takes %llu KiB, the largest free run has %llu\n", path,
		       room / KiB, page_largest_run(PAGE_SIZE) / KiB);
		return -ENOMEM;
	}
	progress_begin(path);
	err = fat_read(&volume, &file, *data, progress_update);
	progress_end();
	if (err) {
		page_free_run(*data, room);
		return err;
	}
	*size = file.size;
	return 0;
}

int boot_config(struct config *c)
{
	static const char name[] = "pxhv.conf";
	u8 *text;
	u64 size;
	int err;

	err = disk_init();
	if (!err)
		err = disk_read(0, 1, boot_mbr);
	if (!err)
		err = fat_mount(&volume, read_sectors, NULL);
	if (!err)
		err = boot_load_file(name, &text, &size);
	if (err)
		return err;
	if (config_parse(c, name, (const char *)text, size))
		err = -EINVAL;
	page_free_run(text, size);
	return err;
}
