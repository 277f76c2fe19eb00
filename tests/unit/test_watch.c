/* Who makes no progress, and who only seems not to. */
#include "fake_vcpu.h"
#include "host/exit.h"
#include "vm/debug.h"

static struct vm_config config = {.name = "w"};
static bool gdb_is_there;
static unsigned reports;

static bool attends(void)
{
	return gdb_is_there;
}

static const struct vm_debugger debugger = {.attends = attends};

void host_report(const char *fmt, ...)
{
	assert_string_equal(fmt, "pxhv-monitor %d");
	reports++;
}

static const char *exit_name(u64 reason)
{
	return "EPT_VIOLATION";
}

static int setup(void **state)
{
	make_vcpu(64);
	memset(vcpu.ring, 0, sizeof(vcpu.ring));
	memset(&console_monitor, 0, sizeof(console_monitor));
	vm.config = &config;
	reports = 0;
	ops.exit_name = exit_name;
	vcpu_watch(&vcpu);
	return 0;
}

/* n exits at rip for reason, and the timer's. */
static void exits(u32 n, u64 rip, u64 reason)
{
	for (; n; n--) {
		vcpu.ring_pos += EXIT_POS;
		vcpu_exit(&vcpu, vcpu_exits(&vcpu))->reason = n == 1 ? 1 : (u32)reason;
		vcpu_exit(&vcpu, vcpu_exits(&vcpu))->rip = rip;
	}
	fake_tsc = vcpu.watch.timer.deadline;
	timers_run(&vcpu.timers, fake_tsc);
}

static void spinning(void **state)
{
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(ended, VM_RUNNING);
		exits(5000, CODE, 48);
	}
	exits(5000, CODE, 48);
	assert_int_equal(ended, VM_DIED);
	assert_non_null(strstr(death, "no progress: EPT_VIOLATION exits at rip 0x1000"));
}

static void not_spinning(void **state)
{
	for (unsigned i = 0; i < 100; i++) /* polls a port: RIP moves on behind it */
		exits(5000, CODE - 1, 30);
	for (unsigned i = 0; i < 100; i++) { /* a string instruction: a counter counts */
		vcpu.regs[RCX]--;
		exits(5000, CODE, 30);
	}
	for (unsigned i = 0; i < 100; i++) /* seldom */
		exits(100, CODE, 30);
	assert_int_equal(ended, VM_RUNNING);
	assert_int_equal(fake_tsc / (tsc_hz / 10), 300);
}

static void halted(void **state)
{
	vcpu.halted = 1;
	vregs[VREG_RFLAGS] = RFLAGS_IF;
	for (unsigned i = 0; i < 50; i++)
		exits(1, CODE, 12);
	assert_int_equal(ended, VM_RUNNING);
	vregs[VREG_RFLAGS] = 0;
	for (unsigned i = 0; i < 20; i++)
		exits(1, CODE, 12);
	assert_int_equal(ended, VM_DIED);
	assert_non_null(strstr(death, "halted with interrupts off"));
}

static void halt_attended(void)
{
	console_monitor.attended = true;
	vcpu.halted = 1;
	for (unsigned i = 0; i < 50; i++)
		exits(1, CODE, 12);
	assert_int_equal(ended, VM_RUNNING);
	assert_string_equal(captured(),
			    "vm 'w': halted with interrupts off: only an NMI or a reset would wake it\n");
}

/* The tool ends the run at the report when it has no terminal. */
static void halted_with_somebody_there(void **state)
{
	halt_attended();
	assert_int_equal(reports, 1);
}

static void halted_under_gdb(void **state)
{
	vm.debugger = &debugger;
	gdb_is_there = true;
	halt_attended();
	assert_int_equal(reports, 0);
}

static void halted_after_gdb_has_gone(void **state)
{
	vm.debugger = &debugger;
	gdb_is_there = false;
	halt_attended();
	assert_int_equal(reports, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(spinning, setup),
		cmocka_unit_test_setup(not_spinning, setup),
		cmocka_unit_test_setup(halted, setup),
		cmocka_unit_test_setup(halted_with_somebody_there, setup),
		cmocka_unit_test_setup(halted_under_gdb, setup),
		cmocka_unit_test_setup(halted_after_gdb_has_gone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
