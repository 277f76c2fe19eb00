#include "support.h"

#include "dev/devices.h"
#include "dev/machine.h"

u64 wall_clock_base;

void host_timer_rearm(u64 deadline)
{
}

static void all_devices_fit_together(void **state)
{
	static const u16 ports[] = {0x20, 0x21, 0x40, 0x43,  0x60,  0x61,  0x64,  0x70,	 0x71,	0x80, 0x92,
				    0xA0, 0xA1, 0xE9, 0x3F8, 0x3FF, 0x4D0, 0x4D1, 0x600, 0x60B, 0xCF9};

	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		assert_int_equal(fake_in(ports[i], 1), 0xFF);
	assert_int_equal(devices_create(NULL), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(ports); i++)
		fake_in(ports[i], 1);
	assert_int_equal(fake_in(0x60C, 1), 0xFF);
	assert_int_equal(fake_in(0xCF8, 1), 0xFF);
	assert_string_equal(captured(), "");
}

static void debug_ports(void **state)
{
	assert_int_equal(debug_create(NULL), 0);
	assert_int_equal(fake_in(PORT_DEBUG_CONSOLE, 1), 0xE9);
	fake_out(PORT_DEBUG_CONSOLE, 1, '!');
	assert_string_equal(fake_console_out, "!");
	fake_out(PORT_POST, 1, 0x42);
	assert_int_equal(fake_in(PORT_POST, 1), 0x42);
	fake_out(PORT_DEBUG_EXIT, 1, 7);
	assert_int_equal(fake_end, VM_RUNNING);
}

static void debug_exit_by_config(void **state)
{
	fake_debug_exit = true;
	assert_int_equal(debug_create(NULL), 0);
	fake_out(PORT_DEBUG_EXIT, 1, 7);
	assert_int_equal(fake_end, VM_DEBUG_EXIT);
	assert_int_equal(fake_end_status, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_devices_fit_together, fake_reset),
		cmocka_unit_test_setup(debug_ports, fake_reset),
		cmocka_unit_test_setup(debug_exit_by_config, fake_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
