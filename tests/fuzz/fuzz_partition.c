/* The input is a drive: its block size, and its first blocks. What is found must lie on it. */
#include <stdlib.h>
#include <string.h>

#include "host/drive.h"
#include "host/partition.h"
#include "lib/errno.h"

#define BLOCKS 64

static const u8 *disk;
static size_t disk_size;

int drive_read(struct drive *d, u64 block, void *buf)
{
	size_t at = block * d->block_size;

	if (block >= d->blocks)
		return -EIO;
	memset(buf, 0, d->block_size);
	if (at < disk_size)
		memcpy(buf, disk + at, MIN(d->block_size, disk_size - at));
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct drive d = {.blocks = BLOCKS, .block_size = size && data[0] & 1 ? 4096 : 512};
	u64 first, count;
	u8 *page = malloc(d.block_size);

	disk = data;
	disk_size = size;
	for (u32 n = 1; n < 1000; n += n < 8 ? 1 : 123)
		if (!partition_find(&d, n, page, &first, &count) &&
		    (!first || !count || first >= BLOCKS || count > BLOCKS - first))
			abort();
	free(page);
	return 0;
}
