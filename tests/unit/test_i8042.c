#include "support.h"

#include <stdlib.h>

#include "dev/devices.h"
#include "dev/machine.h"

void host_timer_rearm(u64 deadline)
{
}

static void *dev;

void *vm_zalloc(struct vm *vm, size_t size)
{
	return dev = calloc(1, size);
}

static int setup(void **state)
{
	fake_reset(state);
	return i8042_create(NULL);
}

static void cmd(u8 c)
{
	fake_out(0x64, 1, c);
}

static void data(u8 c)
{
	fake_out(0x60, 1, c);
}

static bool full(void)
{
	return fake_in(0x64, 1) & 1;
}

static void expect(u8 byte)
{
	assert_true(full());
	assert_int_equal(fake_in(0x60, 1), byte);
}

static void controller_tests(void **state)
{
	assert_false(full());
	cmd(0xAA);
	assert_int_equal(fake_in(0x64, 1) & 0x0C, 0x0C);
	expect(0x55);
	cmd(0xAB);
	expect(0x00);
	cmd(0xA9); /* no mouse */
	expect(0x01);
	cmd(0xD3);
	data(0x5A);
	assert_int_equal(fake_in(0x64, 1) & 0x20, 0);
	expect(0x5A);
	assert_false(full());
}

static void command_byte(void **state)
{
	cmd(0x20);
	expect(0x45);
	cmd(0x60);
	data(0x00);
	cmd(0x20);
	expect(0x00);
	assert_int_equal(fake_in(0x64, 1) & 4, 0);
	cmd(0xAD);
	cmd(0x20);
	expect(0x10);
}

static void a20(void **state)
{
	cmd(0xD0);
	assert_int_equal(fake_in(0x60, 1) & 3, 3);
	cmd(0xD1);
	data(0xDD);
	assert_int_equal(fake_in(0x92, 1), 0);
	fake_out(0x92, 1, 2);
	cmd(0xD0);
	assert_int_equal(fake_in(0x60, 1) & 2, 2);
	cmd(0xDD);
	assert_int_equal(fake_in(0x92, 1), 0);
	assert_int_equal(fake_end, VM_RUNNING);
}

static void resets(void **state)
{
	cmd(0xFE);
	assert_int_equal(fake_end, VM_REBOOT);
	setup(state);
	cmd(0xFF);
	assert_int_equal(fake_end, VM_RUNNING);
	cmd(0xD1);
	data(0x02);
	assert_int_equal(fake_end, VM_REBOOT);
	setup(state);
	fake_out(0x92, 1, 1);
	assert_int_equal(fake_end, VM_REBOOT);
}

static void keyboard_commands(void **state)
{
	data(0xFF);
	expect(0xFA);
	expect(0xAA);
	data(0xEE);
	expect(0xEE);
	data(0xED);
	expect(0xFA);
	data(0x07);
	expect(0xFA);
	data(0xF3);
	expect(0xFA);
	data(0x20);
	expect(0xFA);
	data(0xF4);
	expect(0xFA);
	data(0xF2);
	expect(0xFA);
	expect(0xAB);
	expect(0x41); /* translated */
	cmd(0x60);
	data(0x05);
	data(0xF2);
	expect(0xFA);
	expect(0xAB);
	expect(0x83);
	data(0xF0);
	expect(0xFA);
	data(0x00);
	expect(0xFA);
	expect(0x02);
	data(0x12);
	expect(0xFE);
	assert_false(full());
}

static void one_interrupt_a_byte(void **state)
{
	data(0xF2);
	assert_true(fake_irq[1]);
	assert_int_equal(fake_irq_rises[1], 1);
	fake_in(0x60, 1);
	assert_int_equal(fake_irq_rises[1], 2);
	fake_in(0x60, 1);
	fake_in(0x60, 1);
	assert_int_equal(fake_irq_rises[1], 3);
	assert_false(fake_irq[1]);
}

static void keys_arrive_while_scanning(void **state)
{
	static const u8 keys[] = {0xE0, 0x48, 0xE0, 0xC8};

	i8042_key(dev, keys, sizeof(keys));
	for (unsigned i = 0; i < sizeof(keys); i++)
		expect(keys[i]);
	for (unsigned i = 0; i < 10; i++) /* a key's bytes all fit or are all dropped */
		i8042_key(dev, keys, sizeof(keys));
	for (unsigned i = 0; full(); i++)
		expect(keys[i % 4]);
	data(0xF5);
	expect(0xFA);
	i8042_key(dev, keys, sizeof(keys));
	assert_false(full());
}

static void disabled_keyboard_waits(void **state)
{
	cmd(0x60);
	data(0x44); /* no interrupt */
	data(0xEE);
	assert_false(fake_irq[1]);
	expect(0xEE);
	data(0xF2);
	cmd(0xAD);
	expect(0xFA); /* was out already */
	assert_false(full());
	cmd(0xAA);
	expect(0x55);
	assert_false(full());
	cmd(0xAE);
	expect(0xAB);
}

static void queue_is_bounded(void **state)
{
	for (int i = 0; i < 100; i++) {
		data(0xEE);
		cmd(0xAA);
	}
	for (int i = 0; i < 100 && full(); i++)
		fake_in(0x60, 1);
	assert_false(full());
}

static void typed_keys_come_one_by_one(void **state)
{
	static const u8 codes[] = {0x2A, 0x1E, 0x9E, 0xAA, 0x30, 0xB0};

	fake_reset(state);
	fake_vga = true;
	fake_uart_listens = false;
	i8042_create(NULL);
	fake_console_type("Ab");
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		fake_run_timers(fake_tsc + 10000000);
		assert_int_equal(fake_in(0x64, 1) & 1, 1);
		assert_int_equal(fake_in(0x60, 1), codes[i]);
	}
	fake_run_timers(fake_tsc + 20000000);
	assert_int_equal(fake_in(0x64, 1) & 1, 0);
	fake_console_type("\033"); /* and then silence: the key */
	fake_run_timers(fake_tsc + 20000000);
	assert_int_equal(fake_in(0x60, 1), 0x01);
}

static void a_sequence_comes_byte_by_byte(void **state)
{
	static const u8 codes[] = {0xE0, 0x50, 0xE0, 0xD0};

	fake_reset(state);
	fake_vga = true;
	fake_uart_listens = false;
	i8042_create(NULL);
	fake_console_type("\033");
	fake_run_timers(fake_tsc + 1000);
	assert_false(full());
	fake_console_type("[B");
	fake_run_timers(fake_tsc + 20000000);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		expect(codes[i]);
	assert_false(full());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(controller_tests, setup),
		cmocka_unit_test_setup(command_byte, setup),
		cmocka_unit_test_setup(a20, setup),
		cmocka_unit_test_setup(resets, setup),
		cmocka_unit_test_setup(keyboard_commands, setup),
		cmocka_unit_test_setup(one_interrupt_a_byte, setup),
		cmocka_unit_test_setup(keys_arrive_while_scanning, setup),
		cmocka_unit_test_setup(disabled_keyboard_waits, setup),
		cmocka_unit_test_setup(queue_is_bounded, setup),
		cmocka_unit_test(typed_keys_come_one_by_one),
		cmocka_unit_test(a_sequence_comes_byte_by_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
