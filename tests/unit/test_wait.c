/* The timer of a vcpu, and its waits in HLT. */
#include "fake_entry.h"
#include "vm/exits.h"

static void raise(void *dev, u64 deadline)
{
	assert_true(vm.lock.taken);
	irr = 0x20;
	vcpu_kick(&v, EV_INTERRUPT);
}

static void test_timer(void **state)
{
	struct vtimer t, later;

	vtimer_init(&t, &v.timers, raise, NULL);
	vtimer_init(&later, &v.timers, raise, NULL);
	vtimer_arm(&t, 100);
	vtimer_arm(&later, 500);
	assert_int_equal(fake_cpu.timer_deadline, 100);
	fake_tsc = 100;
	handlers[0x40]();
	assert_int_equal(v.events, EV_TIMER);
	expect_entry(VALID | 0x20);
	assert_int_equal(fake_cpu.timer_deadline, 500);
	fake_cpu.vcpu = NULL; /* nobody's interrupt is harmless */
	handlers[0x40]();
	assert_int_equal(v.events, 0);
}

static void timer_fires(void)
{
	assert_int_not_equal(fake_cpu.timer_deadline, TIMER_NEVER);
	fake_tsc = fake_cpu.timer_deadline;
	handlers[0x40]();
}

static void test_halt_until_timer(void **state)
{
	struct vtimer t;

	vtimer_init(&t, &v.timers, raise, NULL);
	vtimer_arm(&t, 1000);
	on_wait = timer_fires;
	v.halted = 1;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x20);
	assert_int_equal(waits, 1);
	assert_int_equal(v.halted, 0);
	assert_int_equal(fake_cpu.timer_deadline, TIMER_NEVER);
}

static void nothing_then_nmi(void)
{
	if (waits == 3) {
		v.nmi_pending = true;
		vcpu_kick(&v, EV_NMI);
	}
}

static void test_halt_masked(void **state)
{
	interruptible = false;
	rflags = 0;
	irr = 0x31; /* does not wake a CPU with IF=0 */
	on_wait = nothing_then_nmi;
	v.halted = 1;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x202);
	assert_int_equal(waits, 3);
	assert_true(int_window);
}

static void answer_ferr(void)
{
	assert_true(fake_irq[IRQ_FPU]);
	irr = 0x75;
	vcpu_kick(&v, EV_INTERRUPT);
}

static void test_x87_error(void **state)
{
	on_wait = answer_ferr;
	exit_ferr(&v);
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x75);
	assert_int_equal(waits, 1);
	assert_int_equal(v.halted, 0);
}

static void end_it(void)
{
	vcpu_kick(&v, EV_END);
}

static void test_halt_end(void **state)
{
	on_wait = end_it;
	v.halted = 1;
	v.events = EV_INTERRUPT;
	assert_false(vcpu_prepare_entry(&v));
	assert_int_equal(waits, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_timer, setup),
		cmocka_unit_test_setup(test_halt_until_timer, setup),
		cmocka_unit_test_setup(test_halt_masked, setup),
		cmocka_unit_test_setup(test_x87_error, setup),
		cmocka_unit_test_setup(test_halt_end, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
