#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/boot.h"
#include "lib/errno.h"

/* A disk with one small volume: partition at sector 8, 2 reserved sectors, 2 FATs of one sector, root in
 * cluster 2. */
#define PART	     8
#define CLUSTERS     100
#define ROOT	     2
#define END_OF_CHAIN 0x0FFFFFFF

static u8 *disk;
static u32 disk_sectors, spc, reads, fail_at;
static struct fat fat;

static u8 *sector(u32 lba)
{
	assert_in_range(lba, 0, disk_sectors - 1);
	return disk + lba * 512;
}

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)v;
	p[1] = (u8)(v >> 8);
}

static void put32(u8 *p, u32 v)
{
	put16(p, v);
	put16(p + 2, v >> 16);
}

static u8 *bpb(void)
{
	return sector(PART);
}

static u8 *cluster(u32 c)
{
	return sector(PART + 4 + (c - 2) * spc);
}

static void link_to(u32 c, u32 next)
{
	put32(sector(PART + 2) + c * 4, next);
	put32(sector(PART + 3) + c * 4, next);
}

static void make_disk(u32 sectors_per_cluster)
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

static int read_disk(void *ctx, u64 lba, u32 count, void *buf)
{
	assert_ptr_equal(ctx, &fat);
	assert_true(count && lba + count <= disk_sectors);
	if (reads++ == fail_at)
		return -EIO;
	memcpy(buf, disk + lba * 512, count * 512);
	return 0;
}

static int mount(void)
{
	return fat_mount(&fat, read_disk, &fat);
}

static void mount_ok(void)
{
	assert_int_equal(mount(), 0);
	assert_string_equal(captured(), "");
}

/* Entry number at of a directory's cluster; the name is the 11 bytes of a short name. */
static u8 *put_entry(u32 dir, u32 at, const char *name, u8 attr, u32 first, u32 size)
{
	u8 *e = cluster(dir) + at * 32;

	memcpy(e, name, 11);
	e[11] = attr;
	put16(e + 20, first >> 16);
	put16(e + 26, first);
	put32(e + 28, size);
	return e;
}

static u8 checksum(const char *name)
{
	u8 sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (u8)((sum >> 1 | sum << 7) + (u8)name[i]);
	return sum;
}

