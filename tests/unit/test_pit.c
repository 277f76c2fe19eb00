#include "support.h"

#include "dev/devices.h"
#include "dev/machine.h"

void host_timer_rearm(u64 deadline)
{
}

#define PIT_HZ	 1193182ULL
#define TICKS(n) ((n)*1000000000ULL / PIT_HZ + 1) /* at 1 GHz */

static int setup(void **state)
{
	fake_reset(state);
	return pit_create(NULL);
}

static void program(unsigned channel, unsigned mode, unsigned count)
{
	fake_out(0x43, 1, channel << 6 | 3 << 4 | mode << 1);
	fake_out(0x40 + channel, 1, count & 0xFF);
	fake_out(0x40 + channel, 1, count >> 8);
}

static unsigned latched(unsigned channel)
{
	unsigned low;

	fake_out(0x43, 1, channel << 6);
	low = fake_in(0x40 + channel, 1);
	return low | fake_in(0x40 + channel, 1) << 8;
}

static unsigned status(unsigned channel)
{
	fake_out(0x43, 1, 0xE0 | 2 << channel);
	return fake_in(0x40 + channel, 1);
}

static bool speaker_out(void)
{
	return fake_in(0x61, 1) & 0x20;
}

static void runs_from_the_start(void **state)
{
	assert_int_equal(status(0), 0xB6); /* loaded, both bytes, mode 3; output high */
	assert_int_equal(status(1) & 0x40, 0x40);
	fake_tsc = TICKS(100);
	assert_int_equal(latched(0), 65536 - 200);
	fake_run_timers(TICKS(65530));
	assert_int_equal(fake_irq_rises[0], 0);
	fake_run_timers(TICKS(65536 * 18 + 5));
	assert_int_equal(fake_irq_rises[0], 18);
	assert_in_range(fake_tsc, 980000000, 995000000); /* 18.2 a second */
}

static void periodic_interrupts_do_not_drift(void **state)
{
	program(0, 2, 11932);
	for (unsigned i = 1; i <= 1000; i++) {
		fake_run_timers(TICKS(11932ULL * i) - 3);
		assert_int_equal(fake_irq_rises[0], i - 1);
		fake_run_timers(TICKS(11932ULL * i) + 3);
		assert_int_equal(fake_irq_rises[0], i);
	}
}

static void missed_periods_come_one_by_one(void **state)
{
	program(0, 3, 1193); /* 1 ms */
	fake_tsc = 5500000;  /* 5 periods go unseen */
	fake_run_timers(fake_tsc);
	assert_int_equal(fake_irq_rises[0], 1);
	fake_run_timers(20000000);
	assert_in_range(fake_irq_rises[0], 20, 20);
}

static void a_long_gap_is_not_made_up_for(void **state)
{
	program(0, 2, 1193);
	fake_tsc = 60000000000ULL; /* a minute */
	fake_run_timers(fake_tsc + 1000000000);
	assert_in_range(fake_irq_rises[0], 1000, 1070);
}

static void interrupt_rate_is_bounded(void **state)
{
	program(0, 2, 1);
	fake_run_timers(1000000);
	assert_in_range(fake_irq_rises[0], 40, 51);
}

static void one_shot_interrupts_once(void **state)
{
	program(0, 4, 1193);
	fake_run_timers(TICKS(1190));
	assert_int_equal(fake_irq_rises[0], 0);
	fake_run_timers(TICKS(1195));
	assert_int_equal(fake_irq_rises[0], 1);
	program(0, 0, 1193);
	assert_false(fake_irq[0]);
	fake_run_timers(100000000);
	assert_int_equal(fake_irq_rises[0], 2);
}

static void control_word_stops_the_interrupt(void **state)
{
	program(0, 2, 1193);
	fake_out(0x43, 1, 0x30);
	fake_run_timers(100000000);
	assert_int_equal(fake_irq_rises[0], 0);
	assert_int_equal(status(0) & 0xFE, 0x70); /* null count, output low */
}

static void counts_down_and_latches(void **state)
{
	program(0, 2, 1000);
	fake_tsc = TICKS(300);
	assert_int_equal(latched(0), 700);
	fake_out(0x43, 1, 0); /* latched: later reads give this, a second latch is ignored */
	fake_tsc = TICKS(600);
	fake_out(0x43, 1, 0);
	assert_int_equal(fake_in(0x40, 1), 700 & 0xFF);
	assert_int_equal(fake_in(0x40, 1), 700 >> 8);
	assert_int_equal(latched(0), 400);
	fake_tsc = TICKS(1100);
	assert_int_equal(latched(0), 900);
	program(0, 3, 1000);
	fake_tsc += TICKS(100);
	assert_int_equal(latched(0), 800);
}

