#include "support.h"

#include "vm/timer.h"

static struct timer_queue q;
static struct vtimer a, b, c;
static unsigned rearms, fired;
static u64 last_rearm, order[32];
static u64 period;

void host_timer_rearm(u64 deadline)
{
	rearms++;
	last_rearm = deadline;
}

static void fire(void *dev, u64 deadline)
{
	struct vtimer *t = dev;

	assert_int_equal(t->deadline, TIMER_NEVER);
	if (fired < ARRAY_SIZE(order))
		order[fired] = deadline;
	fired++;
	if (t == &c)
		vtimer_arm(t, deadline + period);
}

static int setup(void **state)
{
	q = (struct timer_queue){0};
	vtimer_init(&a, &q, fire, &a);
	vtimer_init(&b, &q, fire, &b);
	vtimer_init(&c, &q, fire, &c);
	rearms = fired = 0;
	period = 0;
	return 0;
}

static void test_idle(void **state)
{
	assert_int_equal(q.next, TIMER_NEVER);
	assert_int_equal(timers_run(&q, 12345), TIMER_NEVER);
	assert_int_equal(timers_run(&q, TIMER_NEVER), TIMER_NEVER);
	assert_int_equal(fired, 0);
}

static void test_empty_queue(void **state)
{
	struct timer_queue empty = {0};

	assert_int_equal(timers_run(&empty, 1), TIMER_NEVER);
}

static void test_rearm_only_on_change(void **state)
{
	vtimer_arm(&a, 100);
	assert_int_equal(last_rearm, 100);
	vtimer_arm(&b, 200);
	assert_int_equal(rearms, 1);
	vtimer_arm(&b, 50);
	assert_int_equal(last_rearm, 50);
	vtimer_arm(&b, 300); /* the earliest moves away: the host's timer follows */
	assert_int_equal(last_rearm, 100);
	vtimer_arm(&a, 100);
	vtimer_arm(&b, 250);
	assert_int_equal(rearms, 3);
	vtimer_arm(&a, TIMER_NEVER);
	assert_int_equal(last_rearm, 250);
	vtimer_arm(&b, TIMER_NEVER);
	assert_int_equal(last_rearm, TIMER_NEVER);
	assert_int_equal(q.next, TIMER_NEVER);
}

static void test_order(void **state)
{
	vtimer_arm(&a, 300);
	vtimer_arm(&b, 100);
	assert_int_equal(timers_run(&q, 99), 100);
	assert_int_equal(fired, 0);
	assert_int_equal(timers_run(&q, 300), TIMER_NEVER);
	assert_int_equal(fired, 2);
	assert_int_equal(order[0], 100);
	assert_int_equal(order[1], 300);
}

static void test_periodic_is_bounded(void **state)
{
	period = 1;
	vtimer_arm(&c, 10);
	rearms = 0;
	assert_int_equal(timers_run(&q, 1000), 26);
	assert_int_equal(fired, 16);
	assert_int_equal(rearms, 0); /* left to the caller */
	period = 0;
	assert_int_equal(timers_run(&q, 1000), 26);
	assert_int_equal(fired, 32);
}

static void test_past_deadline(void **state)
{
	vtimer_arm(&a, 0);
	assert_int_equal(last_rearm, 0);
	assert_int_equal(timers_run(&q, 5), TIMER_NEVER);
	assert_int_equal(order[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_idle, setup),
		cmocka_unit_test_setup(test_empty_queue, setup),
		cmocka_unit_test_setup(test_rearm_only_on_change, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_periodic_is_bounded, setup),
		cmocka_unit_test_setup(test_past_deadline, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
