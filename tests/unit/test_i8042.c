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
	expect(0x65); /* bit 5: no second port */
	cmd(0x60);
	data(0x00);
	cmd(0x20);
	expect(0x20);
	assert_int_equal(fake_in(0x64, 1) & 4, 0);
	cmd(0xAD);
	cmd(0xA8);
	cmd(0x20);
	expect(0x30);
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

static void translate(bool on)
{
	cmd(0x60);
	data(on ? 0x45 : 0x05);
}

static void set_2_where_nobody_translates(void **state)
{
	/* How 8042s translate set 2: "IBM Personal System/2 Hardware Interface Technical Reference". */
	static const u8 published[] = {
		0xFF, 0x43, 0x41, 0x3F, 0x3D, 0x3B, 0x3C, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3E, 0x0F, 0x29,
		0x59, 0x65, 0x38, 0x2A, 0x70, 0x1D, 0x10, 0x02, 0x5A, 0x66, 0x71, 0x2C, 0x1F, 0x1E, 0x11,
		0x03, 0x5B, 0x67, 0x2E, 0x2D, 0x20, 0x12, 0x05, 0x04, 0x5C, 0x68, 0x39, 0x2F, 0x21, 0x14,
		0x13, 0x06, 0x5D, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5E, 0x6A, 0x72, 0x32, 0x24,
		0x16, 0x08, 0x09, 0x5F, 0x6B, 0x33, 0x25, 0x17, 0x18, 0x0B, 0x0A, 0x60, 0x6C, 0x34, 0x35,
		0x26, 0x27, 0x19, 0x0C, 0x61, 0x6D, 0x73, 0x28, 0x74, 0x1A, 0x0D, 0x62, 0x6E, 0x3A, 0x36,
		0x1C, 0x1B, 0x75, 0x2B, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7A, 0x0E, 0x7B, 0x7C,
		0x4F, 0x7D, 0x4B, 0x47, 0x7E, 0x7F, 0x6F, 0x52, 0x53, 0x50, 0x4C, 0x4D, 0x48, 0x01, 0x45,
		0x57, 0x4E, 0x51, 0x4A, 0x37, 0x49, 0x46, 0x54, 0x80, 0x81, 0x82, 0x41, 0x54};
	u8 keys[2] = {0xE0};

	translate(false);
	for (u8 code = 1; code <= 0x58; code++) {
		u8 set2;

		i8042_key(dev, &code, 1);
		assert_true(full());
		set2 = (u8)fake_in(0x60, 1);
		assert_in_range(set2, 1, sizeof(published) - 1);
		assert_int_equal(published[set2], code); /* so no two are equal */
		keys[1] = code | 0x80;
		i8042_key(dev, keys, 2);
		expect(0xE0);
		expect(0xF0);
		expect(set2);
		assert_false(full());
	}
	/* Two codes lead to these. */
	keys[0] = 0x41;
	keys[1] = 0xD4;
	i8042_key(dev, keys, 2);
	expect(0x83); /* F7 */
	expect(0xF0);
	expect(0x84); /* SysRq */
}

static void set_1_where_it_is_asked_for(void **state)
{
	static const u8 keys[] = {0x1E, 0x9E, 0xE0, 0xC8};

	translate(false);
	data(0xF0);
	expect(0xFA);
	data(1);
	expect(0xFA);
	i8042_key(dev, keys, sizeof(keys));
	for (unsigned i = 0; i < sizeof(keys); i++)
		expect(keys[i]);
}

static void keys_of_set_2_fit_or_are_dropped(void **state)
{
	/* Ctrl-Alt-Shift-Up. */
	static const u8 keys[] = {0x2A, 0x38, 0x1D, 0xE0, 0x48, 0xE0, 0xC8, 0x9D, 0xB8, 0xAA};
	static const u8 sent[] = {0x12, 0x11, 0x14, 0xE0, 0x75, 0xE0, 0xF0,
				  0x75, 0xF0, 0x14, 0xF0, 0x11, 0xF0, 0x12};

	translate(false);
	for (unsigned i = 0; i < 10; i++)
		i8042_key(dev, keys, sizeof(keys));
	for (unsigned i = 0; i < sizeof(sent); i++)
		expect(sent[i]);
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
		cmocka_unit_test_setup(set_2_where_nobody_translates, setup),
		cmocka_unit_test_setup(set_1_where_it_is_asked_for, setup),
		cmocka_unit_test_setup(keys_of_set_2_fit_or_are_dropped, setup),
		cmocka_unit_test_setup(disabled_keyboard_waits, setup),
		cmocka_unit_test_setup(queue_is_bounded, setup),
		cmocka_unit_test(typed_keys_come_one_by_one),
		cmocka_unit_test(a_sequence_comes_byte_by_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
