#include "support.h"

#include <string.h>

#include "host/drive.h"
#include "host/partition.h"
#include "lib/errno.h"

#define BLOCKS 1000

static u8 disk[BLOCKS * 4096];
static struct drive drive;
static u8 page[4096];
static u64 first, count, fails_at;

int drive_read(struct drive *d, u64 block, void *buf)
{
	if (block >= d->blocks || block == fails_at)
		return -EIO;
	memcpy(buf, disk + block * d->block_size, d->block_size);
	return 0;
}

static int setup(void **state)
{
	memset(disk, 0, sizeof(disk));
	drive.blocks = BLOCKS;
	drive.block_size = 512;
	fails_at = ~0ULL;
	return 0;
}

static void entry(u64 block, unsigned n, u8 type, u32 start, u32 sectors)
{
	struct mbr *m = (void *)(disk + block * drive.block_size);

	m->signature = MBR_SIGNATURE;
	m->part[n].type = type;
	m->part[n].start = start;
	m->part[n].sectors = sectors;
}

static int find(u32 number)
{
	first = count = 0;
	return partition_find(&drive, number, page, &first, &count);
}

static void assert_found(u32 number, u64 at, u64 length)
{
	assert_int_equal(find(number), 0);
	assert_int_equal(first, at);
	assert_int_equal(count, length);
}

static void test_primary(void **state)
{
	assert_int_equal(find(1), -ENOENT);
	entry(0, 0, 0x83, 1, 999);
	entry(0, 1, 0x83, 1, 1000);
	entry(0, 2, 0x83, 0, 10);
	entry(0, 3, 0x83, 1000, 1);
	assert_found(1, 1, 999);
	for (u32 n = 2; n < 20; n++)
		assert_int_equal(find(n), -ENOENT);
	entry(0, 3, 0x83, 5, 0);
	assert_int_equal(find(4), -ENOENT);
	entry(0, 3, 0, 5, 5);
	assert_int_equal(find(4), -ENOENT);
	fails_at = 0;
	assert_int_equal(find(1), -EIO);
}

static void test_logical(void **state)
{
	entry(0, 2, 0x0F, 100, 500);
	assert_int_equal(find(3), -ENOENT); /* the extended one itself */
	assert_int_equal(find(5), -ENOENT);
	entry(100, 0, 0x83, 10, 20);
	assert_found(5, 110, 20);
	assert_int_equal(find(6), -ENOENT);
	entry(100, 1, 0x05, 50, 30);
	entry(150, 0, 0x83, 1, 29);
	assert_found(6, 151, 29);
	entry(150, 1, 0x05, 0, 30); /* back to the first: a circle */
	assert_found(7, 110, 20);
	assert_int_equal(find(999), 0);
	entry(150, 1, 0x05, 0xFFFFFFFF, 30);
	assert_int_equal(find(7), -EIO);
}

static u8 *gpt_entry(unsigned n, u64 from, u64 to)
{
	u8 *e = disk + 2 * drive.block_size + n * 128;

	memset(e, 0x5A, 32);
	memcpy(e + 32, &from, 8);
	memcpy(e + 40, &to, 8);
	return e;
}

static void test_gpt(void **state)
{
	for (u32 size = 512; size <= 4096; size *= 8) {
		u8 *h = disk + size;

		setup(state);
		drive.block_size = size;
		entry(0, 0, 0xEE, 1, 0xFFFFFFFF);
		assert_int_equal(find(1), -ENOENT);
		memcpy(h, "EFI PART", 8);
		h[72] = 2;
		h[80] = 128;
		h[84] = 128;
		gpt_entry(0, 34, 34);
		gpt_entry(6, 40, 999);
		gpt_entry(7, 40, 1000);
		gpt_entry(8, 50, 49);
		gpt_entry(9, 0, 49);
		gpt_entry(10, 0, ~0ULL);
		gpt_entry(127, 60, 61);
		assert_found(1, 34, 1);
		assert_found(7, 40, 960);
		assert_found(128, 60, 2);
		for (u32 n = 2; n < 1000; n++)
			if (n != 7 && n != 128)
				assert_int_equal(find(n), -ENOENT);
		h[84] = 0; /* entry sizes */
		assert_int_equal(find(1), -ENOENT);
		h[84] = 192;
		assert_int_equal(find(1), -ENOENT);
		h[84] = 128;
		fails_at = 2;
		assert_int_equal(find(1), -EIO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_primary, setup),
		cmocka_unit_test_setup(test_logical, setup),
		cmocka_unit_test_setup(test_gpt, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