/* A long name's entries from at on; returns their number. */
static u32 put_lfn(u32 dir, u32 at, const u16 *units, u32 len, u8 sum)
{
	static const u8 where[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	u32 pieces = (len + 12) / 13;

	for (u32 i = 0; i < pieces; i++) {
		u32 order = pieces - i;
		u8 *e = cluster(dir) + (at + i) * 32;

		memset(e, 0, 32);
		e[0] = (u8)(order | (i == 0 ? 0x40 : 0));
		e[11] = 0x0F;
		e[13] = sum;
		for (u32 k = 0; k < 13; k++) {
			u32 n = (order - 1) * 13 + k;

			put16(e + where[k], n < len ? units[n] : n == len ? 0 : 0xFFFF);
		}
	}
	return pieces;
}

static u32 put_lfn_ascii(u32 dir, u32 at, const char *name, u8 sum)
{
	u16 units[256];
	u32 len = 0;

	for (; name[len]; len++)
		units[len] = (u8)name[len];
	return put_lfn(dir, at, units, len, sum);
}

static void chain(const u32 *list, u32 count)
{
	for (u32 i = 0; i < count; i++)
		link_to(list[i], i + 1 < count ? list[i + 1] : END_OF_CHAIN);
}

/* Fills the clusters of a chain with bytes that tell where they belong. */
static u8 pattern(u32 offset)
{
	return (u8)(offset * 7 + offset / 512 * 13);
}

static void fill(const u32 *list, u32 count)
{
	for (u32 i = 0; i < count; i++)
		for (u32 k = 0; k < spc * 512; k++)
			cluster(list[i])[k] = pattern(i * spc * 512 + k);
	chain(list, count);
}

static struct fat_file open_ok(const char *path)
{
	struct fat_file f;

	assert_int_equal(fat_open(&fat, path, &f), 0);
	return f;
}

static u64 progress_done, progress_total;

static void on_progress(u64 done, u64 total)
{
	assert_true(done > progress_done && done <= total);
	progress_done = done;
	progress_total = total;
}

static void read_ok(const char *path, u32 size)
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

static int missing(const char *path)
{
	struct fat_file f;

	return fat_open(&fat, path, &f);
}

static void mounts(void **state)
{
	for (u32 n = 1; n <= 128; n *= 2) {
		make_disk(n);
		mount_ok();
		assert_int_equal(fat.start, PART);
		assert_int_equal(fat.sectors_per_cluster, n);
		assert_int_equal(fat.clusters, CLUSTERS);
	}
}

static void takes_the_first_fat32_partition(void **state)
{
	make_disk(1);
	memcpy(disk + 446 + 2 * 16, disk + 446, 16);
	memset(disk + 446, 0, 16);
	disk[446 + 16 + 4] = 0x83;
	disk[446 + 2 * 16 + 4] = 0x0B;
	mount_ok();
}

static void refuses_disks_without_one(void **state)
{
	make_disk(1);
	disk[446] = 0x80;
	disk[446 + 4] = 0x0E; /* FAT16, active or not */
	assert_int_equal(mount(), -ENODEV);
	assert_string_equal(captured(),
			    "boot disk: no FAT32 partition (type 0x0B or 0x0C); the types are 0x0E 0x00 "
			    "0x00 0x00\n");
	captured_reset();
	disk[511] = 0;
	assert_int_equal(mount(), -ENODEV);
	assert_string_equal(captured(), "boot disk: no partition table in sector 0\n");
	make_disk(1);
	put32(disk + 446 + 8, 0);
	assert_int_equal(mount(), -EINVAL);
}

static void refuses_a_damaged_boot_sector(void **state)
{
	static const struct {
		u16 offset;
		u8 size;
		u32 value;
		const char *says;
	} cases[] = {
		{510, 2, 0, "no boot sector signature (0)"},
		{11, 2, 4096, "sectors must have 512 bytes (4096)"},
		{13, 1, 0, "sectors per cluster must be a power of two (0)"},
		{13, 1, 3, "sectors per cluster must be a power of two (3)"},
		{22, 2, 9, "this is FAT12 or FAT16 (9)"},
		{17, 2, 512, "this is FAT12 or FAT16 (0)"},
		{36, 4, 0, "this is FAT12 or FAT16 (0)"},
		{42, 2, 1, "unknown version (1)"},
		{32, 4, 0, "more sectors than the partition, or none (0)"},
		{32, 4, 105, "more sectors than the partition, or none (105)"},
		{32, 4, 4, "no room for data behind the FATs (1)"},
		{14, 2, 0, "no room for data behind the FATs (1)"},
		{16, 1, 0, "no room for data behind the FATs (1)"},
		{36, 4, 0xFFFFFFFF, "no room for data behind the FATs (4294967295)"},
		{36, 4, 0x80000000, "no room for data behind the FATs (2147483648)"},
		{13, 1, 128, "the FAT has not the size for its clusters (0)"},
		{44, 4, 0, "no such root directory cluster (0)"},
		{44, 4, CLUSTERS + 2, "no such root directory cluster (102)"},
		{40, 2, 0x82, "no such active FAT (2)"},
	};
	char want[128];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 value[4];

		make_disk(1);
		put32(value, cases[i].value);
		memcpy(bpb() + cases[i].offset, value, cases[i].size);
		assert_int_equal(mount(), -EINVAL);
		snprintf(want, sizeof(want), "boot partition: FAT32 is damaged: %s\n", cases[i].says);
		assert_string_equal(captured(), want);
	}
	/* More clusters than the FAT has entries for. */
	make_disk(2);
	bpb()[13] = 1;
	assert_int_equal(mount(), -EINVAL);
}

