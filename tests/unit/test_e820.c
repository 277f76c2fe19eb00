#include "guest_memory.h"

#include <string.h>
#include <sys/mman.h>

#include "boot/boot.h"
#include "host/memmap.h"
#include "load/load.h"

static struct mem_region map[8];

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
	struct {
		struct mem_region e;
		u32 more;
	} wide[8] = {[0] = {.more = 7}};

	make_vm(GUEST_FLAT, 64 * KiB);
	assert_int_equal(load_e820(&test_vm, map, sizeof(map[0])), 2);
	assert_int_equal(map[0].size, 64 * KiB);
	assert_int_equal(load_e820(&test_vm, wide, sizeof(wide[0])), 2);
	assert_int_equal(wide[0].more, 7);
	assert_int_equal(wide[1].e.base, 0xA0000);
}

/* A BIOS that calls all its entries invalid, as ACPI 3 has it, whenever it is asked for that word. */
static const struct mem_region bios_map[] = {
	{0, 0x9FC00, MEM_RAM}, {MiB, 127 * MiB, MEM_RAM}, {GiB, 0, MEM_NVS}};

const struct bios_regs *bios(u8 intno, u32 eax, u32 ebx, u32 ecx, u32 edx, u16 es)
{
	static struct bios_regs r;
	u8 entry[24] = {0};

	assert_int_equal(intno, 0x15);
	assert_int_equal(eax, 0xE820);
	memcpy(entry, &bios_map[ebx], sizeof(bios_map[0]));
	r.ecx = MIN(ecx, sizeof(entry));
	memcpy((void *)((u64)es << 4), entry, r.ecx);
	r.eax = edx;
	r.ebx = (ebx + 1) % ARRAY_SIZE(bios_map);
	return &r;
}

static void the_bios_map_does_without_attributes(void **state)
{
	void *buffer = mmap((void *)BIOS_BUFFER, BIOS_BUFFER_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (buffer == MAP_FAILED) /* some kernels keep low memory to themselves */
		skip();
	e820_read();
	memcpy(host_memmap.r, boot_e820, sizeof(boot_e820));
	host_memmap.count = boot_e820_count;
	memmap_normalize(&host_memmap);
	assert_int_equal(host_memmap.count, 2);
	assert_memory_equal(host_memmap.r, bios_map, 2 * sizeof(bios_map[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_memory_is_one_block_above_1mib),
		cmocka_unit_test(memory_beyond_the_hole_continues_at_4gib),
		cmocka_unit_test(tiny_memory_and_wider_lists),
		cmocka_unit_test(the_bios_map_does_without_attributes),
	};

	return cmocka_run_group_tests_name("e820", tests, NULL, NULL);
}
