/* Requests to a virtio disk. */
#include "virtio_driver.h"

static void reads_and_writes(void **state)
{
	request(0, IN, 3, DATA, 1024);
	kick();
	assert_int_equal(status(), 0);
	assert_int_equal(used_len(0), 1025);
	assert_memory_equal(at(DATA), sectors + 3 * 512, 1024);
	memset(at(DATA), 0x5A, 1024);
	request(0, OUT, 62, DATA, 1024);
	kick();
	assert_int_equal(status(), 0);
	assert_int_equal(used_len(1), 1);
	assert_memory_equal(at(DATA), sectors + 62 * 512, 1024);
	request(0, FLUSH, 0, DATA, 0);
	kick();
	assert_int_equal(status(), 0);
	assert_int_equal(get(USED + 2, 2), 3);
}

static void errors_are_the_drivers(void **state)
{
	static const struct {
		u32 type;
		u64 sector;
		u32 len;
		u8 status;
	} bad[] = {{IN, SECTORS, 512, 1}, {IN, SECTORS - 1, 1024, 1},
		   {IN, ~0ULL, 512, 1},	  {OUT, 1ULL << 55, 512, 1},
		   {IN, 0, 511, 1},	  {OUT, 0, 513, 1},
		   {2, 0, 512, 2},	  {0x80000000, 0, 512, 2},
		   {DISCARD, 0, 15, 1},	  {DISCARD, 0, 32, 1}};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		request(0, bad[i].type, bad[i].sector, DATA, bad[i].len);
		kick();
		assert_int_equal(status(), bad[i].status);
		assert_int_equal(used_len(i % QSIZE), 1);
		assert_int_equal(mmio_get(0x70), 15);
	}
}

static void identity(void **state)
{
	request(0, GET_ID, 0, DATA, 20);
	kick();
	assert_int_equal(status(), 0);
	assert_string_equal((char *)at(DATA), "serial");
	assert_int_equal(used_len(0), 21);
	request(0, GET_ID, 0, DATA, 3);
	kick();
	assert_int_equal(used_len(1), 4);
}

static void discards(void **state)
{
	put(DATA, 2, 8);
	put(DATA + 8, 3, 8);
	request(0, DISCARD, 0, DATA, 16);
	kick();
	assert_int_equal(status(), 0);
	assert_int_equal(sectors[2 * 512] | sectors[5 * 512 - 1], 0);
	assert_int_equal(sectors[5 * 512], 5);
	put(DATA + 12, 1, 4); /* a flag */
	request(0, DISCARD, 0, DATA, 16);
	kick();
	assert_int_equal(status(), 2);
	put(DATA + 8, SECTORS, 8);
	request(0, DISCARD, 0, DATA, 16);
	kick();
	assert_int_equal(status(), 1);
	test_disk.can_discard = false;
	request(0, DISCARD, 0, DATA, 16);
	kick();
	assert_int_equal(status(), 2);
}

static void read_only(void **state)
{
	make_machine();
	test_disk.readonly = true;
	assert_int_equal(virtio_blk_create(NULL), 0);
	mmio(0x14, 0);
	assert_int_equal(mmio_get(0x10), 0x30000264);
	start_driver(VIRTIO_F_VERSION_1);
	request(0, OUT, 0, DATA, 512);
	kick();
	assert_int_equal(status(), 1);
	assert_int_equal(sectors[1], 1);
	put(DATA + 8, 1, 8);
	request(0, DISCARD, 0, DATA, 16);
	kick();
	assert_int_equal(status(), 1);
	request(0, IN, 0, DATA, 512);
	kick();
	assert_int_equal(status(), 0);
}

static void large_blocks(void **state)
{
	make_machine();
	test_disk.block_size = 4096;
	assert_int_equal(virtio_blk_create(NULL), 0);
	assert_int_equal(mmio_get(0x114), 4096);
	assert_int_equal(mmio_get(0x12C), 8);
	start_driver(VIRTIO_F_VERSION_1);
	request(0, IN, 8, DATA, 4096);
	kick();
	assert_int_equal(status(), 0);
	request(0, IN, 8, DATA, 512);
	kick();
	assert_int_equal(status(), 1);
	request(0, IN, 1, DATA, 4096);
	kick();
	assert_int_equal(status(), 1);
}

/* --- disks that take their time --- */