static void reads_the_active_fat(void **state)
{
	static const u32 list[] = {10, 11, 20};

	make_disk(1);
	put16(bpb() + 40, 0x81);
	fill(list, 3);
	memset(sector(PART + 2), 0xEE, 512); /* FAT 0 is stale */
	put_entry(ROOT, 0, "F          ", 0, 10, 1500);
	mount_ok();
	read_ok("f", 1500);
}

static void reads_contiguous_and_fragmented_files(void **state)
{
	static const u32 together[] = {10, 11, 12, 13, 14, 15}, apart[] = {40, 30, 31, 32, 20, 60};

	for (u32 n = 1; n <= 8; n *= 8) {
		u32 full = 6 * n * 512;

		for (u32 cut = 0; cut < 3; cut++) {
			u32 size = full - (u32[]){0, 1, n * 512 - 1}[cut];

			make_disk(n);
			fill(together, 6);
			fill(apart, 6);
			put_entry(ROOT, 0, "TOGETHERBIN", 0x20, 10, size);
			put_entry(ROOT, 1, "APART   BIN", 0x20, 40, size);
			mount_ok();
			read_ok("together.bin", size);
			read_ok("/Apart.Bin", size);
		}
		reads = 0;
		read_ok("TOGETHER.BIN", full - (n * 512 - 1));
		/* The directory, and one call for all the data; its FAT sector is cached from before. */
		assert_int_equal(reads, 2);
	}
}

static void extents(void **state)
{
	static const u32 together[] = {10, 11, 12, 13}, apart[] = {40, 41, 43}, back[] = {50, 49},
			 one[] = {60};
	struct fat_file file;
	u64 lba, sectors;

	make_disk(2);
	fill(together, 4);
	fill(apart, 3);
	fill(back, 2);
	fill(one, 1);
	put_entry(ROOT, 0, "TOGETHERBIN", 0x20, 10, 7 * 512 + 1);
	put_entry(ROOT, 1, "APART   BIN", 0x20, 40, 6 * 512);
	put_entry(ROOT, 2, "BACK    BIN", 0x20, 50, 4 * 512);
	put_entry(ROOT, 3, "ONE     BIN", 0x20, 60, 511);
	put_entry(ROOT, 4, "SHORT   BIN", 0x20, 60, 3 * 512);
	mount_ok();
	assert_int_equal(fat_open(&fat, "together.bin", &file), 0);
	assert_int_equal(fat_extent(&fat, &file, &lba, &sectors), 0);
	assert_ptr_equal(sector((u32)lba), cluster(10));
	assert_int_equal(sectors, 7);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(fat_open(&fat, i ? "back.bin" : "apart.bin", &file), 0);
		assert_int_equal(fat_extent(&fat, &file, &lba, &sectors), -ESPIPE);
	}
	assert_int_equal(fat_open(&fat, "one.bin", &file), 0);
	assert_int_equal(fat_extent(&fat, &file, &lba, &sectors), 0);
	assert_int_equal(sectors, 0);
	assert_string_equal(captured(), "");
	assert_int_equal(fat_open(&fat, "short.bin", &file), 0);
	assert_int_equal(fat_extent(&fat, &file, &lba, &sectors), -EINVAL);
	link_to(60, 60);
	assert_int_equal(mount(), 0); /* it has the FAT's sector cached */
	assert_int_equal(fat_extent(&fat, &file, &lba, &sectors), -ESPIPE);
}

static void reads_an_empty_file(void **state)
{
	make_disk(1);
	put_entry(ROOT, 0, "EMPTY      ", 0x20, 0, 0);
	mount_ok();
	read_ok("empty", 0);
}

