/* What ATA disks say of themselves and are told. */
#include "support.h"

#include <string.h>

#include "host/ata.h"

static u8 page[PAGE_SIZE] __aligned(PAGE_SIZE);

static void test_trim(void **state)
{
	struct drive_cmd c = {.op = DRIVE_DISCARD, .block = 0x123456789A, .blocks = 64 * 0xFFFF, .count = 1};
	u64 *range = (u64 *)page;

	memset(page, 0x55, 1024);
	c.seg[0] = (struct dma_segment){(u64)page, PAGE_SIZE};
	ata_trim(&c);
	for (u32 i = 0; i < 64; i++)
		assert_int_equal(range[i], (0x123456789A + i * 0xFFFFULL) | 0xFFFFULL << 48);
	assert_int_equal(page[512], 0x55);
	assert_int_equal(c.seg[0].len, 512);
	assert_int_equal(c.blocks, 1);
	assert_int_equal(c.block, 0);

	c = (struct drive_cmd){.block = 9, .blocks = 0x10000, .count = 1, .seg[0] = {(u64)page, PAGE_SIZE}};
	ata_trim(&c);
	assert_int_equal(range[0], 9 | 0xFFFFULL << 48);
	assert_int_equal(range[1], (9 + 0xFFFF) | 1ULL << 48);
	assert_int_equal(range[2], 0);
}

static void test_identify(void **state)
{
	u16 id[256] = {[49] = 0x300, [83] = 0x4400, [100] = 0x5678, [101] = 0x1234, [169] = 1};
	struct drive d = {0};

	assert_true(ata_identity(&d, id));
	assert_int_equal(d.blocks, 0x12345678);
	assert_int_equal(d.block_size, 512);
	assert_int_equal(d.discard_max, 64 * 0xFFFF);
	id[106] = 0x5000;
	id[117] = 2048;
	id[169] = 0;
	d = (struct drive){0};
	assert_true(ata_identity(&d, id));
	assert_int_equal(d.block_size, 4096);
	assert_int_equal(d.discard_max, 0);
	id[83] = 0xC400; /* not a valid word */
	assert_false(ata_identity(&d, id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_identify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
