/* The FAT reader on any disk: the input is the disk's contents, 512 bytes a sector, the rest zeros. Whatever
 * it holds, the reader stays inside its buffers, ends, and reads the disk a bounded number of times. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "lib/errno.h"
#include "lib/printf.h"

#define DISK_SECTORS (1u << 16)

struct disk {
	const u8 *data;
	size_t size;
	u64 sectors_read;
};

void printk(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

static int read_disk(void *ctx, u64 lba, u32 count, void *buf)
{
	struct disk *d = ctx;
	u64 at = lba * 512, size = count * 512ULL;

	d->sectors_read += count;
	if (lba + count > DISK_SECTORS || d->sectors_read > 4 * DISK_SECTORS)
		return -EIO;
	memset(buf, 0, size);
	if (at < d->size)
		memcpy(buf, d->data + at, MIN(size, d->size - at));
	return 0;
}

static void try(struct fat *f, const char *path)
{
	struct fat_file file;
	u64 data = f->start + f->data_start, lba, sectors;
	u8 *buf;

	if (fat_open(f, path, &file) || file.directory || file.size > 1 << 20)
		return;
	if (file.size && !fat_extent(f, &file, &lba, &sectors) &&
	    (lba < data || lba + sectors > data + (u64)f->clusters * f->sectors_per_cluster))
		abort();
	buf = malloc(ALIGN_UP((size_t)file.size, 512) + !file.size);
	fat_read(f, &file, buf, NULL);
	free(buf);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct disk d = {data, size, 0};
	struct fat f;

	if (fat_mount(&f, read_disk, &d))
		return 0;
	try(&f, "a");
	try(&f, "dir/a long file name");
	return 0;
}