static void reports_damaged_chains(void **state)
{
	static const u32 list[] = {10, 11, 20};
	static const struct {
		u32 from, to;
		const char *says;
	} cases[] = {
		{11, 0, "a cluster chain points outside the volume (0)"},
		{11, 1, "a cluster chain points outside the volume (1)"},
		{11, 0x0FFFFFF7, "a cluster chain points outside the volume (268435447)"},
		{11, CLUSTERS + 2, "a cluster chain points outside the volume (102)"},
		{11, END_OF_CHAIN, "a file is shorter than its directory entry says (1500)"},
		{11, 0x0FFFFFF8, "a file is shorter than its directory entry says (1500)"},
		{20, 10, "a cluster chain runs in a circle"},
		{11, 11, "a cluster chain runs in a circle (11)"},
		{11, 10, "a cluster chain runs in a circle"},
	};
	char want[128];
	u8 buf[1536];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fat_file f;

		make_disk(1);
		fill(list, 3);
		put_entry(ROOT, 0, "F          ", 0, 10, 1500);
		link_to(cases[i].from, cases[i].to);
		mount_ok();
		f = open_ok("f");
		assert_int_equal(fat_read(&fat, &f, buf, NULL), -EINVAL);
		snprintf(want, sizeof(want), "boot partition: FAT32 is damaged: %s", cases[i].says);
		assert_memory_equal(captured(), want, strlen(want));
	}
	/* The upper four bits of an entry are not part of the number. */
	make_disk(1);
	fill(list, 3);
	link_to(10, 0xF000000B);
	put_entry(ROOT, 0, "F          ", 0, 10, 1500);
	mount_ok();
	read_ok("f", 1500);
	/* More clusters than the size needs: preallocated, no damage. */
	put_entry(ROOT, 0, "F          ", 0, 10, 100);
	read_ok("f", 100);
}

static void reports_a_file_that_begins_nowhere(void **state)
{
	static const u32 first[] = {0, 1, CLUSTERS + 2, 0xFFFFFFFF};

	for (unsigned i = 0; i < ARRAY_SIZE(first); i++) {
		make_disk(1);
		put_entry(ROOT, 0, "F          ", 0, first[i], 1500);
		mount_ok();
		assert_int_equal(missing("f"), -EINVAL);
		assert_memory_equal(captured(), "boot partition: FAT32 is damaged: a file begins", 47);
	}
}

static void short_names(void **state)
{
	make_disk(1);
	put_entry(ROOT, 0, "PXHV       ", 0x08, 0, 0); /* the label is no file */
	put_entry(ROOT, 1, "\xE5RASED  BIN", 0, 0, 0);
	put_entry(ROOT, 2, "PXHV    CNF", 0, 0, 0);
	put_entry(ROOT, 3, "NOEXT      ", 0, 0, 0);
	put_entry(ROOT, 4, "A B     C  ", 0, 0, 0);
	put_entry(ROOT, 5, "\x05KANJI  TXT", 0, 0, 0);
	put_entry(ROOT, 6, "ABCDEFGHIJK", 0, 0, 0);
	mount_ok();
	open_ok("pxhv.cnf");
	open_ok("PXHV.CNF");
	open_ok("noext");
	open_ok("a b.c");
	open_ok("\xE5kanji.txt");
	open_ok("abcdefgh.ijk");
	assert_int_equal(missing("pxhv"), -ENOENT);
	assert_int_equal(missing("rased.bin"), -ENOENT);
	assert_int_equal(missing("\xE5rased.bin"), -ENOENT);
	assert_int_equal(missing("noext."), -ENOENT);
	assert_int_equal(missing("ab.c"), -ENOENT);
	assert_int_equal(missing("abcdefghijk"), -ENOENT);
	assert_int_equal(missing("pxhv.cn"), -ENOENT);
	assert_int_equal(missing("pxhv.cnfx"), -ENOENT);
	assert_string_equal(captured(), "");
}

