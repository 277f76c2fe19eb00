#include "support.h"

#include <string.h>
#include <time.h>

#include "dev/devices.h"
#include "dev/machine.h"
#include "lib/civil.h"
#include "vm/memory.h"

u64 wall_clock_base;

void host_timer_rearm(u64 deadline)
{
}

#define SECOND 1000000000ULL

static u8 get(u8 index)
{
	fake_out(0x70, 1, index);
	return fake_in(0x71, 1);
}

static void set(u8 index, u8 val)
{
	fake_out(0x70, 1, index);
	fake_out(0x71, 1, val);
}

static int setup(void **state)
{
	fake_reset(state);
	wall_clock_base = 1700000000; /* Tuesday 2023-11-14 22:13:20 */
	return rtc_create(NULL);
}

static void calendar_matches_the_c_library(void **state)
{
	for (u64 t = 0; t < 8000000000ULL; t += 86400 * 3 + 12345) {
		time_t tt = (time_t)t;
		struct civil c;
		struct tm tm;

		gmtime_r(&tt, &tm);
		civil_from_seconds(t, &c);
		assert_int_equal(c.century * 100 + c.year, tm.tm_year + 1900);
		assert_int_equal(c.month, tm.tm_mon + 1);
		assert_int_equal(c.day, tm.tm_mday);
		assert_int_equal(c.hour, tm.tm_hour);
		assert_int_equal(c.minute, tm.tm_min);
		assert_int_equal(c.second, tm.tm_sec);
		assert_int_equal(c.weekday, tm.tm_wday + 1);
		assert_true(civil_to_seconds(&c) == t);
	}
}

static void every_day_of_400_years(void **state)
{
	u64 t = 0;

	for (unsigned i = 0; i < 146097; i++, t += 86400) {
		struct civil c;

		civil_from_seconds(t, &c);
		assert_in_range(c.day, 1, 31);
		assert_true(civil_to_seconds(&c) == t);
	}
}

static void reads_the_time_in_bcd(void **state)
{
	assert_int_equal(get(0), 0x20);
	assert_int_equal(get(2), 0x13);
	assert_int_equal(get(4), 0x22);
	assert_int_equal(get(6), 3);
	assert_int_equal(get(7), 0x14);
	assert_int_equal(get(8), 0x11);
	assert_int_equal(get(9), 0x23);
	assert_int_equal(get(0x32), 0x20);
	fake_tsc = 3 * SECOND;
	assert_int_equal(get(0), 0x23);
	assert_int_equal(get(13), 0x80);
}

static void binary_and_12_hours(void **state)
{
	set(11, 0x04);
	assert_int_equal(get(4), 0x80 | 10);
	assert_int_equal(get(0), 20);
	set(4, 0x80 | 12); /* noon */
	set(11, 0x02);
	assert_int_equal(get(4), 0x12);
	set(4, 0x00);
	set(11, 0x00);
	assert_int_equal(get(4), 0x12); /* midnight is 12 AM */
}

static void update_in_progress_ends(void **state)
{
	unsigned seen = 0;

	for (u64 us = 0; us < 2000000; us += 50) {
		fake_tsc = us * 1000;
		seen += get(10) >> 7;
	}
	assert_in_range(seen, 2 * 4, 2 * 6); /* 244 us a second */
	assert_int_equal(get(10) & 0x7F, 0x26);
}

static void setting_the_time(void **state)
{
	set(11, 0x82);
	assert_int_equal(get(0), 0x20);
	fake_tsc = 10 * SECOND;
	assert_int_equal(get(0), 0x20); /* stopped */
	set(0, 0x58);
	set(2, 0x59);
	set(4, 0x23);
	set(7, 0x29);
	set(8, 0x02);
	set(9, 0x24);
	set(11, 0x02);
	fake_tsc = 12 * SECOND - 1000;
	assert_int_equal(get(0), 0x59);
	fake_tsc = 12 * SECOND + 1000000;
	assert_int_equal(get(0), 0x00);
	assert_int_equal(get(7), 0x01);
	assert_int_equal(get(8), 0x03);
}

/* As SeaBIOS's INT 1Ah does: without SET, so that the day between is none (31 February). */
static void setting_a_date_register_by_register(void **state)
{
	fake_tsc = 17 * 24 * 3600 * SECOND; /* 1 December */
	set(7, 0x31);
	set(8, 0x02);
	assert_int_equal(get(7), 0x31);
	set(7, 0x15);
	assert_int_equal(get(8), 0x02);
	fake_tsc += SECOND;
	assert_int_equal(get(7), 0x15);
	assert_int_equal(get(8), 0x02);
	set(7, 0x31);
	fake_tsc += SECOND;
	assert_int_equal(get(7), 0x03);
	assert_int_equal(get(8), 0x03);
}

static void divider_release_ends_the_second_after_half_of_one(void **state)
{
	set(10, 0x76);
	fake_tsc = 5 * SECOND;
	set(10, 0x26);
	assert_int_equal(get(0), 0x20);
	fake_tsc += SECOND / 2 + 1000000;
	assert_int_equal(get(0), 0x21);
}

