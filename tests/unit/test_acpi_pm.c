#include "support.h"

#include "dev/devices.h"
#include "dev/machine.h"

void host_timer_rearm(u64 deadline)
{
}

static int setup(void **state)
{
	fake_reset(state);
	return acpi_pm_create(NULL);
}

static void timer_counts(void **state)
{
	assert_int_equal(fake_in(0x608, 4), 0);
	fake_tsc = 1000000000;
	assert_int_equal(fake_in(0x608, 4), 3579545);
	assert_int_equal(fake_in(0x609, 2), 3579545 >> 8 & 0xFFFF);
	fake_tsc = 3600000000000ULL; /* an hour: wraps at 32 bits */
	assert_int_equal(fake_in(0x608, 4), (u32)(3579545ULL * 3600));
	fake_out(0x608, 4, 0);
	assert_int_equal(fake_in(0x608, 4), (u32)(3579545ULL * 3600));
}

static void timer_event(void **state)
{
	fake_out(0x602, 2, 1);
	assert_int_equal(fake_in(0x600, 4), 0x00010000);
	fake_run_timers(599000000000ULL);
	assert_false(fake_irq[IRQ_SCI]);
	fake_run_timers(601000000000ULL); /* 2^31 ticks take 599.94 s */
	assert_true(fake_irq[IRQ_SCI]);
	assert_int_equal(fake_in(0x600, 2), 1);
	fake_out(0x600, 2, 0);
	assert_true(fake_irq[IRQ_SCI]);
	fake_out(0x600, 2, 1);
	assert_false(fake_irq[IRQ_SCI]);
	assert_int_equal(fake_in(0x600, 2), 0);
	fake_run_timers(1201000000000ULL);
	assert_int_equal(fake_irq_rises[IRQ_SCI], 2);
	fake_out(0x602, 1, 0);
	assert_false(fake_irq[IRQ_SCI]);
	assert_int_equal(fake_in(0x600, 1), 1);
}

static void status_bit_comes_without_enable(void **state)
{
	fake_tsc = 700000000000ULL;
	assert_int_equal(fake_in(0x600, 2), 1);
	assert_false(fake_irq[IRQ_SCI]);
	fake_out(0x602, 2, 1);
	assert_true(fake_irq[IRQ_SCI]);
	fake_out(0x604, 2, 0); /* SCI_EN off */
	assert_false(fake_irq[IRQ_SCI]);
}

static void power_off(void **state)
{
	assert_int_equal(fake_in(0x604, 2), 1);
	fake_out(0x604, 2, 1 | 3 << 10 | 1 << 13);
	assert_int_equal(fake_end, VM_RUNNING);
	assert_int_equal(fake_in(0x604, 2), 1 | 3 << 10);
	fake_out(0x604, 2, 1);
	assert_int_equal(fake_end, VM_RUNNING);
	fake_out(0x604, 2, 1 << 13);
	assert_int_equal(fake_end, VM_POWEROFF);
}

static void power_off_by_its_upper_byte(void **state)
{
	fake_out(0x605, 1, 1 << 5);
	assert_int_equal(fake_end, VM_POWEROFF);
}

static void accesses_across_registers(void **state)
{
	fake_out(0x602, 4, 0x00000001); /* enable, and control: SCI_EN goes */
	assert_int_equal(fake_in(0x602, 4), 1);
	assert_int_equal(fake_in(0x603, 4), 0);
	assert_int_equal(fake_in(0x605, 4), 0);
}

static void reset_port(void **state)
{
	fake_out(0xCF9, 1, 2);
	assert_int_equal(fake_end, VM_RUNNING);
	assert_int_equal(fake_in(0xCF9, 1), 2);
	fake_out(0xCF9, 1, 6);
	assert_int_equal(fake_end, VM_REBOOT);
	setup(state);
	fake_out(0xCF8, 4, 0x80000400); /* PCI's device 0, function 4 */
	fake_out(0xCF8, 2, 0x0400);
	assert_int_equal(fake_end, VM_RUNNING);
	assert_int_equal(fake_in(0xCF8, 4), 0xFFFFFFFF);
	assert_int_equal(fake_in(0xCF9, 2), 0xFFFF);
	assert_int_equal(fake_in(0xCF8, 1), 0xFF);
	assert_int_equal(fake_in(0xCF9, 1), 0);
	fake_out(0xCF9, 1, 0x0E);
	assert_int_equal(fake_end, VM_REBOOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(timer_counts, setup),
		cmocka_unit_test_setup(timer_event, setup),
		cmocka_unit_test_setup(status_bit_comes_without_enable, setup),
		cmocka_unit_test_setup(power_off, setup),
		cmocka_unit_test_setup(power_off_by_its_upper_byte, setup),
		cmocka_unit_test_setup(accesses_across_registers, setup),
		cmocka_unit_test_setup(reset_port, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
