#include "support.h"

#include "dev/devices.h"
#include "dev/machine.h"

void host_timer_rearm(u64 deadline)
{
}

static void line(unsigned irq, bool level)
{
	fake_irqchip_ops->set(fake_irqchip, irq, level);
}

static int ack(void)
{
	return fake_extint_ack(fake_extint_chip);
}

static void init_both(unsigned icw4)
{
	static const u8 master[] = {0x30, 0x04}, slave[] = {0x38, 0x02};

	fake_out(0x20, 1, 0x11);
	fake_out(0xA0, 1, 0x11);
	for (unsigned i = 0; i < 2; i++) {
		fake_out(0x21, 1, master[i]);
		fake_out(0xA1, 1, slave[i]);
	}
	fake_out(0x21, 1, icw4);
	fake_out(0xA1, 1, 1);
	fake_out(0x21, 1, 0);
	fake_out(0xA1, 1, 0);
}

static int setup(void **state)
{
	int err;

	fake_reset(state);
	err = pic_create(NULL);
	init_both(1);
	return err;
}

static void masked_at_power_on(void **state)
{
	fake_reset(state);
	pic_create(NULL);
	line(0, true);
	assert_false(fake_extint);
	assert_int_equal(fake_in(0x21, 1), 0xFF);
	assert_int_equal(fake_in(0x20, 1), 0x01);
	fake_out(0x21, 1, 0xFE);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x08); /* the BIOS' base */
}

static void edge_is_delivered_once(void **state)
{
	line(4, true);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x34);
	assert_false(fake_extint);
	fake_out(0x20, 1, 0x0B); /* read ISR */
	assert_int_equal(fake_in(0x20, 1), 0x10);
	fake_out(0x20, 1, 0x20);
	assert_int_equal(fake_in(0x20, 1), 0);
	assert_false(fake_extint);
	line(4, true);
	assert_false(fake_extint);
	line(4, false);
	line(4, true);
	assert_true(fake_extint);
}

static void fpu_error(void **state)
{
	fake_irq[IRQ_FPU] = true;
	fake_out(0xF0, 1, 0);
	assert_false(fake_irq[IRQ_FPU]);
}

static void priorities_nest(void **state)
{
	line(5, true);
	assert_int_equal(ack(), 0x35);
	line(6, true);
	assert_false(fake_extint);
	line(1, true);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x31);
	fake_out(0x20, 1, 0x20); /* ends 1 */
	assert_false(fake_extint);
	fake_out(0x20, 1, 0x65); /* ends 5 by name */
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x36);
}

static void slave_goes_through_the_cascade(void **state)
{
	line(12, true);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x3C);
	line(8, true); /* more urgent, but the master's input 2 is in service */
	assert_false(fake_extint);
	fake_out(0x20, 1, 0x20);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x38);
	fake_out(0xA0, 1, 0x20);
	fake_out(0xA0, 1, 0x20);
	fake_out(0x20, 1, 0x20);
	assert_false(fake_extint);
}

static void special_fully_nested_lets_the_slave_nest(void **state)
{
	init_both(0x11);
	line(12, true);
	assert_int_equal(ack(), 0x3C);
	line(8, true);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x38);
}

static void spurious(void **state)
{
	line(3, true);
	fake_out(0x21, 1, 0xFF);
	assert_false(fake_extint);
	assert_int_equal(ack(), 0x37);
	fake_out(0x20, 1, 0x0B);
	assert_int_equal(fake_in(0x20, 1), 0); /* not in service */
	fake_out(0x21, 1, 0x08);
	line(15, true);
	fake_out(0xA1, 1, 0x80);
	assert_false(fake_extint);
}

static void level_stays_while_asserted(void **state)
{
	fake_out(0x4D1, 1, 0xFF);
	assert_int_equal(fake_in(0x4D1, 1), 0xDE);
	fake_out(0x4D0, 2, 0xFFFF);
	assert_int_equal(fake_in(0x4D0, 2), 0xDEF8);
	line(10, true);
	assert_int_equal(ack(), 0x3A);
	fake_out(0xA0, 1, 0x20);
	fake_out(0x20, 1, 0x20);
	assert_true(fake_extint);
	line(10, false);
	assert_false(fake_extint);
}

static void icw1_makes_no_levels(void **state)
{
	fake_out(0x20, 1, 0x19);
	fake_out(0x21, 1, 0x30);
	fake_out(0x21, 1, 0x04);
	fake_out(0x21, 1, 0x01);
	line(0, true);
	assert_int_equal(ack(), 0x30);
	fake_out(0x20, 1, 0x20);
	assert_false(fake_extint);
}

static void automatic_eoi_and_its_rotation(void **state)
{
	init_both(3);
	fake_out(0x20, 1, 0x80); /* rotate in AEOI mode */
	line(0, true);
	line(1, true);
	assert_int_equal(ack(), 0x30);
	line(0, false);
	line(0, true);
	assert_int_equal(ack(), 0x31); /* 0 is last now */
	assert_int_equal(ack(), 0x30);
	assert_false(fake_extint);
}

static void rotation(void **state)
{
	fake_out(0x20, 1, 0xC3); /* 3 is the lowest */
	line(0, true);
	line(4, true);
	assert_int_equal(ack(), 0x34);
	fake_out(0x20, 1, 0xA0); /* end it and make it the lowest */
	assert_int_equal(ack(), 0x30);
	fake_out(0x20, 1, 0x20);
	line(5, true);
	line(3, true);
	assert_int_equal(ack(), 0x35);
}

static void special_mask_lets_lower_ones_through(void **state)
{
	line(1, true);
	assert_int_equal(ack(), 0x31);
	line(6, true);
	assert_false(fake_extint);
	fake_out(0x20, 1, 0x68);
	assert_false(fake_extint);
	fake_out(0x21, 1, 0x02);
	assert_true(fake_extint);
	assert_int_equal(ack(), 0x36);
}

static void polling(void **state)
{
	fake_out(0x20, 1, 0x0C);
	assert_int_equal(fake_in(0x20, 1), 0);
	line(7, true);
	fake_out(0x20, 1, 0x0C);
	assert_int_equal(fake_in(0x20, 1), 0x87);
	assert_false(fake_extint);
}

static void init_without_icw4_or_icw3(void **state)
{
	fake_out(0x20, 1, 0x12); /* single, no ICW4 */
	fake_out(0x21, 1, 0x40);
	fake_out(0x21, 1, 0xAA); /* already the mask */
	assert_int_equal(fake_in(0x21, 1), 0xAA);
	line(0, true);
	assert_int_equal(ack(), 0x40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(masked_at_power_on, setup),
		cmocka_unit_test_setup(edge_is_delivered_once, setup),
		cmocka_unit_test_setup(fpu_error, setup),
		cmocka_unit_test_setup(priorities_nest, setup),
		cmocka_unit_test_setup(slave_goes_through_the_cascade, setup),
		cmocka_unit_test_setup(special_fully_nested_lets_the_slave_nest, setup),
		cmocka_unit_test_setup(spurious, setup),
		cmocka_unit_test_setup(level_stays_while_asserted, setup),
		cmocka_unit_test_setup(icw1_makes_no_levels, setup),
		cmocka_unit_test_setup(automatic_eoi_and_its_rotation, setup),
		cmocka_unit_test_setup(rotation, setup),
		cmocka_unit_test_setup(special_mask_lets_lower_ones_through, setup),
		cmocka_unit_test_setup(polling, setup),
		cmocka_unit_test_setup(init_without_icw4_or_icw3, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
