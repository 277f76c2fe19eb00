/* The exit trace: what is in it after so many exits, what is lost, and where it is cut off. */
#include "vm/trace.h"

#include <stdio.h>
#include <string.h>

#include "support.h"
#include "vm/vm.h"

#define ROOM   100 /* records of the small trace */
#define REASON 0x400

static struct vm_config config;
static struct vm vm;
static struct vcpu v;
static char report[64];
static struct vcpu_ops ops;

void host_report(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(report, sizeof(report), fmt, ap);
	va_end(ap);
}

static void fake_trace_exit(struct vcpu *v, struct exit_record *r)
{
	trace_complete(v, r, (u8)r->reason, r->rip + 1);
}

/* What the entry loops do: note an exit, and complete it before the next entry. */
static void leave_guest(u64 rip)
{
	v.ring_pos += sizeof(struct exit_record) / 8;
	v.ring[(u8)v.ring_pos * 8 / sizeof(struct exit_record)] =
		(struct exit_record){.rip = rip, .reason = REASON, .tsc = fake_tsc};
}

static void enter_guest(void)
{
	ops.trace_exit(&v, vcpu_exit(&v, vcpu_exits(&v)));
}

/* Exit n is at time n * 1000, has RIP n and takes n ticks. */
static void exits(u64 from, u64 to)
{
	for (u64 n = from; n <= to; n++) {
		fake_tsc = n * 1000;
		leave_guest(n);
		fake_tsc += n;
		enter_guest();
	}
}

static int setup(void **state)
{
	fake_reset(state);
	config = (struct vm_config){.name = "traced", .cpus = 2};
	ops = (struct vcpu_ops){.name = "vendor", .trace_exit = fake_trace_exit};
	v = (struct vcpu){.vm = &vm, .ops = &ops, .index = 1};
	vm = (struct vm){.config = &config};
	fake_tsc = 7;
	config.traces[1] =
		trace_create("traced", 1, sizeof(struct trace) + ROOM * sizeof(struct exit_record) + 31, 5);
	assert_non_null(config.traces[1]);
	fake_tsc = 100;
	trace_begin(&v);
	fake_tsc = 110;
	enter_guest();
	return 0;
}

static struct trace *finish(void)
{
	trace_finish(&v);
	return v.trace;
}

static void assert_exit(const struct trace *t, u64 at, u64 n)
{
	const struct exit_record *r = &t->records[at % t->capacity];

	assert_int_equal(r->rip, n);
	assert_int_equal(r->reason, REASON);
	assert_int_equal(r->tsc, n * 1000);
	assert_int_equal(r->ticks, n);
	assert_int_equal(r->detail, n + 1);
}

static void header_says_what_it_is(void **state)
{
	const struct trace *t = config.traces[1];
	char line[64];

	assert_memory_equal(t, "pxtrace1", 8);
	assert_int_equal(t->capacity, ROOM);
	assert_int_equal(t->begin, 7);
	assert_int_equal(t->vcpu, 1);
	assert_string_equal(t->vm, "traced");
	assert_string_equal(t->vendor, "vendor");
	snprintf(line, sizeof(line), "pxhv-trace %p 0x%zx", (void *)t, sizeof(*t) + ROOM * 32 + 31);
	assert_string_equal(report, line);
	assert_int_equal(finish()->tsc_hz, tsc_hz);
	assert_int_equal(t->end, 110);
}

static void no_memory_no_trace(void **state)
{
	fake_pages_left = 3;
	assert_null(trace_create("t", 0, MiB, 0));
}

static void without_a_trace_nothing_happens(void **state)
{
	struct vcpu other = {.vm = &vm, .ops = &ops, .index = 0};

	trace_begin(&other);
	assert_false(other.traced);
	assert_null(other.trace);
}

static void start_is_a_record(void **state)
{
	const struct trace *t = finish();

	assert_int_equal(t->written, 1);
	assert_int_equal(t->records[0].reason, TRACE_START);
	assert_int_equal(t->records[0].tsc, 100);
	assert_int_equal(t->records[0].ticks, 10);
	assert_int_equal(vcpu_exits(&v), 0);
}

