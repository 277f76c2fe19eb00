/* The transport of a virtio disk: registers, features, interrupts. */
#include "virtio_driver.h"

#define ALL (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

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
	};

	return cmocka_run_group_tests_name("virtio_mmio", tests, NULL, NULL);
}
