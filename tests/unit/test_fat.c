/* A FAT32 volume and the clusters of its files. */
#include "fat_disk.h"

#include <stdio.h>

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
		cmocka_unit_test(read_errors_at_every_step),
		cmocka_unit_test(a_volume_by_mkfs_and_mtools),
	};

	return cmocka_run_group_tests_name("fat", tests, NULL, clean_up);
}
