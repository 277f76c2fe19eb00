#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "vm/vm.h"

static struct vm vm;
static u8 owners[65536];

struct log {
	u64 at, val;
	unsigned size, reads, writes;
};

static u32 read_port(void *dev, u16 port, unsigned size)
{
	struct log *l = dev;

	assert_true(vm.lock.taken);
	l->at = port;
	l->size = size;
	l->reads++;
	return size == 1 ? (u8)port : 0x12345678u & (u32)(BIT(8 * size) - 1);
}

static void write_port(void *dev, u16 port, unsigned size, u32 val)
{
	*(struct log *)dev = (struct log){port, val, size, 0, ((struct log *)dev)->writes + 1};
}

static u64 read_mem(void *dev, u64 offset, unsigned size)
{
	struct log *l = dev;

	assert_true(vm.lock.taken);
	l->at = offset;
	l->size = size;
	l->reads++;
	return size == 8 ? 0x1122334455667788ULL : 0xAB;
}

static void write_mem(void *dev, u64 offset, unsigned size, u64 val)
{
	*(struct log *)dev = (struct log){offset, val, size, 0, ((struct log *)dev)->writes + 1};
}

static const struct pio_ops pio = {read_port, write_port};
static const struct mmio_ops mmio = {read_mem, write_mem};

static int setup(void **state)
{
	memset(&vm, 0, sizeof(vm));
	memset(owners, 0, sizeof(owners));
	vm.port_owner = owners;
	return 0;
}

static void test_claims(void **state)
{
	struct log l = {0};

	assert_int_equal(bus_add_wide_pio(&vm, 0x3F8, 8, &pio, &l, "a"), 0);
	assert_int_equal(bus_add_wide_pio(&vm, 0x3FF, 1, &pio, &l, "b"), -EEXIST);
	assert_int_equal(bus_add_wide_pio(&vm, 0x3F0, 9, &pio, &l, "c"), -EEXIST);
	assert_int_equal(bus_add_wide_pio(&vm, 0xFFFF, 1, &pio, &l, "d"), 0);
	assert_int_equal(bus_add_wide_pio(&vm, 0xFFFE, 3, &pio, &l, "e"), -EINVAL);
	assert_int_equal(bus_add_wide_pio(&vm, 0x10, 0, &pio, &l, "f"), -EINVAL);
	for (unsigned i = 2; i < BUS_MAX_PIO; i++)
		assert_int_equal(bus_add_wide_pio(&vm, (u16)i, 1, &pio, &l, "g"), 0);
	assert_int_equal(bus_add_wide_pio(&vm, 0x5000, 1, &pio, &l, "h"), -ENOSPC);
}

static void test_pio(void **state)
{
	struct log l = {0};

	bus_add_wide_pio(&vm, 0x40, 4, &pio, &l, "pit");
	assert_int_equal(bus_pio_read(&vm, 0x43, 1), 0x43);
	assert_int_equal(bus_pio_read(&vm, 0x40, 4), 0x12345678);
	assert_int_equal(l.size, 4);
	assert_int_equal(bus_pio_read(&vm, 0x42, 2), 0x5678);
	bus_pio_write(&vm, 0x41, 2, 0xBEEF);
	assert_int_equal(l.at, 0x41);
	assert_int_equal(l.val, 0xBEEF);
	assert_int_equal(vm.pio[0].accesses, 4);
	assert_false(vm.lock.taken);
}

static void test_pio_unclaimed(void **state)
{
	assert_int_equal(bus_pio_read(&vm, 0x80, 1), 0xFF);
	assert_int_equal(bus_pio_read(&vm, 0x80, 2), 0xFFFF);
	assert_int_equal(bus_pio_read(&vm, 0xFFFF, 4), 0xFFFFFFFF);
	bus_pio_write(&vm, 0x81, 4, 1);
	assert_int_equal(vm.unclaimed_reads, 3);
	assert_int_equal(vm.unclaimed_writes, 1);
	assert_int_equal(vm.last_unclaimed_port, 0x81);
}

