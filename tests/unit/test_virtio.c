#include "virtio_driver.h"

#define HEADER 0x5000
#define DATA   0x6000
#define STATUS 0x7000

#define ALL (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

void host_timer_rearm(u64 deadline)
{
}

static int setup(void **state)
{
	make_machine();
	return virtio_blk_create(NULL);
}

static int started(void **state)
{
	int err = setup(state);

	start_driver(VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC);
	assert_int_equal(mmio_get(0x70), 15);
	return err;
}

static void header(u32 type, u64 sector)
{
	put(HEADER, type, 8);
	put(HEADER + 8, sector, 8);
	put(STATUS, 0xEE, 1);
}

/* A request of three descriptors from n on: header, data, status. */
static void request(unsigned n, u32 type, u64 sector, u64 data, u32 len)
{
	header(type, sector);
	descriptor(DESC, n, HEADER, 16, NEXT, n + 1);
	descriptor(DESC, n + 1, data, len, NEXT | (type == IN || type == GET_ID ? WRITE : 0), n + 2);
	descriptor(DESC, n + 2, STATUS, 1, WRITE, 0);
	make_available(n);
}

static u8 status(void)
{
	return (u8)get(STATUS, 1);
}

static u32 used_len(unsigned n)
{
	return (u32)get(USED + 4 + 8 * n + 4, 4);
}

static void assert_broken(void)
{
	assert_int_equal(mmio_get(0x70), 0x4F);
	assert_int_equal(mmio_get(0x60) & 2, 2);
	assert_true(fake_irq[VIRTIO_IRQ]);
}

/* --- the transport --- */

static void identification(void **state)
{
	assert_int_equal(mmio_get(0), 0x74726976);
	assert_int_equal(mmio_get(4), 2);
	assert_int_equal(mmio_get(8), 2);
	assert_int_equal(mmio_get(0xB0), 0xFFFFFFFF);
	assert_int_equal(mmio_get(0x100), SECTORS);
	assert_int_equal(mmio_get(0x10C), 62);
	assert_int_equal(mmio_get(0x114), 512);
	assert_int_equal(mmio_get(0x124) != 0, 1);
	mmio(0x14, 1);
	assert_int_equal(mmio_get(0x10), 1);
	mmio(0x14, 0);
	assert_int_equal(mmio_get(0x10), 0x30002244);
	mmio(0x14, 2);
	assert_int_equal(mmio_get(0x10), 0);
	assert_int_equal(mmio_get(0x34), VIRTQ_SIZE_MAX);
	mmio(0x30, 1);
	assert_int_equal(mmio_get(0x34), 0);
	mmio(0x100, 5); /* read-only, as all that is not a register */
	assert_int_equal(mmio_get(0x100), SECTORS);
	fake_mmio_write(VIRTIO_BASE + 0x70, 1, 1);
	assert_int_equal(mmio_get(0x70), 0);
}

static void features_must_be_ours(void **state)
{
	start_driver(ALL);
	assert_int_equal(mmio_get(0x70), 15);
	start_driver(VIRTIO_F_INDIRECT_DESC); /* no VERSION_1 */
	assert_int_equal(mmio_get(0x70) & 8, 0);
	start_driver(ALL | BIT(40));
	assert_int_equal(mmio_get(0x70) & 8, 0);
}

static void bad_queues_are_refused(void **state)
{
	static const struct {
		u64 reg;
		u32 val;
	} bad[] = {{0x38, 0},	     {0x38, 7},	  {0x38, 128},	     {0x38, ~0U},
		   {0x80, DESC + 8}, {0x84, 1},	  {0x90, AVAIL + 1}, {0x90, RAM_SIZE},
		   {0xA0, 0x3002},   {0xA0, ROM}, {0xA0, SEAM - 16}};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		start_driver(VIRTIO_F_VERSION_1);
		assert_int_equal(mmio_get(0x44), 1);
		mmio(0x44, 0);
		mmio(bad[i].reg, bad[i].val);
		mmio(0x44, 1);
		assert_int_equal(mmio_get(0x44), 0);
		assert_broken();
		request(0, IN, 0, DATA, 512);
		kick(); /* does nothing */
		assert_int_equal(status(), 0xEE);
	}
}

static void nothing_before_driver_ok(void **state)
{
	start_driver(VIRTIO_F_VERSION_1);
	mmio(0x70, 11);
	request(0, IN, 0, DATA, 512);
	kick();
	assert_int_equal(status(), 0xEE);
	mmio(0x70, 15);
	mmio(0x50, 1); /* no such queue */
	assert_int_equal(status(), 0xEE);
	kick();
	assert_int_equal(status(), 0);
}

