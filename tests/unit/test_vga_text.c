#include "support.h"

#include <string.h>

#include "dev/devices.h"
#include "dev/machine.h"
#include "vm/memory.h"
#include "vm/vm.h"

static struct vm_config config = {.name = "v"};
static struct vm vm = {.config = &config};
static u16 memory[16384];

void *guest_ptr(struct vm *vm, u64 gpa, u64 len)
{
	assert_int_equal(gpa, 0xB8000);
	assert_int_equal(len, sizeof(memory));
	return memory;
}

static int fresh(void **state)
{
	fake_reset(state);
	fake_vga = fake_has_console = true;
	return vga_text_create(&vm);
}

static void out_index(u16 port, u8 index, u8 val)
{
	fake_out(port, 2, (u32)val << 8 | index);
}

/* A twentieth of a second goes by; what the serial console got is left. */
static const char *tick(void)
{
	fake_console_out[fake_console_len = 0] = 0;
	fake_run_timers(fake_tsc + 50000000);
	return fake_console_out;
}

static void registers_read_back(void **state)
{
	out_index(0x3D4, 0x0F, 0x34);
	assert_int_equal(fake_in(0x3D5, 1), 0x34);
	fake_out(0x3D4, 1, 0xFF);
	assert_int_equal(fake_in(0x3D4, 1), 31);
	assert_int_equal(fake_in(0x3D5, 1), 0);
	out_index(0x3CE, 5, 0x10);
	assert_int_equal(fake_in(0x3CE, 2), 0x1005);
	out_index(0x3C4, 2, 3);
	assert_int_equal(fake_in(0x3C5, 1), 3);
	fake_out(0x3C2, 1, 0x63);
	assert_int_equal(fake_in(0x3CC, 1), 0x63);
	fake_in(0x3DA, 1);
	fake_out(0x3C0, 1, 0x10);
	fake_out(0x3C0, 1, 0x0C);
	assert_int_equal(fake_in(0x3C0, 1), 0x10);
	assert_int_equal(fake_in(0x3C1, 1), 0x0C);
	fake_out(0x3C0, 1, 0xFF);
	fake_out(0x3C0, 1, 0x77);
	assert_int_equal(fake_in(0x3C1, 1), 0x77);
	assert_int_not_equal(fake_in(0x3DA, 1) & 8, fake_in(0x3DA, 1) & 8);
	for (u16 port = 0x3C0; port < 0x3E0; port++)
		for (unsigned size = 1; size <= 4 && port + size <= 0x3E0; size *= 2) {
			fake_in(port, size);
			fake_out(port, size, ~0u);
		}
}

static void text_is_shown(void **state)
{
	assert_string_equal(tick(), "");
	memory[81] = 0x0741;
	assert_string_equal(tick(), "\033[0m\033[2J\033[1;25r\033[2;2HA\033[1;1H");
	assert_int_equal(fake_screen[81], 0x0741);
	assert_int_equal(fake_cursor, 0);
	assert_string_equal(tick(), "");
	out_index(0x3D4, 14, 0);
	out_index(0x3D4, 15, 82);
	assert_string_equal(tick(), "\033[2;3H");
	assert_int_equal(fake_cursor, 82);
	out_index(0x3D4, 10, 0x20);
	tick();
	assert_int_equal(fake_cursor, 2000);
}

static void start_address_wraps(void **state)
{
	memory[16383] = 0x0741;
	memory[0] = 0x0742;
	out_index(0x3D4, 12, 0x3F);
	out_index(0x3D4, 13, 0xFF);
	tick();
	assert_int_equal(fake_screen[0], 0x0741);
	assert_int_equal(fake_screen[1], 0x0742);
	out_index(0x3D4, 12, 0xFF);
	tick();
}

static void forty_columns(void **state)
{
	memory[60] = 0x0743;
	tick();
	assert_int_equal(fake_screen[60], 0x0743);
	out_index(0x3D4, 1, 39);
	memory[41] = 0x0741;
	tick();
	assert_int_equal(fake_screen[81], 0x0741);
	assert_int_equal(fake_screen[60] & 0xFF, ' '); /* nothing of what was beside the forty */
	out_index(0x3D4, 1, 0xFF);
	memory[1999] = 0x0742;
	tick();
	assert_int_equal(fake_screen[1999], 0x0742);
}

static void not_looked_at(void **state)
{
	memory[0] = 0x0741;
	out_index(0x3CE, 6, 5); /* graphics */
	captured_reset();
	assert_string_equal(tick(), "");
	assert_non_null(strstr(captured(), "vm 'v' shows graphics"));
	captured_reset();
	assert_string_equal(tick(), "");
	assert_string_equal(captured(), ""); /* once is enough */
	out_index(0x3CE, 6, 0x0E);
	fake_has_console = false;
	assert_string_equal(tick(), "");
	fake_has_console = true;
	assert_string_not_equal(tick(), "");
}

static void last_words(void **state)
{
	memory[0] = 0x0741;
	fake_screen_leave();
	assert_int_equal(fake_cursor, 24 * 80);
	assert_string_equal(fake_console_out,
			    "\033[0m\033[2J\033[1;25r\033[1;1HA\033[1;1H\033[0m\033[r\033[25;1H\n");
}

static void shown_again_after_the_monitor(void **state)
{
	tick();
	fake_has_console = false;
	tick();
	fake_has_console = true;
	assert_string_equal(tick(), ""); /* who has shown nothing clears no terminal */
	memory[0] = 0x0741;
	tick();
	fake_screen_leave();
	fake_screen[0] = 0;
	fake_has_console = false;
	assert_string_equal(tick(), "");
	fake_has_console = true;
	assert_string_equal(tick(), "\033[0m\033[2J\033[1;25r\033[1;1HA\033[1;1H");
	assert_int_equal(fake_screen[0], 0x0741);
	assert_string_equal(tick(), "");
	fake_screen_leave(); /* for a few words */
	assert_string_equal(tick(), "");
	memory[1] = 0x0742;
	assert_string_equal(tick(), "\033[0m\033[2J\033[1;25r\033[1;1HAB\033[1;1H");
}

static void without_vga(void **state)
{
	fake_reset(state);
	assert_int_equal(vga_text_create(NULL), 0);
	assert_int_equal(fake_in(0x3D4, 1), 0xFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers_read_back, fresh),
		cmocka_unit_test_setup(text_is_shown, fresh),
		cmocka_unit_test_setup(start_address_wraps, fresh),
		cmocka_unit_test_setup(forty_columns, fresh),
		cmocka_unit_test_setup(not_looked_at, fresh),
		cmocka_unit_test_setup(last_words, fresh),
		cmocka_unit_test_setup(shown_again_after_the_monitor, fresh),
		cmocka_unit_test(without_vga),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
