#include "support.h"

#include <string.h>

#include "lib/errno.h"
#include "vm/vm.h"

/* Host memory that is only numbers: what the allocator gives is never touched unless small and real. */
struct run {
	u64 base, size;
};

static struct run given[32], back[32];
static unsigned given_count, back_count;
static u64 largest, free_now;
static u64 next_base;
static u8 small[2 * MiB] __aligned(2 * MiB);
static bool use_small;

static struct run mapped[32];
static u64 mapped_gpa[32];
static unsigned mapped_count;
static int map_error;

void *page_alloc_run(u64 size, u64 align, u64 limit)
{
	if (size > largest)
		return NULL;
	next_base = use_small ? (u64)small : ALIGN_UP(next_base, align);
	given[given_count++] = (struct run){next_base, size};
	next_base += size + 0x1000;
	return (void *)given[given_count - 1].base;
}

u64 page_largest_run(u64 align)
{
	return largest;
}

u64 page_free_bytes(void)
{
	return free_now;
}

u64 page_total_bytes(void)
{
	return 1 * GiB;
}

void page_free_run(void *p, u64 size)
{
	back[back_count++] = (struct run){(u64)p, size};
}

int slat_map(struct slat *s, u64 gpa, u64 hpa, u64 size, unsigned prot)
{
	assert_int_equal(prot, SLAT_R | SLAT_W | SLAT_X);
	mapped_gpa[mapped_count] = gpa;
	mapped[mapped_count++] = (struct run){hpa, size};
	return map_error;
}

static struct vm vm;
static struct vm_config config = {.name = "m"};

static int setup(void **state)
{
	fake_reset(state);
	memset(&vm, 0, sizeof(vm));
	vm.config = &config;
	given_count = back_count = mapped_count = 0;
	largest = free_now = 64 * GiB;
	next_base = 0x7000000000;
	use_small = false;
	map_error = 0;
	return 0;
}

static void test_layout(void **state)
{
	assert_int_equal(vm_memory_create(&vm, 256 * MiB), 0);
	assert_int_equal(vm.slot_count, 2);
	assert_int_equal(vm.slots[0].gpa, 0xC0000); /* the big one first */
	assert_int_equal(vm.slots[0].size, 256 * MiB - 0xC0000);
	assert_int_equal(vm.slots[1].gpa, 0);
	assert_int_equal(vm.slots[1].size, 0xA0000);
	assert_int_equal((u64)vm.slots[1].host % (2 * MiB), 0);
	assert_ptr_equal(vm.slots[0].host, vm.slots[1].host + 0xC0000);
	assert_int_equal(back_count, 1);
	assert_int_equal(back[0].base, given[0].base + 0xA0000);
	assert_int_equal(back[0].size, 0x20000);
	assert_int_equal(vm.memory_size, 256 * MiB);
	assert_int_equal(mapped_count, 2);
}

static void test_hole(void **state)
{
	assert_int_equal(vm_memory_create(&vm, 5 * GiB), 0);
	assert_int_equal(vm.slot_count, 3);
	assert_int_equal(vm.slots[0].size, GUEST_HOLE_START - 0xC0000);
	assert_int_equal(vm.slots[2].gpa, 4 * GiB);
	assert_int_equal(vm.slots[2].size, 2 * GiB);
	assert_int_equal((u64)vm.slots[1].host % GiB, 0);
	assert_int_equal((u64)vm.slots[2].host % GiB, 0);
	assert_non_null(guest_ptr(&vm, 6 * GiB - 1, 1));
	assert_null(guest_ptr(&vm, 6 * GiB - 1, 2));
	assert_null(guest_ptr(&vm, GUEST_HOLE_START, 1));
	assert_null(guest_ptr(&vm, GUEST_HOLE_START - 1, 2));
	assert_null(guest_ptr(&vm, 0xA0000, 1));
	assert_null(guest_ptr(&vm, 0x9FFFF, 2));
	assert_non_null(guest_ptr(&vm, 0xC0000, 0x40000));
	assert_null(guest_ptr(&vm, 0xC0000, ~0ULL));
	assert_null(guest_ptr(&vm, ~0ULL, 2));
}

