#include "support.h"

#include "host/mtrr.h"
#include "lib/errno.h"
#include "vm/slat.h"

#define RWX (SLAT_R | SLAT_W | SLAT_X)

/* A format of the test's own: rights in bits 0-2, large page in bit 7, memory type in bits 52-54. */
static u64 leaf(u64 hpa, unsigned prot, enum memtype mt, unsigned level)
{
	return hpa | prot | (level > 1 ? BIT(7) : 0) | (u64)mt << 52;
}

static unsigned prot(u64 e)
{
	return e & RWX;
}

static const struct slat_format fmt = {leaf, prot};

/* UC at [3.5 GiB, 4 GiB) and in one page at 5 MiB; else WB. */
int mtrr_type(u64 hpa, u64 size)
{
	u64 end = hpa + size, page = 5 * MiB, hole = 3584 * MiB;

	if (hpa >= hole && end <= 4 * GiB)
		return MT_UC;
	if (hpa == page && size == PAGE_SIZE)
		return MT_UC;
	if ((hpa < 4 * GiB && end > hole) || (hpa <= page && end > page))
		return -1;
	return MT_WB;
}

static struct slat s;

/* Expects gpa to lead to hpa (or nothing, for prot 0) by an entry of level. */
static void expect(u64 gpa, u64 hpa, unsigned level, unsigned rights, enum memtype mt)
{
	u64 e[4];

	assert_int_equal(slat_walk(&s, gpa, e), level);
	assert_int_equal(e[level - 1] & RWX, rights);
	if (!rights)
		return;
	u64 span = PAGE_SIZE << 9 * (level - 1);
	assert_int_equal((e[level - 1] & 0xFFFFFFFFFF000ULL) + (gpa & (span - 1)), hpa);
	assert_int_equal(e[level - 1] >> 52, mt);
}

static int setup(void **state)
{
	fake_reset(state);
	return slat_init(&s, &fmt, 3);
}

static int teardown(void **state)
{
	slat_destroy(&s);
	assert_int_equal(fake_pages_used, 0);
	assert_int_equal(s.table_pages, 0);
	return 0;
}

static void test_large(void **state)
{
	assert_int_equal(slat_map(&s, 0, 4 * GiB, 2 * GiB + 2 * MiB + PAGE_SIZE, RWX), 0);
	expect(0, 4 * GiB, 3, RWX, MT_WB);
	expect(2 * GiB - 1, 6 * GiB - 1, 3, RWX, MT_WB);
	expect(2 * GiB + 4096, 6 * GiB + 4096, 2, RWX, MT_WB);
	expect(2 * GiB + 2 * MiB, 6 * GiB + 2 * MiB, 1, RWX, MT_WB);
	expect(2 * GiB + 2 * MiB + PAGE_SIZE, 0, 1, 0, 0);
	expect(1ULL << 47, 0, 4, 0, 0);
	assert_int_equal(s.table_pages, 4);
}

static void test_max_level(void **state)
{
	s.max_level = 2;
	assert_int_equal(slat_map(&s, 0, 4 * GiB, GiB, RWX), 0);
	expect(512 * MiB, 4 * GiB + 512 * MiB, 2, RWX, MT_WB);
	s.max_level = 1;
	assert_int_equal(slat_map(&s, 8 * GiB, 8 * GiB, 2 * MiB, RWX), 0);
	expect(8 * GiB + MiB, 8 * GiB + MiB, 1, RWX, MT_WB);
}

static void test_misaligned(void **state)
{
	/* gpa and hpa agree modulo 2 MiB but not 1 GiB; then not even that */
	assert_int_equal(slat_map(&s, GiB, 4 * GiB + 2 * MiB, GiB, RWX), 0);
	expect(GiB, 4 * GiB + 2 * MiB, 2, RWX, MT_WB);
	assert_int_equal(slat_map(&s, 4 * GiB, 8 * GiB + PAGE_SIZE, 4 * MiB, SLAT_R), 0);
	expect(4 * GiB + 3 * MiB, 8 * GiB + PAGE_SIZE + 3 * MiB, 1, SLAT_R, MT_WB);
}

static void test_types(void **state)
{
	assert_int_equal(slat_map(&s, 0, 0, 4 * GiB, RWX), 0);
	expect(4 * MiB, 4 * MiB, 1, RWX, MT_WB);
	expect(5 * MiB, 5 * MiB, 1, RWX, MT_UC);
	expect(5 * MiB + PAGE_SIZE, 5 * MiB + PAGE_SIZE, 1, RWX, MT_WB);
	expect(6 * MiB, 6 * MiB, 2, RWX, MT_WB);
	expect(GiB, GiB, 3, RWX, MT_WB);
	expect(3584 * MiB - 1, 3584 * MiB - 1, 2, RWX, MT_WB);
	expect(3584 * MiB, 3584 * MiB, 2, RWX, MT_UC);
}

static void test_split_and_unmap(void **state)
{
	assert_int_equal(slat_map(&s, 0, 8 * GiB, GiB, RWX), 0);
	assert_int_equal(slat_map(&s, 0xA0000, 0, 0x20000, 0), 0);
	expect(0x9F000, 8 * GiB + 0x9F000, 1, RWX, MT_WB);
	expect(0xA0000, 0, 1, 0, 0);
	expect(0xBF000, 0, 1, 0, 0);
	expect(0xC0000, 8 * GiB + 0xC0000, 1, RWX, MT_WB);
	expect(2 * MiB, 8 * GiB + 2 * MiB, 2, RWX, MT_WB);
	assert_int_equal(slat_map(&s, MiB, 8 * GiB + MiB, PAGE_SIZE, SLAT_R), 0);
	expect(MiB, 8 * GiB + MiB, 1, SLAT_R, MT_WB);
	assert_int_equal(s.table_pages, 4);
	assert_int_equal(slat_map(&s, 0, 8 * GiB, GiB, RWX), 0); /* the small tables go away */
	assert_int_equal(s.table_pages, 2);
	expect(0xA0000, 8 * GiB + 0xA0000, 3, RWX, MT_WB);
	assert_int_equal(slat_map(&s, 64 * GiB, 0, GiB / 2, 0), 0); /* nothing there: nothing made */
	assert_int_equal(s.table_pages, 2);
	assert_int_equal(slat_map(&s, 0, 0, 512 * GiB, 0), 0);
	assert_int_equal(s.table_pages, 1);
}

static void test_errors(void **state)
{
	assert_int_equal(slat_map(&s, 1, 0, PAGE_SIZE, RWX), -EINVAL);
	assert_int_equal(slat_map(&s, 0, 0x800, PAGE_SIZE, RWX), -EINVAL);
	assert_int_equal(slat_map(&s, BIT(48), 0, PAGE_SIZE, RWX), -EINVAL);
	assert_int_equal(slat_map(&s, BIT(48) - PAGE_SIZE, 0, 2 * PAGE_SIZE, RWX), -EINVAL);
	assert_int_equal(slat_map(&s, BIT(48) - PAGE_SIZE, 0, PAGE_SIZE, RWX), 0);
	expect(BIT(48) - 1, PAGE_SIZE - 1, 1, RWX, MT_WB);
	fake_pages_left = 1;
	assert_int_equal(slat_map(&s, 0, 0, PAGE_SIZE, RWX), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_max_level, setup, teardown),
		cmocka_unit_test_setup_teardown(test_misaligned, setup, teardown),
		cmocka_unit_test_setup_teardown(test_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_and_unmap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