static void test_pio_split(void **state)
{
	struct log l = {0};

	bus_add_wide_pio(&vm, 0x60, 1, &pio, &l, "kbd");
	bus_add_wide_pio(&vm, 0x64, 1, &pio, &l, "kbd");
	assert_int_equal(bus_pio_read(&vm, 0x60, 2), 0xFF60);
	assert_int_equal(bus_pio_read(&vm, 0x5F, 2), 0x60FF);
	assert_int_equal(bus_pio_read(&vm, 0x61, 4), 0x64FFFFFF);
	bus_add_pio(&vm, 0x20, 2, &pio, &l, "pic"); /* bytes only */
	assert_int_equal(bus_pio_read(&vm, 0x20, 2), 0x2120);
	bus_pio_write(&vm, 0x20, 2, 0xBEEF);
	assert_int_equal(l.at, 0x21);
	assert_int_equal(l.val, 0xBE);
	bus_pio_write(&vm, 0x61, 4, 0xAABBCCDD);
	assert_int_equal(l.at, 0x64);
	assert_int_equal(l.val, 0xAA);
	assert_int_equal(l.size, 1);
	bus_add_wide_pio(&vm, 0xFFFF, 1, &pio, &l, "end");
	bus_add_wide_pio(&vm, 0, 1, &pio, &l, "start");
	assert_int_equal(bus_pio_read(&vm, 0xFFFF, 2), 0x00FF); /* ports wrap */
}

static void test_mmio(void **state)
{
	struct log a = {0}, b = {0};

	vm.slots[vm.slot_count++] = (struct memslot){.gpa = 0, .size = 0x100000};
	assert_int_equal(bus_add_mmio(&vm, 0xFEC00000, 0x1000, &mmio, &a, "ioapic"), 0);
	assert_int_equal(bus_add_mmio(&vm, 0xFED00000, 0x2000, &mmio, &b, "other"), 0);
	assert_int_equal(bus_add_mmio(&vm, 0xFED01000, 0x1000, &mmio, &b, "x"), -EEXIST);
	assert_int_equal(bus_add_mmio(&vm, 0xFF000, 0x1000, &mmio, &b, "x"), -EEXIST);
	assert_int_equal(bus_add_mmio(&vm, 0x200800, 0x1000, &mmio, &b, "x"), -EINVAL);
	assert_int_equal(bus_add_mmio(&vm, ~0xFFFULL, 0x1000, &mmio, &b, "x"), -EINVAL);

	assert_int_equal(bus_mmio_read(&vm, 0xFEC00010, 4), 0xAB);
	assert_int_equal(a.at, 0x10);
	assert_int_equal(bus_mmio_read(&vm, 0xFED01FF8, 8), 0x1122334455667788ULL);
	assert_int_equal(b.at, 0x1FF8);
	assert_int_equal(vm.mmio_last, 1);
	bus_mmio_write(&vm, 0xFEC00000, 4, 7);
	assert_int_equal(a.val, 7);

	assert_int_equal(bus_mmio_read(&vm, 0xFED01FFE, 4), 0xFFFFABAB);
	bus_mmio_write(&vm, 0xFEBFFFFE, 4, 0x44332211);
	assert_int_equal(a.at, 1);
	assert_int_equal(a.val, 0x44);
	assert_int_equal(bus_mmio_read(&vm, 0xA0000, 8), ~0ULL);
	assert_int_equal(bus_mmio_read(&vm, 0xA0000, 1), 0xFF);
	assert_int_equal(bus_mmio_read(&vm, ~0ULL, 4), 0xFFFFFFFF);
	assert_true(vm.unclaimed_reads >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_claims, setup),
		cmocka_unit_test_setup(test_pio, setup),
		cmocka_unit_test_setup(test_pio_unclaimed, setup),
		cmocka_unit_test_setup(test_pio_split, setup),
		cmocka_unit_test_setup(test_mmio, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