static void long_names(void **state)
{
	static const u16 german[] = {0xE4, 0xF6, 0x20AC, '.', 'K'}, emoji[] = {'x', 0xD83D, 0xDE00},
			 half[] = {'h', 0xD83D},
			 thirteen[] = {'t', 'h', 'i', 'r', 't', 'e', 'e', 'n', '-', '-', '-', '-', '-'};
	char longest[256];
	u32 at = 0;

	make_disk(8);
	at += put_lfn_ascii(ROOT, at, "vmlinuz-6.1.0-18-cloud-amd64", checksum("VMLINU~1018"));
	put_entry(ROOT, at++, "VMLINU~1018", 0, 0, 0);
	at += put_lfn(ROOT, at, german, 5, checksum("AEOE~1  K  "));
	put_entry(ROOT, at++, "AEOE~1  K  ", 0, 0, 0);
	at += put_lfn(ROOT, at, emoji, 3, checksum("X~1        "));
	put_entry(ROOT, at++, "X~1        ", 0, 0, 0);
	at += put_lfn(ROOT, at, half, 2, checksum("H~1        "));
	put_entry(ROOT, at++, "H~1        ", 0, 0, 0);
	at += put_lfn(ROOT, at, thirteen, 13, checksum("THIRTE~1   "));
	put_entry(ROOT, at++, "THIRTE~1   ", 0, 0, 0);
	memset(longest, 'n', 255);
	longest[255] = 0;
	at += put_lfn_ascii(ROOT, at, longest, checksum("NNNNNN~1   "));
	put_entry(ROOT, at++, "NNNNNN~1   ", 0, 0, 0);
	mount_ok();
	open_ok("vmlinuz-6.1.0-18-cloud-amd64");
	open_ok("VMLINUZ-6.1.0-18-Cloud-AMD64");
	open_ok("vmlinu~1.018");
	open_ok("\xC3\xA4\xC3\xB6\xE2\x82\xAC.k");
	open_ok("x\xF0\x9F\x98\x80");
	open_ok("thirteen-----");
	open_ok(longest);
	assert_int_equal(missing("vmlinuz-6.1.0-18-cloud-amd6"), -ENOENT);
	assert_int_equal(missing("vmlinuz-6.1.0-18-cloud-amd64x"), -ENOENT);
	assert_int_equal(missing("\xC3\x84\xC3\xB6\xE2\x82\xAC.k"), -ENOENT); /* only ASCII folds */
	longest[254] = 0;
	assert_int_equal(missing(longest), -ENOENT);
}

static void long_names_that_are_not_of_their_entry(void **state)
{
	u32 at;

	/* Wrong checksum: an old tool renamed the short entry. */
	make_disk(8);
	at = put_lfn_ascii(ROOT, 0, "stale-long-name", checksum("STALE      ") ^ 1);
	put_entry(ROOT, at++, "STALE      ", 0, 0, 0);
	/* A piece with another checksum in the middle. */
	at += put_lfn_ascii(ROOT, at, "two-pieces-long-name", checksum("TWO        "));
	cluster(ROOT)[(at - 1) * 32 + 13] ^= 1;
	put_entry(ROOT, at++, "TWO        ", 0, 0, 0);
	/* The last piece is missing; the first is; one in the middle was deleted; order 0 and 63. */
	put_lfn_ascii(ROOT, at, "no-first-piece-here", checksum("NOFIRST    "));
	cluster(ROOT)[at * 32] = 0xE5;
	at += 2;
	put_entry(ROOT, at++, "NOFIRST    ", 0, 0, 0);
	put_lfn_ascii(ROOT, at, "no-last-piece-here-x", checksum("NOLAST     "));
	put_entry(ROOT, ++at, "NOLAST     ", 0, 0, 0);
	at++;
	at += put_lfn_ascii(ROOT, at, "zero", checksum("ORDERZER   "));
	cluster(ROOT)[(at - 1) * 32] = 0x40;
	put_entry(ROOT, at++, "ORDERZER   ", 0, 0, 0);
	at += put_lfn_ascii(ROOT, at, "toohigh", checksum("ORDER63    "));
	cluster(ROOT)[(at - 1) * 32] = 0x7F;
	put_entry(ROOT, at++, "ORDER63    ", 0, 0, 0);
	/* The name before a name: only the second counts. */
	at += put_lfn_ascii(ROOT, at, "orphan", checksum("GOOD       "));
	at += put_lfn_ascii(ROOT, at, "good-name", checksum("GOOD       "));
	put_entry(ROOT, at++, "GOOD       ", 0, 0, 0);
	/* And it is for one entry alone. */
	put_entry(ROOT, at++, "GOOD       ", 0, 5, 77);
	mount_ok();
	assert_int_equal(missing("stale-long-name"), -ENOENT);
	assert_int_equal(missing("two-pieces-long-name"), -ENOENT);
	assert_int_equal(missing("no-first-piece-here"), -ENOENT);
	assert_int_equal(missing("no-last-piece-here-x"), -ENOENT);
	assert_int_equal(missing("zero"), -ENOENT);
	assert_int_equal(missing("toohigh"), -ENOENT);
	assert_int_equal(missing("orphan"), -ENOENT);
	open_ok("stale");
	open_ok("two");
	open_ok("nofirst");
	open_ok("nolast");
	open_ok("orderzer");
	open_ok("order63");
	assert_int_equal(open_ok("good-name").size, 0);
}