static void read_back(void **state)
{
	program(2, 0, 0x1234);
	fake_out(0x43, 1, 0xC8); /* count and status of channel 2 */
	assert_int_equal(fake_in(0x42, 1), 0x30);
	assert_int_equal(fake_in(0x42, 1), 0x34);
	assert_int_equal(fake_in(0x42, 1), 0x12);
	assert_int_equal(status(2), 0x30);
}

static void low_byte_only(void **state)
{
	fake_out(0x43, 1, 0x14);
	fake_out(0x40, 1, 200);
	fake_tsc = TICKS(50);
	assert_int_equal(fake_in(0x40, 1), 150);
	assert_int_equal(fake_in(0x40, 1), 150);
}

static void bcd(void **state)
{
	fake_out(0x43, 1, 0x35);
	fake_out(0x40, 1, 0x00);
	fake_out(0x40, 1, 0x10); /* 1000 */
	fake_tsc = TICKS(1);
	assert_int_equal(latched(0), 0x0999);
}

/* How Linux and memtest calibrate. */
static void channel_2_by_port_61(void **state)
{
	fake_out(0x61, 1, 0x01);
	program(2, 0, 11931);
	assert_false(speaker_out());
	fake_tsc = TICKS(11930);
	assert_false(speaker_out());
	fake_tsc = TICKS(11932);
	assert_true(speaker_out());
	assert_int_equal(fake_irq_rises[0], 0);
}

static void gate_pauses_mode_0(void **state)
{
	fake_out(0x61, 1, 0x01);
	program(2, 0, 1000);
	fake_tsc = TICKS(400);
	fake_out(0x61, 1, 0x00);
	fake_tsc = TICKS(5000);
	assert_int_equal(latched(2), 600);
	assert_false(speaker_out());
	fake_out(0x61, 1, 0x01);
	fake_tsc = TICKS(5599);
	assert_false(speaker_out());
	fake_tsc = TICKS(5602);
	assert_true(speaker_out());
}

static void gate_triggers_mode_1(void **state)
{
	program(2, 1, 1000);
	assert_true(speaker_out());
	fake_tsc = TICKS(5000);
	assert_true(speaker_out());
	fake_out(0x61, 1, 0x01);
	assert_false(speaker_out());
	fake_tsc = TICKS(5900);
	fake_out(0x61, 1, 0x00); /* the gate going down changes nothing */
	fake_out(0x61, 1, 0x01); /* going up starts again */
	fake_tsc = TICKS(6800);
	assert_false(speaker_out());
	fake_tsc = TICKS(6902);
	assert_true(speaker_out());
}

static void gate_restarts_mode_3(void **state)
{
	fake_out(0x61, 1, 0x01);
	program(2, 3, 1000);
	fake_tsc = TICKS(600);
	assert_false(speaker_out());
	fake_out(0x61, 1, 0x00);
	assert_true(speaker_out());
	fake_tsc = TICKS(10000);
	fake_out(0x61, 1, 0x01);
	fake_tsc = TICKS(10499);
	assert_true(speaker_out());
	fake_tsc = TICKS(10502);
	assert_false(speaker_out());
}

static void refresh_bit_toggles(void **state)
{
	unsigned changes = 0, last = 0;

	for (unsigned us = 0; us < 1000; us++) {
		fake_tsc = us * 1000;
		changes += (fake_in(0x61, 1) & 0x10) != last;
		last = fake_in(0x61, 1) & 0x10;
	}
	assert_in_range(changes, 64, 68);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_from_the_start, setup),
		cmocka_unit_test_setup(periodic_interrupts_do_not_drift, setup),
		cmocka_unit_test_setup(missed_periods_come_one_by_one, setup),
		cmocka_unit_test_setup(a_long_gap_is_not_made_up_for, setup),
		cmocka_unit_test_setup(interrupt_rate_is_bounded, setup),
		cmocka_unit_test_setup(one_shot_interrupts_once, setup),
		cmocka_unit_test_setup(control_word_stops_the_interrupt, setup),
		cmocka_unit_test_setup(counts_down_and_latches, setup),
		cmocka_unit_test_setup(read_back, setup),
		cmocka_unit_test_setup(low_byte_only, setup),
		cmocka_unit_test_setup(bcd, setup),
		cmocka_unit_test_setup(channel_2_by_port_61, setup),
		cmocka_unit_test_setup(gate_pauses_mode_0, setup),
		cmocka_unit_test_setup(gate_triggers_mode_1, setup),
		cmocka_unit_test_setup(gate_restarts_mode_3, setup),
		cmocka_unit_test_setup(refresh_bit_toggles, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