static void completion_later(void **state)
{
	later = true;
	request(0, IN, 1, DATA, 512);
	request(3, IN, 1, DATA + 512, 512);
	kick();
	assert_int_equal(waiting_count, 2);
	assert_int_equal(get(USED + 2, 2), 0);
	complete(0);
	assert_int_equal(get(USED + 2, 2), 1);
	assert_memory_equal(at(DATA), sectors + 512, 512);
	assert_true(fake_irq[VIRTIO_IRQ]);
	complete(-EIO);
	assert_int_equal(get(USED + 2, 2), 2);
	assert_int_equal(status(), 1);
	assert_int_equal(used_len(1), 1);
}

static void polled(void **state)
{
	later = true;
	request(0, IN, 1, DATA, 512);
	request(3, IN, 1, DATA, 512);
	kick();
	fake_run_timers(fake_tsc + 99000);
	assert_int_equal(polls, 0);
	fake_run_timers(fake_tsc + 1000000);
	assert_int_equal(polls, 2);
	assert_int_equal(get(USED + 2, 2), 2);
}

static void more_than_fit_wait(void **state)
{
	unsigned most = 0;

	later = true;
	for (unsigned i = 0; i < 20; i++) { /* chains are reused: the test's driver is careless */
		request(0, FLUSH, 0, DATA, 0);
		kick();
		most = MAX(most, waiting_count);
	}
	assert_int_equal(most, 16);
	for (unsigned i = 0; i < 20; i++)
		complete(0);
	assert_int_equal(waiting_count, 0);
	assert_int_equal(get(USED + 2, 2), 20);
}

static void reset_forgets(void **state)
{
	later = true;
	request(0, IN, 1, DATA, 512);
	kick();
	assert_int_equal(waiting_count, 1);
	mmio(0x70, 0);
	assert_int_equal(waiting_count, 0);
	assert_int_equal(mmio_get(0x70), 0);
	assert_int_equal(mmio_get(0x44), 0);
	memset(at(AVAIL), 0, 64);
	memset(at(USED), 0, 64);
	start_driver(VIRTIO_F_VERSION_1);
	later = false;
	request(0, IN, 1, DATA, 512);
	kick();
	assert_int_equal(status(), 0);
}

static void completion_into_a_stopped_queue(void **state)
{
	later = true;
	request(0, IN, 1, DATA, 512);
	request(3, IN, 1, DATA, 512);
	kick();
	mmio(0x44, 0);
	mmio(0x38, 0); /* a size that nothing may be divided by */
	complete(0);
	complete(0);
	assert_int_equal(get(USED + 2, 2), 0);
	assert_int_equal(status(), 0xEE);
}

/* A driver that takes FLUSH says itself when its writes must last. */
static void writes_of_who_does_not_flush_last(void **state)
{
	later = true;
	request(0, OUT, 1, DATA, 512);
	kick();
	assert_true(waiting[0]->through);
	complete(0);
	start_driver(VIRTIO_F_VERSION_1 | BIT(9));
	memset(at(AVAIL), 0, 64);
	request(0, OUT, 1, DATA, 512);
	kick();
	assert_false(waiting[0]->through);
}

/* What each request reads is the next one: the ring's index, and the sector. */
static void disk_that_fills_the_queue(void **state)
{
	for (unsigned i = 0; i < SECTORS; i++) {
		u64 next = MIN(i + 1, SECTORS - 1U);

		sectors[i * SECTOR_SIZE] = (u8)(i + 2);
		sectors[i * SECTOR_SIZE + 1] = 0;
		memcpy(sectors + i * SECTOR_SIZE + 2, &next, sizeof(next));
	}
	request(0, IN, 0, AVAIL + 2, 2);
	descriptor(DESC, 1, AVAIL + 2, 2, NEXT | WRITE, 3);
	descriptor(DESC, 3, HEADER + 8, 8, NEXT | WRITE, 4);
	descriptor(DESC, 4, DATA, 502, NEXT | WRITE, 2);
	memset(at(AVAIL) + 4, 0, 2UL * QSIZE);
	kick();
	assert_broken();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_and_writes, started),
		cmocka_unit_test_setup(errors_are_the_drivers, started),
		cmocka_unit_test_setup(identity, started),
		cmocka_unit_test_setup(discards, started),
		cmocka_unit_test(read_only),
		cmocka_unit_test(large_blocks),
		cmocka_unit_test_setup(completion_later, started),
		cmocka_unit_test_setup(polled, started),
		cmocka_unit_test_setup(more_than_fit_wait, started),
		cmocka_unit_test_setup(reset_forgets, started),
		cmocka_unit_test_setup(completion_into_a_stopped_queue, started),
		cmocka_unit_test_setup(writes_of_who_does_not_flush_last, started),
		cmocka_unit_test_setup(disk_that_fills_the_queue, started),
	};

	return cmocka_run_group_tests_name("virtio_blk", tests, NULL, NULL);
}