static void directories(void **state)
{
	static const u32 sub[] = {50, 52}, data[] = {10, 11, 20};
	u32 at;

	make_disk(1); /* 16 entries a cluster */
	put_entry(ROOT, 0, "SUB        ", 0x10, 50, 0);
	put_entry(ROOT, 1, "FILE       ", 0x20, 10, 1000);
	chain(sub, 2);
	fill(data, 3);
	put_entry(50, 0, ".          ", 0x10, 50, 0);
	put_entry(50, 1, "..         ", 0x10, 0, 0);
	for (at = 2; at < 15; at++)
		put_entry(50, at, "FILLER     ", 0, 0, 0);
	/* A long name that goes on in the next cluster. */
	at = put_lfn_ascii(51, 0, "spans-two-clusters", checksum("SPANS~1    "));
	assert_int_equal(at, 2);
	memcpy(cluster(50) + 15 * 32, cluster(51), 32);
	memcpy(cluster(52), cluster(51) + 32, 32);
	put_entry(52, 1, "SPANS~1    ", 0x20, 10, 1500);
	mount_ok();
	assert_true(open_ok("sub").directory);
	assert_true(open_ok("").directory);
	assert_true(open_ok("/").directory);
	assert_int_equal(open_ok("sub/..").cluster, ROOT);
	read_ok("sub/spans-two-clusters", 1500);
	read_ok("//SUB//../sub/./Spans~1", 1500);
	assert_int_equal(missing("file/x"), -ENOENT);
	assert_int_equal(missing("sub/none"), -ENOENT);
	assert_int_equal(missing("none/file"), -ENOENT);
	assert_string_equal(captured(), "");
}

static void directory_in_a_circle(void **state)
{
	make_disk(1);
	for (u32 i = 0; i < 16; i++)
		put_entry(ROOT, i, "FILLER     ", 0, 0, 0);
	link_to(ROOT, ROOT);
	mount_ok();
	assert_int_equal(missing("x"), -EINVAL);
	assert_memory_equal(captured(), "boot partition: FAT32 is damaged: a cluster chain runs in a circle",
			    66);
	/* A full directory without an end mark simply ends. */
	captured_reset();
	link_to(ROOT, END_OF_CHAIN);
	mount_ok();
	assert_int_equal(missing("x"), -ENOENT);
}

