/* Chains of descriptors: any that is allowed, and hostile ones. */
#include "virtio_driver.h"

static void many_at_once(void **state)
{
	for (unsigned round = 0; round < 20; round++) {
		request(0, IN, 1, DATA, 512);
		request(3, IN, 1, DATA + 512, 512);
		kick();
		assert_int_equal(get(USED + 2, 2), 2 * round + 2);
		assert_memory_equal(at(DATA + 512), sectors + 512, 512);
	}
}

static void any_framing(void **state)
{
	header(OUT, 5);
	descriptor(DESC, 0, HEADER, 7, NEXT, 1);
	descriptor(DESC, 1, HEADER + 7, 0, NEXT, 2);	   /* empty */
	descriptor(DESC, 2, HEADER + 7, 9 + 512, NEXT, 3); /* the header's rest and the data */
	descriptor(DESC, 3, STATUS, 1, WRITE, 0);
	make_available(0);
	kick();
	assert_int_equal(status(), 0);
	assert_memory_equal(at(HEADER + 16), sectors + 5 * 512, 512);

	header(IN, 5);
	descriptor(DESC, 0, HEADER, 16, NEXT, 1);
	descriptor(DESC, 1, DATA, 513, WRITE, 0); /* data and status */
	make_available(0);
	put(DATA + 512, 0xEE, 1);
	kick();
	assert_int_equal(get(DATA + 512, 1), 0);
	assert_memory_equal(at(DATA), sectors + 5 * 512, 512);
	request(0, IN, 9, SEAM - 100, 1024); /* in two memory slots */
	kick();
	assert_int_equal(status(), 0);
	assert_memory_equal(at(SEAM - 100), sectors + 9 * 512, 100);
	assert_memory_equal(at(SEAM), sectors + 9 * 512 + 100, 924);
}

static void indirect(void **state)
{
	header(IN, 7);
	descriptor(TABLE + 3, 0, HEADER, 16, NEXT, 2); /* at an odd address */
	descriptor(TABLE + 3, 2, DATA, 512, NEXT | WRITE, 1);
	descriptor(TABLE + 3, 1, STATUS, 1, WRITE, 0);
	descriptor(DESC, 5, TABLE + 3, 48, INDIRECT, 0);
	make_available(5);
	kick();
	assert_int_equal(status(), 0);
	assert_int_equal(get(USED + 4, 4), 5);
	assert_memory_equal(at(DATA), sectors + 7 * 512, 512);
	/* After a descriptor of the queue, and as long as the queue. */
	descriptor(DESC, 0, HEADER, 16, NEXT, 5);
	for (unsigned i = 0; i < QSIZE - 1; i++)
		descriptor(TABLE, i, i == QSIZE - 2 ? STATUS : DATA, i == QSIZE - 2 ? 1 : 512,
			   WRITE | (i == QSIZE - 2 ? 0 : NEXT), i + 1);
	descriptor(DESC, 5, TABLE, 16 * (QSIZE - 1), INDIRECT, 0);
	put(STATUS, 0xEE, 1);
	make_available(0);
	kick();
	assert_int_equal(status(), 0);
	assert_int_equal(used_len(1), 512 * (QSIZE - 2) + 1);
}

static void hostile(unsigned n)
{
	request(0, IN, 0, DATA, 512);
	switch (n) {
	case 0: /* a loop */
		descriptor(DESC, 1, DATA, 512, NEXT | WRITE, 1);
		break;
	case 1: /* a longer one */
		descriptor(DESC, 2, STATUS, 1, NEXT | WRITE, 1);
		break;
	case 2: /* past the table */
		descriptor(DESC, 1, DATA, 512, NEXT | WRITE, QSIZE);
		break;
	case 3: /* outside of RAM */
		descriptor(DESC, 1, RAM_SIZE, 512, NEXT | WRITE, 2);
		break;
	case 4: /* only in part */
		descriptor(DESC, 0, RAM_SIZE - 8, 16, NEXT, 1);
		break;
	case 5: /* around the end of the address space */
		descriptor(DESC, 1, ~0ULL - 100, 512, NEXT | WRITE, 2);
		break;
	case 6: /* ROM */
		descriptor(DESC, 1, ROM, 512, NEXT | WRITE, 2);
		break;
	case 7: /* what the device reads after what it writes */
		descriptor(DESC, 2, STATUS, 1, 0, 0);
		break;
	case 8: /* nowhere to put the status */
		descriptor(DESC, 0, HEADER, 16, 0, 0);
		break;
	case 9: /* half a header */
		descriptor(DESC, 0, HEADER, 15, NEXT, 1);
		break;
	case 10: /* nothing at all */
		descriptor(DESC, 0, HEADER, 0, 0, 0);
		break;
	case 11: /* a head past the table */
		make_available(QSIZE);
		break;
	case 12: /* more chains than the queue has */
		put(AVAIL + 2, get(AVAIL + 2, 2) + QSIZE, 2);
		break;
	case 13: /* indirect tables: of half a descriptor */
		descriptor(DESC, 0, TABLE, 24, INDIRECT, 0);
		break;
	case 14: /* empty */
		descriptor(DESC, 0, TABLE, 0, INDIRECT, 0);
		break;
	case 15: /* outside */
		descriptor(DESC, 0, RAM_SIZE - 16, 32, INDIRECT, 0);
		break;
	case 16: /* huge */
		descriptor(DESC, 0, 0, 0xFFFFFFF0, INDIRECT, 0);
		break;
	case 17: /* in one another */
		descriptor(DESC, 0, TABLE, 32, INDIRECT, 0);
		descriptor(TABLE, 0, TABLE, 32, INDIRECT, 0);
		break;
	case 18: /* with a next one */
		descriptor(DESC, 0, TABLE, 16, INDIRECT | NEXT, 1);
		break;
	case 19: /* a loop in one */
		descriptor(DESC, 0, TABLE, 32, INDIRECT, 0);
		descriptor(TABLE, 0, HEADER, 16, NEXT, 1);
		descriptor(TABLE, 1, DATA, 1, NEXT | WRITE, 1);
		break;
	}
	kick();
}

static void hostile_chains_stop_the_device(void **state)
{
	for (unsigned n = 0; n < 20; n++) {
		memset(at(DESC), 0, TABLE + 0x100 - DESC);
		start_driver(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC);
		hostile(n);
		assert_broken();
		mmio(0x64, 3);
		captured_reset();
		put(STATUS, 0xEE, 1);
		kick(); /* it stays so until a reset */
		assert_int_equal(status(), 0xEE);
		mmio(0x70, 15);
		assert_int_equal(mmio_get(0x70), 0x4F);
		assert_string_equal(captured(), ""); /* said once */
	}
	start_driver(VIRTIO_F_VERSION_1); /* without the feature */
	descriptor(DESC, 0, TABLE, 48, INDIRECT, 0);
	put(AVAIL + 2, 0, 2);
	make_available(0);
	kick();
	assert_broken();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(many_at_once, started),
		cmocka_unit_test_setup(any_framing, started),
		cmocka_unit_test_setup(indirect, started),
		cmocka_unit_test_setup(hostile_chains_stop_the_device, setup),
	};

	return cmocka_run_group_tests_name("virtio_queue", tests, NULL, NULL);
}
