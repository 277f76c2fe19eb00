#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/memmap.h"

#define MAP(...) map_of((struct mem_region[]){__VA_ARGS__}, ARRAY_SIZE(((struct mem_region[]){__VA_ARGS__})))
#define ASSERT_MAP(m, ...)                                                                                   \
	assert_map(m, (struct mem_region[]){__VA_ARGS__}, ARRAY_SIZE(((struct mem_region[]){__VA_ARGS__})))

static struct memmap map;

static struct memmap *map_of(const struct mem_region *r, u32 count)
{
	memset(&map, 0xEE, sizeof(map));
	map.count = count;
	memcpy(map.r, r, count * sizeof(*r));
	memmap_normalize(&map);
	return &map;
}

static void assert_map(const struct memmap *m, const struct mem_region *want, u32 count)
{
	assert_int_equal(m->count, count);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(m->r[i].base, want[i].base);
		assert_int_equal(m->r[i].size, want[i].size);
		assert_int_equal(m->r[i].type, want[i].type);
	}
}

static void sorts_and_merges(void **state)
{
	ASSERT_MAP(MAP({0x100000, 0x1000, 1}, {0, 0x9FC00, 1}, {0x101000, 0x1000, 1}), {0, 0x9FC00, 1},
		   {0x100000, 0x2000, 1});
	ASSERT_MAP(MAP({0, 0x1000, 1}, {0, 0x1000, 1}), {0, 0x1000, 1});
	/* Neighbours of different types stay apart. */
	ASSERT_MAP(MAP({0x1000, 0x1000, 2}, {0, 0x1000, 1}), {0, 0x1000, 1}, {0x1000, 0x1000, 2});
}

static void drops_empty_entries(void **state)
{
	assert_int_equal(MAP({0x1000, 0, 1})->count, 0);
	ASSERT_MAP(MAP({0, 0x1000, 1}, {0x4000, 0, 2}, {0x1000, 0x1000, 1}), {0, 0x2000, 1});
}

static void unknown_types_are_reserved(void **state)
{
	ASSERT_MAP(MAP({0, 0x1000, 7}, {0x2000, 0x1000, 12}, {0x4000, 0x1000, 0}, {0x6000, 0x1000, ~0u}),
		   {0, 0x1000, 2}, {0x2000, 0x1000, 2}, {0x4000, 0x1000, 2}, {0x6000, 0x1000, 2});
}

static void clips_what_wraps_around(void **state)
{
	u64 end = BIT(52);

	ASSERT_MAP(MAP({0x1000, ~0ULL, 1}), {0x1000, end - 0x1000, 1});
	ASSERT_MAP(MAP({end - 0x1000, 0x3000, 1}), {end - 0x1000, 0x1000, 1});
	ASSERT_MAP(MAP({0, ~0ULL, 2}), {0, end, 2});
	assert_int_equal(MAP({~0xFFFULL, 0x2000, 1})->count, 0);
	assert_int_equal(MAP({~0ULL, ~0ULL, 1})->count, 0);
	assert_int_equal(MAP({end, 1, 1})->count, 0);
}

static void overlaps_go_to_the_more_reserved(void **state)
{
	/* A hole in RAM, in both orders. */
	ASSERT_MAP(MAP({0, 0x10000, 1}, {0x4000, 0x1000, 2}), {0, 0x4000, 1}, {0x4000, 0x1000, 2},
		   {0x5000, 0xB000, 1});
	ASSERT_MAP(MAP({0x4000, 0x1000, 3}, {0, 0x10000, 1}), {0, 0x4000, 1}, {0x4000, 0x1000, 3},
		   {0x5000, 0xB000, 1});
	/* Partial overlap at either end; total cover; equal ranges. */
	ASSERT_MAP(MAP({0, 0x3000, 1}, {0x2000, 0x2000, 2}), {0, 0x2000, 1}, {0x2000, 0x2000, 2});
	ASSERT_MAP(MAP({0, 0x3000, 2}, {0x2000, 0x2000, 1}), {0, 0x3000, 2}, {0x3000, 0x1000, 1});
	ASSERT_MAP(MAP({0, 0x4000, 2}, {0x1000, 0x1000, 1}), {0, 0x4000, 2});
	ASSERT_MAP(MAP({0, 0x4000, 1}, {0, 0x4000, 4}), {0, 0x4000, 4});
	/* Every pair of types: RAM gives way to ACPI, that to NVS, that to reserved, that to bad memory. */
	ASSERT_MAP(MAP({0, 0x1000, 3}, {0, 0x1000, 1}), {0, 0x1000, 3});
	ASSERT_MAP(MAP({0, 0x1000, 3}, {0, 0x1000, 4}), {0, 0x1000, 4});
	ASSERT_MAP(MAP({0, 0x1000, 2}, {0, 0x1000, 4}), {0, 0x1000, 2});
	ASSERT_MAP(MAP({0, 0x1000, 5}, {0, 0x1000, 2}), {0, 0x1000, 5});
	/* The cut-off tail of one meets the next. */
	ASSERT_MAP(MAP({0, 0x8000, 1}, {0x1000, 0x1000, 2}, {0x3000, 0x1000, 4}, {0x7000, 0x9000, 3}),
		   {0, 0x1000, 1}, {0x1000, 0x1000, 2}, {0x2000, 0x1000, 1}, {0x3000, 0x1000, 4},
		   {0x4000, 0x3000, 1}, {0x7000, 0x9000, 3});
}