static void read_errors_at_every_step(void **state)
{
	static const u32 list[] = {10, 11, 20};
	u8 buf[1536];
	u32 steps;

	make_disk(1);
	fill(list, 3);
	put_entry(ROOT, 0, "SUB        ", 0x10, 50, 0);
	link_to(50, 51);
	link_to(51, END_OF_CHAIN);
	for (u32 i = 0; i < 16; i++)
		put_entry(50, i, "FILLER     ", 0, 0, 0);
	put_entry(51, 0, "F          ", 0, 10, 1500);
	for (steps = 0;; steps++) {
		struct fat_file f;
		int err;

		reads = 0;
		fail_at = steps;
		err = mount();
		if (!err)
			err = fat_open(&fat, "sub/f", &f);
		if (!err)
			err = fat_read(&fat, &f, buf, NULL);
		if (!err)
			break;
		assert_int_equal(err, -EIO);
	}
	assert_int_equal(steps, 8); /* MBR, BPB, root, 2 x sub with a FAT sector between, 2 x data */
	assert_string_equal(captured(), "");
}

/* What other people's tools write, not only this test. */
static void a_volume_by_mkfs_and_mtools(void **state)
{
	char dir[] = "/tmp/test_fat.XXXXXX", command[2048];
	FILE *f;
	u32 i;

	if (system("command -v mcopy mkfs.fat >/dev/null 2>&1 || PATH=$PATH:/sbin:/usr/sbin command -v "
		   "mkfs.fat "
		   ">/dev/null"))
		skip();
	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof(command),
		 "export PATH=$PATH:/sbin:/usr/sbin MTOOLS_SKIP_CHECK=1; cd %s && truncate -s 40M img && "
		 "mkfs.fat -F 32 -s 1 --offset 8 -S 512 -n LABEL img 40000 >/dev/null && "
		 "mmd -i img@@4096 ::dir '::dir/long directory name' && "
		 "head -c 3000 /dev/zero >pad && mcopy -i img@@4096 pad ::pad && mcopy -i img@@4096 pad "
		 "::pad2 && "
		 "mdel -i img@@4096 ::pad && cp in Big && "
		 "mcopy -i img@@4096 Big '::dir/long directory name/A Big File.image'",
		 dir);
	{
		char path[64];

		snprintf(path, sizeof(path), "%s/in", dir);
		f = fopen(path, "w");
		for (i = 0; i < 700001; i++)
			fputc(pattern(i), f);
		fclose(f);
	}
	assert_int_equal(system(command), 0);
	free(disk);
	disk_sectors = 40 * 2048;
	disk = calloc(disk_sectors, 512);
	snprintf(command, sizeof(command), "%s/img", dir);
	f = fopen(command, "r");
	assert_int_equal(fread(disk, 512, disk_sectors, f), disk_sectors);
	fclose(f);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	disk[446 + 4] = 0x0C;
	put32(disk + 446 + 8, 8);
	put32(disk + 446 + 12, 80000);
	put16(disk + 510, 0xAA55);
	fail_at = ~0u;
	captured_reset();
	mount_ok();
	assert_true(open_ok("DIR").directory);
	read_ok("dir/Long Directory Name/a big file.IMAGE", 700001);
}

static int clean_up(void **state)
{
	free(disk);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts),
		cmocka_unit_test(takes_the_first_fat32_partition),
		cmocka_unit_test(refuses_disks_without_one),
		cmocka_unit_test(refuses_a_damaged_boot_sector),
		cmocka_unit_test(reads_the_active_fat),
		cmocka_unit_test(reads_contiguous_and_fragmented_files),
		cmocka_unit_test(extents),
		cmocka_unit_test(reads_an_empty_file),
		cmocka_unit_test(reports_damaged_chains),
		cmocka_unit_test(reports_a_file_that_begins_nowhere),
		cmocka_unit_test(short_names),
		cmocka_unit_test(long_names),
		cmocka_unit_test(long_names_that_are_not_of_their_entry),
		cmocka_unit_test(directories),
		cmocka_unit_test(directory_in_a_circle),
		cmocka_unit_test(read_errors_at_every_step),
		cmocka_unit_test(a_volume_by_mkfs_and_mtools),
	};

	return cmocka_run_group_tests_name("fat", tests, NULL, clean_up);
}
