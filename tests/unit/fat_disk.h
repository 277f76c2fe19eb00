/* A disk with one small volume: partition at sector 8, 2 reserved sectors, 2 FATs of one sector, root in
 * cluster 2. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "lib/errno.h"
#include "support.h"

#define PART	     8
#define CLUSTERS     100
#define ROOT	     2
#define END_OF_CHAIN 0x0FFFFFFF

static u8 *disk;
static u32 disk_sectors, spc, reads, fail_at;
static struct fat fat;

static inline u8 *sector(u32 lba)
{
	assert_in_range(lba, 0, disk_sectors - 1);
	return disk + lba * 512;
}

static inline void put16(u8 *p, u32 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}

static inline void put32(u8 *p, u32 v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static inline u8 *bpb(void)
{
	return sector(PART);
}

static inline u8 *cluster(u32 c)
{
	return sector(PART + 4 + (c - 2) * spc);
}

static inline void link_to(u32 c, u32 next)
{
	put32(sector(PART + 2) + c * 4, next);
	put32(sector(PART + 3) + c * 4, next);
}

static inline void make_disk(u32 sectors_per_cluster)
{
	free(disk);
	spc = sectors_per_cluster;
	disk_sectors = PART + 4 + CLUSTERS * spc;
	disk = calloc(disk_sectors, 512);
	reads = 0;
	fail_at = ~0u;

	disk[446 + 4] = 0x0C;
	put32(disk + 446 + 8, PART);
	put32(disk + 446 + 12, 4 + CLUSTERS * spc);
	put16(disk + 510, 0xAA55);

	put16(bpb() + 11, 512);
	bpb()[13] = (u8)spc;
	put16(bpb() + 14, 2);
	bpb()[16] = 2;
	put32(bpb() + 32, 4 + CLUSTERS * spc);
	put32(bpb() + 36, 1);
	put32(bpb() + 44, ROOT);
	put16(bpb() + 510, 0xAA55);
	link_to(0, 0x0FFFFFF8);
	link_to(1, END_OF_CHAIN);
	link_to(ROOT, END_OF_CHAIN);
	captured_reset();
}

static inline int read_disk(void *ctx, u64 lba, u32 count, void *buf)
{
	assert_ptr_equal(ctx, &fat);
	assert_true(count && lba + count <= disk_sectors);
	if (reads++ == fail_at)
		return -EIO;
	memcpy(buf, disk + lba * 512, count * 512);
	return 0;
}

static inline int mount(void)
{
	return fat_mount(&fat, read_disk, &fat);
}

static inline void mount_ok(void)
{
	assert_int_equal(mount(), 0);
	assert_string_equal(captured(), "");
}

/* Entry number at of a directory's cluster; the name is the 11 bytes of a short name. */
static inline u8 *put_entry(u32 dir, u32 at, const char *name, u8 attr, u32 first, u32 size)
{
	u8 *e = cluster(dir) + at * 32;

	memcpy(e, name, 11);
	e[11] = attr;
	put16(e + 20, first >> 16);
	put16(e + 26, first);
	put32(e + 28, size);
	return e;
}

static inline void chain(const u32 *list, u32 count)
{
	for (u32 i = 0; i < count; i++)
		link_to(list[i], i + 1 < count ? list[i + 1] : END_OF_CHAIN);
}

/* Fills the clusters of a chain with bytes that tell where they belong. */
static inline u8 pattern(u32 offset)
{
	return (u8)(offset * 7 + offset / 512 * 13);
}

static inline void fill(const u32 *list, u32 count)
{
	for (u32 i = 0; i < count; i++)
		for (u32 k = 0; k < spc * 512; k++)
			cluster(list[i])[k] = pattern(i * spc * 512 + k);
	chain(list, count);
}

static inline struct fat_file open_ok(const char *path)
{
	struct fat_file f;

	assert_int_equal(fat_open(&fat, path, &f), 0);
	return f;
}

static u64 progress_done, progress_total;

static inline void on_progress(u64 done, u64 total)
{
	assert_true(done > progress_done && done <= total);
	progress_done = done;
	progress_total = total;
}

static inline void read_ok(const char *path, u32 size)
{
	struct fat_file f = open_ok(path);
	u8 *buf = malloc(ALIGN_UP(size, 512) + !size);

	assert_int_equal(f.size, size);
	progress_done = progress_total = 0;
	assert_int_equal(fat_read(&fat, &f, buf, on_progress), 0);
	assert_int_equal(progress_done, size);
	assert_int_equal(progress_total, size);
	for (u32 i = 0; i < size; i++)
		if (buf[i] != pattern(i))
			fail_msg("%s: wrong byte at %u", path, i);
	free(buf);
}

static inline int missing(const char *path)
{
	struct fat_file f;

	return fat_open(&fat, path, &f);
}

static inline int clean_up(void **state)
{
	free(disk);
	return 0;
}