static void nonsense_does_no_harm(void **state)
{
	for (unsigned v = 0; v < 256; v++) {
		set(11, v | 0x80);
		for (unsigned i = 0; i < 10; i++)
			set(i, (u8)(v * 7 + i * 31));
		set(0x32, (u8)v);
		set(11, (u8)v & 0x7F);
		fake_tsc += 3 * SECOND;
		for (unsigned i = 0; i < 128; i++)
			get(i);
	}
}

static void update_interrupt(void **state)
{
	set(11, 0x12);
	fake_run_timers(SECOND - 1000);
	assert_false(fake_irq[IRQ_RTC]);
	fake_run_timers(SECOND + 1000000);
	assert_true(fake_irq[IRQ_RTC]);
	assert_int_equal(get(12) & ~0x40, 0x90);
	assert_false(fake_irq[IRQ_RTC]);
	assert_int_equal(get(12), 0);
	fake_run_timers(2 * SECOND + 1000000);
	assert_int_equal(fake_irq_rises[IRQ_RTC], 2);
}

static void alarm(void **state)
{
	set(1, 0x25);
	set(3, 0x13);
	set(5, 0xFF);
	set(11, 0x22);
	fake_run_timers(5 * SECOND - 1000);
	assert_false(fake_irq[IRQ_RTC]);
	fake_run_timers(5 * SECOND + 1000000);
	assert_true(fake_irq[IRQ_RTC]);
	assert_int_equal(get(12) & ~0x40, 0xB0);
	fake_run_timers(3605 * SECOND + 1000000);
	assert_int_equal(fake_irq_rises[IRQ_RTC], 2); /* every hour */
}

static void alarm_flag_for_pollers(void **state)
{
	set(1, 0x25);
	set(3, 0xC0);
	set(5, 0xC0);
	fake_tsc = 4 * SECOND;
	assert_int_equal(get(12) & 0x20, 0);
	fake_tsc = 7 * SECOND;
	assert_int_equal(get(12) & 0x20, 0x20);
	assert_int_equal(get(12) & 0x20, 0);
}

static void periodic_interrupt(void **state)
{
	unsigned n = 0;

	set(11, 0x42);
	for (u64 t = 0; t <= SECOND; t += 100000) {
		fake_run_timers(t);
		if (fake_irq[IRQ_RTC]) {
			n++;
			assert_int_equal(get(12) & 0xC0, 0xC0);
		}
	}
	assert_in_range(n, 1023, 1025);
	set(10, 0x2F); /* 2 Hz */
	get(12);
	fake_run_timers(SECOND * 7 / 5);
	assert_false(fake_irq[IRQ_RTC]);
	fake_run_timers(SECOND * 8 / 5);
	assert_true(fake_irq[IRQ_RTC]);
}

static void memory_sizes(void **state)
{
	assert_int_equal(get(0x15) | get(0x16) << 8, 640);
	assert_int_equal(get(0x30) | get(0x31) << 8, 0xFFFF);
	assert_int_equal(get(0x34) | get(0x35) << 8, 240 * 16);
	assert_int_equal(get(0x5B), 0);
	fake_reset(state);
	fake_memory_size = GUEST_HOLE_START + 5 * GiB;
	rtc_create(NULL);
	assert_int_equal(get(0x5B) | get(0x5C) << 8 | get(0x5D) << 16, 5 * 16384);
	fake_reset(state);
	fake_memory_size = 8 * MiB;
	rtc_create(NULL);
	assert_int_equal(get(0x30) | get(0x31) << 8, 7 * 1024);
	assert_int_equal(get(0x34) | get(0x35) << 8, 0);
}

static void nvram_keeps(void **state)
{
	set(0x8F, 0x0A); /* with NMIs masked */
	assert_int_equal(get(0x0F), 0x0A);
	fake_out(0x70, 2, 0x5A40);
	assert_int_equal(get(0x40), 0x5A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calendar_matches_the_c_library),
		cmocka_unit_test(every_day_of_400_years),
		cmocka_unit_test_setup(reads_the_time_in_bcd, setup),
		cmocka_unit_test_setup(binary_and_12_hours, setup),
		cmocka_unit_test_setup(update_in_progress_ends, setup),
		cmocka_unit_test_setup(setting_the_time, setup),
		cmocka_unit_test_setup(setting_a_date_register_by_register, setup),
		cmocka_unit_test_setup(divider_release_ends_the_second_after_half_of_one, setup),
		cmocka_unit_test_setup(nonsense_does_no_harm, setup),
		cmocka_unit_test_setup(update_interrupt, setup),
		cmocka_unit_test_setup(alarm, setup),
		cmocka_unit_test_setup(alarm_flag_for_pollers, setup),
		cmocka_unit_test_setup(periodic_interrupt, setup),
		cmocka_unit_test_setup(memory_sizes, setup),
		cmocka_unit_test_setup(nvram_keeps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