/* Around the sizes of the ring, where it is saved while it runs and the rest at the end. */
static void nothing_is_lost_or_doubled(void **state)
{
	static const u64 counts[] = {1, 62, 63, 64, 65, 98, 99};

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		setup(NULL);
		exits(1, counts[i]);

		const struct trace *t = finish();

		assert_int_equal(t->written, counts[i] + 1);
		for (u64 n = 1; n <= counts[i]; n++)
			assert_exit(t, n, n);
		assert_false(v.traced); /* there is no second time */
	}
}

static void the_oldest_give_way(void **state)
{
	const struct trace *t;

	exits(1, 1000);
	t = finish();
	assert_int_equal(t->written, 1001);
	for (u64 n = 1001 - ROOM; n <= 1000; n++)
		assert_exit(t, n, n);
}

/* The exit that ends the guest is completed by trace_finish(). */
static void last_exit_is_complete(void **state)
{
	static const u64 before[] = {10, 62, 63};

	for (unsigned i = 0; i < ARRAY_SIZE(before); i++) {
		u64 n = before[i] + 1;

		setup(NULL);
		exits(1, before[i]);
		fake_tsc = n * 1000;
		leave_guest(n);
		fake_tsc += n;
		assert_int_equal(finish()->written, n + 1);
		assert_exit(v.trace, n, n);
	}
}

static void histogram_counts_by_powers_of_2(void **state)
{
	const u32 *row = config.traces[1]->histogram[(u8)REASON];
	static const u64 ticks[] = {0, 1, 2, 3, 4, 1023, 1024, 0xFFFFFFFF, 0x100000000, ~0ULL};
	static const unsigned wanted[TRACE_BUCKETS] = {
		[0] = 2, [1] = 2, [2] = 1, [9] = 1, [10] = 1, [31] = 3};

	for (unsigned i = 0; i < ARRAY_SIZE(ticks); i++) {
		fake_tsc = 0;
		leave_guest(0);
		fake_tsc = ticks[i];
		enter_guest();
		assert_int_equal(vcpu_exit(&v, vcpu_exits(&v))->ticks, MIN(ticks[i], 0xFFFFFFFF));
	}
	for (unsigned i = 0; i < TRACE_BUCKETS; i++)
		assert_int_equal(row[i], wanted[i]);
}

static void instructions_are_recorded_at_once(void **state)
{
	const struct trace *t = config.traces[1];

	assert_int_equal(t->insns, 5);
	fake_tsc = 500;
	trace_insn(&v, 0x1234, 0x90);
	assert_int_equal(t->written, 1);
	assert_int_equal(t->records[0].reason, TRACE_INSN);
	assert_int_equal(t->records[0].rip, 0x1234);
	assert_int_equal(t->records[0].detail, 0x90);
	assert_int_equal(t->records[0].tsc, 500);
	exits(1, 2);
	assert_int_equal(finish()->written, 4);
	assert_exit(t, 2, 1);
}

static void a_reboot_goes_on(void **state)
{
	const struct trace *t = config.traces[1];

	exits(1, 10);
	finish();
	v = (struct vcpu){.vm = &vm, .ops = &ops, .index = 1};
	trace_begin(&v);
	enter_guest();
	exits(11, 20);
	finish();
	assert_int_equal(t->written, 22);
	assert_exit(t, 10, 10);
	assert_int_equal(t->records[11].reason, TRACE_START);
	assert_exit(t, 12, 11);
	assert_exit(t, 21, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(header_says_what_it_is, setup),
		cmocka_unit_test_setup(no_memory_no_trace, setup),
		cmocka_unit_test_setup(without_a_trace_nothing_happens, setup),
		cmocka_unit_test_setup(start_is_a_record, setup),
		cmocka_unit_test(nothing_is_lost_or_doubled),
		cmocka_unit_test_setup(the_oldest_give_way, setup),
		cmocka_unit_test(last_exit_is_complete),
		cmocka_unit_test_setup(histogram_counts_by_powers_of_2, setup),
		cmocka_unit_test_setup(instructions_are_recorded_at_once, setup),
		cmocka_unit_test_setup(a_reboot_goes_on, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
