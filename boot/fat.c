/* A FAT32 volume, read only: mounting, cluster chains, file contents. */
#include "boot/fat.h"

#include "host/partition.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define NO_SECTOR (~0u)
#define READ_MAX  1024 /* sectors a read call, so that progress shows */

struct bpb {
	u8 jump[3], oem[8];
	u16 bytes_per_sector;
	u8 sectors_per_cluster;
	u16 reserved_sectors;
	u8 fats;
	u16 root_entries, total16;
	u8 media;
	u16 fat_size16, sectors_per_track, heads;
	u32 hidden, total32;
	u32 fat_size32;
	u16 ext_flags, version;
	u32 root_cluster;
	u8 rest[462];
	u16 signature;
} __packed;

#define EXT_NO_MIRROR 0x80 /* only the FAT in bits 0-3 is kept up to date */

int fat_damaged(const char *what, u32 number)
{
	printk("boot partition: FAT32 is damaged: %s (%u)\n", what, number);
	return -EINVAL;
}

static int check_bpb(struct fat *f, const struct bpb *b, u32 part_sectors)
{
	u64 data_start = b->reserved_sectors + (u64)b->fats * b->fat_size32;
	u8 spc = b->sectors_per_cluster;

	if (b->signature != MBR_SIGNATURE)
		return fat_damaged("no boot sector signature", b->signature);
	if (b->bytes_per_sector != FAT_SECTOR)
		return fat_damaged("sectors must have 512 bytes", b->bytes_per_sector);
	if (!spc || (spc & (spc - 1)))
		return fat_damaged("sectors per cluster must be a power of two", spc);
	if (b->fat_size16 || b->root_entries || !b->fat_size32)
		return fat_damaged("this is FAT12 or FAT16", b->fat_size16);
	if (b->version)
		return fat_damaged("unknown version", b->version);
	if (!b->total32 || b->total32 > part_sectors)
		return fat_damaged("more sectors than the partition, or none", b->total32);
	if (!b->reserved_sectors || !b->fats || data_start >= b->total32)
		return fat_damaged("no room for data behind the FATs", b->fat_size32);

	f->sectors_per_cluster = spc;
	f->fat_start = b->reserved_sectors;
	f->fat_sectors = b->fat_size32;
	f->data_start = (u32)data_start;
	f->clusters = (b->total32 - f->data_start) / spc;
	f->root_cluster = b->root_cluster;
	if (!f->clusters || f->clusters > (u64)f->fat_sectors * 128 - 2)
		return fat_damaged("the FAT has not the size for its clusters", f->clusters);
	if (f->root_cluster - 2 >= f->clusters)
		return fat_damaged("no such root directory cluster", f->root_cluster);
	if (b->ext_flags & EXT_NO_MIRROR) {
		u32 active = b->ext_flags & 15;

		if (active >= b->fats)
			return fat_damaged("no such active FAT", active);
		f->fat_start += active * f->fat_sectors;
	}
	return 0;
}

int fat_mount(struct fat *f, int (*read)(void *ctx, u64 lba, u32 count, void *buf), void *ctx)
{
	const struct mbr *mbr = (const void *)f->fat_cache;
	int err;

	memset(f, 0, sizeof(*f));
	f->read = read;
	f->ctx = ctx;
	f->cached_fat_sector = NO_SECTOR;
	err = read(ctx, 0, 1, f->fat_cache);
	if (err)
		return err;
	if (mbr->signature != MBR_SIGNATURE) {
		printk("boot disk: no partition table in sector 0\n");
		return -ENODEV;
	}
	for (unsigned i = 0; i < 4; i++) {
		struct partition p = mbr->part[i];

		if (p.type != 0x0B && p.type != 0x0C)
			continue;
		if (!p.start)
			return fat_damaged("partition starts at sector 0", i + 1);
		f->start = p.start;
		err = read(ctx, f->start, 1, f->fat_cache);
		return err ? err : check_bpb(f, (const void *)f->fat_cache, p.sectors);
	}
	printk("boot disk: no FAT32 partition (type 0x0B or 0x0C); the types are");
	for (unsigned i = 0; i < 4; i++)
		printk(" 0x%02X", mbr->part[i].type);
	printk("\n");
	return -ENODEV;
}

int fat_next_cluster(struct fat *f, u32 *cluster, u32 *steps)
{
	u32 sector = *cluster / 128, next;
	int err;

	if (++*steps > f->clusters)
		return fat_damaged("a cluster chain runs in a circle", *cluster);
	if (sector != f->cached_fat_sector) {
		f->cached_fat_sector = NO_SECTOR;
		err = f->read(f->ctx, f->start + f->fat_start + sector, 1, f->fat_cache);
		if (err)
			return err;
		f->cached_fat_sector = sector;
	}
	next = ((const u32 *)f->fat_cache)[*cluster % 128] & 0x0FFFFFFF;
	if (next >= 0x0FFFFFF8)
		return 0;
	if (next - 2 >= f->clusters)
		return fat_damaged("a cluster chain points outside the volume", next);
	*cluster = next;
	return 1;
}

u64 fat_cluster_lba(const struct fat *f, u32 cluster)
{
	return f->start + f->data_start + (u64)(cluster - 2) * f->sectors_per_cluster;
}

/* As many sectors as lie side by side from *cluster on, up to the cluster that completes max of them. Moves
 * past them as fat_next_cluster(). */
static int next_run(struct fat *f, u32 *cluster, u32 *steps, u32 max, u64 *lba, u32 *run)
{
	u32 last;
	int more;

	*lba = fat_cluster_lba(f, *cluster);
	*run = 0;
	do {
		last = *cluster;
		*run += f->sectors_per_cluster;
		more = fat_next_cluster(f, cluster, steps);
	} while (more > 0 && *cluster == last + 1 && *run < max);
	return more;
}

static int too_short(const struct fat_file *file)
{
	return fat_damaged("a file is shorter than its directory entry says", file->size);
}

int fat_read(struct fat *f, const struct fat_file *file, void *buf, void (*progress)(u64 done, u64 total))
{
	u32 left = (u32)(((u64)file->size + FAT_SECTOR - 1) / FAT_SECTOR);
	u32 cluster = file->cluster, steps = 0, run;
	u8 *dst = buf;
	int more = 0, err;
	u64 lba;

	while (left) {
		more = next_run(f, &cluster, &steps, MIN(left, READ_MAX), &lba, &run);
		if (more < 0)
			return more;
		run = MIN(run, left);
		err = f->read(f->ctx, lba, run, dst);
		if (err)
			return err;
		dst += run * FAT_SECTOR;
		left -= run;
		if (left && !more)
			return too_short(file);
		if (progress)
			progress(MIN((u64)(dst - (u8 *)buf), file->size), file->size);
	}
	/* A chain that runs in a circle has given wrong data, and shows by having no end. */
	while (more > 0)
		more = fat_next_cluster(f, &cluster, &steps);
	return more;
}

int fat_extent(struct fat *f, const struct fat_file *file, u64 *lba, u64 *sectors)
{
	u32 cluster = file->cluster, steps = 0, room;
	int more = next_run(f, &cluster, &steps, ~0u, lba, &room);

	if (more)
		return more < 0 ? more : -ESPIPE;
	*sectors = file->size / FAT_SECTOR;
	return *sectors > room ? too_short(file) : 0;
}
