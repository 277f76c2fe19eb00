/* The local APIC's timer. */
#include "lapics.h"

#define TICK 40 /* the timer's 25 MHz at 1 GHz TSC */

static void run_timers(u64 now)
{
	fake_tsc = now;
	while (v->timers.next <= now) {
		vm.lock.taken = 1; /* as vcpu_run_timers() does */
		timers_run(&v->timers, now);
		vm.lock.taken = 0;
	}
}

static void one_shot_timer(void **state)
{
	set(LAPIC_TDCR, 0x3); /* by 16 */
	set(LAPIC_LVTT, 0x40);
	set(LAPIC_TMICT, 1000);
	assert_int_equal(get(LAPIC_TMCCT), 1000);
	run_timers(400 * 16 * TICK);
	assert_int_equal(get(LAPIC_TMCCT), 600);
	run_timers(1000 * 16 * TICK - 1);
	assert_int_equal(get(LAPIC_TMCCT), 1);
	assert_false(requested(0, 0x40));
	run_timers(1000 * 16 * TICK);
	assert_true(requested(0, 0x40));
	assert_int_equal(get(LAPIC_TMCCT), 0);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
	set(LAPIC_TMICT, 5);
	set(LAPIC_TMICT, 0);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
}

static void divisors(void **state)
{
	static const u8 code[8] = {0xB, 0, 1, 2, 3, 8, 9, 0xA};

	for (unsigned i = 0; i < 8; i++) {
		set(LAPIC_TDCR, code[i]);
		set(LAPIC_TMICT, 100);
		assert_true(v->lapic_timer.deadline == fake_tsc + ((100 * TICK) << i));
	}
}

static void periodic_timer(void **state)
{
	unsigned n = 0;

	set(LAPIC_TDCR, 0xB);
	set(LAPIC_LVTT, 0x20040);
	set(LAPIC_TMICT, 2500); /* 100 us */
	for (u64 t = 0; t <= 10000000; t += 1000) {
		run_timers(t);
		if (requested(0, 0x40)) {
			n++;
			assert_int_equal(t, n * 100000);
			lapic_ack(v, 0x40);
			set(LAPIC_EOI, 0);
		}
	}
	assert_int_equal(n, 100);
	run_timers(10000000 + 250000); /* late: one, and in step again */
	assert_true(v->lapic_timer.deadline == 10300000);
	assert_int_equal(get(LAPIC_TMCCT), 1250);
	set(LAPIC_LVTT, 0x30040); /* masked it runs on */
	lapic_ack(v, 0x40);
	run_timers(10400000);
	assert_false(requested(0, 0x40));
	set(LAPIC_TMICT, 1); /* a hostile one */
	run_timers(10400100);
	assert_true(v->lapic_timer.deadline >= 10400100 + 20000);
}

static void deadline_timer(void **state)
{
	u64 val;

	v->tsc_offset = -1000000ULL;
	fake_tsc = 2000000;
	assert_int_equal(lapic_wrmsr(v, 0x6E0, 5000000), 0); /* not in this mode */
	assert_int_equal(lapic_rdmsr(v, 0x6E0, &val), 0);
	assert_int_equal(val, 0);
	set(LAPIC_LVTT, 0x40040);
	set(LAPIC_TMICT, 100);
	assert_int_equal(get(LAPIC_TMICT), 0);
	assert_int_equal(get(LAPIC_TMCCT), 0);
	lapic_wrmsr(v, 0x6E0, 5000000);
	lapic_rdmsr(v, 0x6E0, &val);
	assert_int_equal(val, 5000000);
	assert_true(v->lapic_timer.deadline == 6000000);
	v->tsc_offset = -1500000ULL;
	lapic_tsc_changed(v);
	assert_true(v->lapic_timer.deadline == 6500000);
	run_timers(6500000);
	assert_true(requested(0, 0x40));
	lapic_rdmsr(v, 0x6E0, &val);
	assert_int_equal(val, 0);

	lapic_wrmsr(v, 0x6E0, 1); /* long past */
	assert_true(v->lapic_timer.deadline <= fake_tsc);
	lapic_wrmsr(v, 0x6E0, 0);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
	lapic_wrmsr(v, 0x6E0, ~0ULL);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
	v->tsc_offset = 1000;
	lapic_wrmsr(v, 0x6E0, 500);
	assert_int_equal(v->lapic_timer.deadline, 0);
	set(LAPIC_LVTT, 0x50040); /* masking leaves it armed, another mode does not */
	assert_int_equal(v->lapic_timer.deadline, 0);
	set(LAPIC_LVTT, 0x40);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_shot_timer, setup),
		cmocka_unit_test_setup(divisors, setup),
		cmocka_unit_test_setup(periodic_timer, setup),
		cmocka_unit_test_setup(deadline_timer, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