static void test_pieces(void **state)
{
	largest = 100 * MiB + 12 * KiB;
	assert_int_equal(vm_memory_create(&vm, 256 * MiB), 0);
	assert_int_equal(vm.slot_count, 4);
	assert_int_equal(vm.slots[2].gpa, 100 * MiB);
	assert_int_equal(vm.slots[3].gpa, 200 * MiB);
	assert_int_equal(vm.slots[3].size, 56 * MiB);
	for (unsigned i = 1; i < 4; i++)
		assert_int_equal((u64)vm.slots[i].host % (2 * MiB), 0);
}

static void test_too_little(void **state)
{
	free_now = 100 * MiB;
	assert_int_equal(vm_memory_create(&vm, 256 * MiB), -ENOMEM);
	assert_string_equal(captured(),
			    "vm 'm': 256 MiB of memory needed, but of the PC's 1024 MiB only 100 MiB are "
			    "free\n");
	assert_int_equal(given_count, 0);
	assert_int_equal(vm.slot_count, 0);

	captured_reset();
	free_now = 300 * MiB;
	largest = MiB;
	assert_int_equal(vm_memory_create(&vm, 256 * MiB), -ENOMEM);
	assert_non_null(strstr(captured(), "pieces too small"));
}

static void test_bad_size(void **state)
{
	assert_int_equal(vm_memory_create(&vm, 512 * KiB), -EINVAL);
	assert_int_equal(vm_memory_create(&vm, 2 * MiB + 1), -EINVAL);
}

static void test_copies(void **state)
{
	u8 buf[64], *ram;

	use_small = true;
	assert_int_equal(vm_memory_create(&vm, 2 * MiB), 0);
	memset(small, 0x5A, sizeof(small));
	ram = guest_ptr(&vm, 0x1000, 16);
	assert_ptr_equal(ram, small + 0x1000);
	assert_int_equal(guest_write(&vm, 0x1000, "hello", 5), 0);
	assert_memory_equal(small + 0x1000, "hello\x5A", 6);
	assert_int_equal(guest_read(&vm, 0x1000, buf, 5), 0);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(guest_zero(&vm, 0x1000, 4), 0);
	assert_memory_equal(small + 0x1000, "\0\0\0\0o", 5);
	assert_int_equal(guest_read(&vm, 0x9FFF0, buf, 32), -EFAULT);
	assert_int_equal(guest_write(&vm, 2 * MiB - 4, buf, 8), -EFAULT);
	assert_int_equal(guest_zero(&vm, 4 * GiB, 1), -EFAULT);
	assert_int_equal(guest_read(&vm, ~0ULL - 3, buf, 8), -EFAULT);
	/* two slots side by side are one memory */
	vm.slots[vm.slot_count++] = (struct memslot){.gpa = 2 * MiB, .size = PAGE_SIZE, .host = small};
	assert_int_equal(guest_write(&vm, 2 * MiB - 4, "abcdefgh", 8), 0);
	assert_memory_equal(small, "efgh", 4);
	assert_int_equal(guest_read(&vm, 2 * MiB - 4, buf, 8), 0);
	assert_memory_equal(buf, "abcdefgh", 8);
	vm.slot_count--;
	back_count = 0;
	vm_memory_destroy(&vm);
	assert_int_equal(back_count, 2);
	assert_int_equal(small[0x1004], 0);
	assert_int_equal(small[0xA0000], 0x5A); /* not the VM's any more */
	assert_int_equal(small[2 * MiB - 1], 0);
	assert_int_equal(vm.slot_count, 0);
}

static void test_map_failure(void **state)
{
	use_small = true;
	map_error = -ENOMEM;
	assert_int_equal(vm_memory_create(&vm, 2 * MiB), -ENOMEM);
	u64 sum = 0;
	for (unsigned i = 0; i < back_count; i++)
		sum += back[i].size;
	assert_int_equal(sum, 2 * MiB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_layout, setup),
		cmocka_unit_test_setup(test_hole, setup),
		cmocka_unit_test_setup(test_pieces, setup),
		cmocka_unit_test_setup(test_too_little, setup),
		cmocka_unit_test_setup(test_bad_size, setup),
		cmocka_unit_test_setup(test_copies, setup),
		cmocka_unit_test_setup(test_map_failure, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
