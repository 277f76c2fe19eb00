#include "guest_memory.h"
#include "host/memmap.h"
#include "load/load.h"

static struct e820_entry map[8];

static void small_memory_is_one_block_above_1mib(void **state)
{
	make_vm(GUEST_LINUX, 64 * MiB);
	assert_int_equal(load_e820(&test_vm, map, sizeof(map[0])), 3);
	assert_int_equal(map[0].base, 0);
	assert_int_equal(map[0].size, 0xA0000);
	assert_int_equal(map[1].base, 0xA0000);
	assert_int_equal(map[1].type, MEM_RESERVED);
	assert_int_equal(map[2].base, MiB);
	assert_int_equal(map[2].size, 63 * MiB);
	assert_int_equal(map[2].type, MEM_RAM);
}

static void memory_beyond_the_hole_continues_at_4gib(void **state)
{
	make_vm(GUEST_LINUX, MiB);
	test_vm.memory_size = 5 * GiB;
	assert_int_equal(load_e820(&test_vm, map, sizeof(map[0])), 4);
	assert_int_equal(map[2].base + map[2].size, GUEST_HOLE_START);
	assert_int_equal(map[3].base, 4 * GiB);
	assert_int_equal(map[3].size, 2 * GiB);
}

static void tiny_memory_and_wider_lists(void **state)
{
	struct mem_region wide[8] = {[0] = {.attr = 7}};

	make_vm(GUEST_FLAT, 64 * KiB);
	assert_int_equal(load_e820(&test_vm, map, sizeof(map[0])), 2);
	assert_int_equal(map[0].size, 64 * KiB);
	assert_int_equal(load_e820(&test_vm, wide, sizeof(wide[0])), 2);
	assert_int_equal(wide[0].attr, 7);
	assert_int_equal(wide[1].base, 0xA0000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_memory_is_one_block_above_1mib),
		cmocka_unit_test(memory_beyond_the_hole_continues_at_4gib),
		cmocka_unit_test(tiny_memory_and_wider_lists),
	};

	return cmocka_run_group_tests_name("e820", tests, NULL, NULL);
}