/* Random maps against a byte-per-page model. */
static void agrees_with_a_page_by_page_model(void **state)
{
	static const u8 order[] = {[1] = 1, [3] = 2, [4] = 3, [2] = 4, [5] = 5};

	srand(1);
	for (int round = 0; round < 20000; round++) {
		u8 model[64] = {0}, got[64] = {0};
		u32 last_type = 0;
		u64 last_end = 0;

		map.count = rand() % 12;
		for (u32 i = 0; i < map.count; i++) {
			u32 type = rand() % 7, real = type >= 1 && type <= 5 ? type : 2;
			u64 base = rand() % 64, size = rand() % (65 - base);

			map.r[i] = (struct mem_region){base, size, type};
			for (u64 p = base; p < base + size; p++)
				if (order[real] > order[model[p]])
					model[p] = real;
		}
		memmap_normalize(&map);
		for (u32 i = 0; i < map.count; i++) {
			const struct mem_region *r = &map.r[i];

			assert_true(r->size && r->base >= last_end);
			assert_false(r->base == last_end && r->type == last_type);
			last_end = r->base + r->size;
			last_type = r->type;
			memset(got + r->base, r->type, r->size);
		}
		assert_memory_equal(got, model, sizeof(got));
	}
}

static void a_full_map_loses_ram_never_reservations(void **state)
{
	/* RAM with holes all through it needs more entries than there are. */
	map.count = MEMMAP_MAX;
	map.r[0] = (struct mem_region){0, 1 * GiB, MEM_RAM};
	for (u32 i = 1; i < MEMMAP_MAX; i++)
		map.r[i] = (struct mem_region){i * MiB, PAGE_SIZE, MEM_RESERVED};
	memmap_normalize(&map);
	assert_in_range(map.count, MEMMAP_MAX - 1, MEMMAP_MAX);
	for (u32 i = 0; i < map.count; i++)
		if (map.r[i].type == MEM_RAM)
			for (u64 hole = 1; hole < MEMMAP_MAX; hole++)
				assert_false(hole * MiB >= map.r[i].base &&
					     hole * MiB < map.r[i].base + map.r[i].size);
	/* A count beyond the array is not believed. */
	map.count = ~0u;
	memmap_normalize(&map);
	assert_in_range(map.count, 1, MEMMAP_MAX);
}

static void reserve(void **state)
{
	MAP({0, 0x100000, 1}, {0x100000, 0x1000, 4});
	memmap_reserve(&map, 0x10000, 0x8000, MEM_RESERVED);
	ASSERT_MAP(&map, {0, 0x10000, 1}, {0x10000, 0x8000, 2}, {0x18000, 0xE8000, 1}, {0x100000, 0x1000, 4});
	memmap_reserve(&map, 0x18000, 0x1000, MEM_RESERVED);
	ASSERT_MAP(&map, {0, 0x10000, 1}, {0x10000, 0x9000, 2}, {0x19000, 0xE7000, 1}, {0x100000, 0x1000, 4});
	memmap_reserve(&map, 0, 0, MEM_RESERVED);
	assert_int_equal(map.count, 4);
}

static void reserve_in_a_full_map(void **state)
{
	for (u32 i = 0; i < MEMMAP_MAX; i++)
		map.r[i] = (struct mem_region){i * 2 * MiB, i == 50 ? PAGE_SIZE : 1 * MiB, MEM_RAM};
	map.count = MEMMAP_MAX;
	memmap_normalize(&map);
	assert_int_equal(map.count, MEMMAP_MAX);
	memmap_reserve(&map, 20 * MiB + 0x4000, 0x1000, MEM_NVS);
	assert_int_equal(map.count, MEMMAP_MAX);
	for (u32 i = 0; i < map.count; i++) {
		assert_false(map.r[i].base == 100 * MiB); /* the smallest made room */
		if (map.r[i].base <= 20 * MiB + 0x4000 && map.r[i].base + map.r[i].size > 20 * MiB + 0x4000)
			assert_int_equal(map.r[i].type, MEM_NVS);
	}
}

static void top(void **state)
{
	assert_int_equal(memmap_top(MAP({0, 0x1000, 1}, {4 * GiB, 1 * GiB, 1}, {8 * GiB, 1, 2})), 5 * GiB);
	assert_int_equal(memmap_top(MAP({8 * GiB, 1, 2})), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_and_merges),
		cmocka_unit_test(drops_empty_entries),
		cmocka_unit_test(unknown_types_are_reserved),
		cmocka_unit_test(clips_what_wraps_around),
		cmocka_unit_test(overlaps_go_to_the_more_reserved),
		cmocka_unit_test(agrees_with_a_page_by_page_model),
		cmocka_unit_test(a_full_map_loses_ram_never_reservations),
		cmocka_unit_test(reserve),
		cmocka_unit_test(reserve_in_a_full_map),
		cmocka_unit_test(top),
	};

	return cmocka_run_group_tests_name("memmap", tests, NULL, NULL);
}