static void interrupts(void **state)
{
	request(0, IN, 0, DATA, 512);
	kick();
	assert_int_equal(mmio_get(0x60), 1);
	assert_int_equal(fake_irq_rises[VIRTIO_IRQ], 1);
	request(0, IN, 0, DATA, 512);
	kick(); /* still asserted: no second edge */
	assert_int_equal(fake_irq_rises[VIRTIO_IRQ], 1);
	mmio(0x64, 1);
	assert_false(fake_irq[VIRTIO_IRQ]);
	kick(); /* nothing new */
	assert_false(fake_irq[VIRTIO_IRQ]);
	put(AVAIL, 1, 2); /* NO_INTERRUPT */
	request(0, IN, 0, DATA, 512);
	kick();
	assert_int_equal(status(), 0);
	assert_false(fake_irq[VIRTIO_IRQ]);
}

static void what_came_meanwhile_is_a_new_edge(void **state)
{
	descriptor(DESC, 0, RAM_SIZE, 16, 0, 0);
	make_available(0);
	request(0, IN, 0, DATA, 512); /* the driver breaks a rule after it was interrupted */
	put(AVAIL + 2, 1, 2);
	kick();
	descriptor(DESC, 0, RAM_SIZE, 16, 0, 0);
	make_available(0);
	kick();
	assert_int_equal(mmio_get(0x60), 3);
	assert_int_equal(fake_irq_rises[VIRTIO_IRQ], 1);
	mmio(0x64, 1);
	assert_int_equal(fake_irq_rises[VIRTIO_IRQ], 2);
	mmio(0x64, 2);
	assert_false(fake_irq[VIRTIO_IRQ]);
}

static void event_index(void **state)
{
	start_driver(ALL);
	put(AVAIL + 4 + 2 * QSIZE, 1, 2); /* wants to know of the second */
	request(0, IN, 0, DATA, 512);
	kick();
	assert_int_equal(get(USED + 4 + 8 * QSIZE, 2), 1); /* and the device of the next */
	assert_false(fake_irq[VIRTIO_IRQ]);
	request(3, IN, 0, DATA, 512);
	request(0, IN, 0, DATA, 512);
	kick();
	assert_int_equal(get(USED + 4 + 8 * QSIZE, 2), 3);
	assert_true(fake_irq[VIRTIO_IRQ]);
	mmio(0x64, 1);
	request(0, IN, 0, DATA, 512);
	kick();
	assert_false(fake_irq[VIRTIO_IRQ]);
}

/* --- requests --- */

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

/* --- hostile chains --- */

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

/* --- the disk in RAM --- */

static void ram_disk(void **state)
{
	u8 *data = aligned_alloc(4096, 4096), buf[1024];
	struct guest_piece pieces[] = {{buf, 100}, {buf + 100, 924}};
	struct disk_request r = {
		.op = DISK_READ, .sector = 1, .count = 2, .pieces = pieces, .piece_count = 2};
	struct disk *d;

	fake_reset(state);
	for (unsigned i = 0; i < 4096; i++)
		data[i] = (u8)(i * 7);
	d = ram_disk_create(data, 1537, false, "a very long name of a file");
	assert_int_equal(d->sectors, 4);
	assert_memory_equal(d->serial, "a very long name of ", 20);
	assert_int_equal(data[1537] | data[2047], 0);
	assert_int_not_equal(data[2048 + 1], 0);
	assert_int_equal(d->ops->submit(d, &r), 0);
	assert_memory_equal(buf, data + 512, 1024);
	memset(buf, 1, sizeof(buf));
	r.op = DISK_WRITE;
	assert_int_equal(d->ops->submit(d, &r), 0);
	assert_memory_equal(buf, data + 512, 1024);
	r.op = DISK_FLUSH;
	assert_int_equal(d->ops->submit(d, &r), 0);
	r.op = DISK_DISCARD;
	r.count = 1;
	assert_int_equal(d->ops->submit(d, &r), 0);
	assert_int_equal(data[512] | data[1023], 0);
	assert_int_equal(data[1024], 1);
	fake_pages_left = 0;
	assert_null(ram_disk_create(data, 1, true, "x"));
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(identification, setup),
		cmocka_unit_test_setup(features_must_be_ours, setup),
		cmocka_unit_test_setup(bad_queues_are_refused, setup),
		cmocka_unit_test_setup(nothing_before_driver_ok, setup),
		cmocka_unit_test_setup(interrupts, started),
		cmocka_unit_test_setup(what_came_meanwhile_is_a_new_edge, started),
		cmocka_unit_test_setup(event_index, setup),
		cmocka_unit_test_setup(reads_and_writes, started),
		cmocka_unit_test_setup(many_at_once, started),
		cmocka_unit_test_setup(any_framing, started),
		cmocka_unit_test_setup(indirect, started),
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
		cmocka_unit_test_setup(hostile_chains_stop_the_device, setup),
		cmocka_unit_test(ram_disk),
	};

	return cmocka_run_group_tests_name("virtio", tests, NULL, NULL);
}
