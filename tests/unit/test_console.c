/* A VM's end of the console: batching, and the Ctrl-A escapes. */
#include "support.h"

#include <string.h>

#include "host/acpi.h"
#include "vm/vm.h"

struct acpi_info acpi;

static struct vm vm;
static struct vm_config config = {.name = "c"};
static struct timer_queue timers;
static const char *typed = "";
static unsigned told, polls;

struct timer_queue *vm_timers(struct vm *m)
{
	return &timers;
}

void host_timer_rearm(u64 deadline)
{
}

int console_getc(void)
{
	return *typed ? (u8)*typed++ : -1;
}

void console_poll(void)
{
	polls++;
}

static void input(void *dev)
{
	assert_ptr_equal(dev, &told);
	told++;
}

static int setup(void **state)
{
	fake_reset(state);
	memset(&vm, 0, sizeof(vm));
	memset(&acpi, 0, sizeof(acpi));
	acpi.ioapic_base = 0xFEC00000;
	vm.config = &config;
	timers = (struct timer_queue){0};
	typed = "";
	told = polls = 0;
	vm_console_create(&vm);
	vm_console_register(&vm, input, &told);
	vm_console_activate(&vm);
	return 0;
}

static void put(const char *s)
{
	while (*s)
		vm_console_putc(&vm, *s++);
}

static void type(const char *s)
{
	typed = s;
	vm_console_input();
	assert_false(vm.lock.taken);
}

static void test_lines(void **state)
{
	put("one");
	assert_string_equal(captured(), "");
	put(" two\r\n");
	assert_string_equal(captured(), "one two\r\n");
	assert_int_equal(timers.next, TIMER_NEVER);
	put("\r50 %");
	timers_run(&timers, 4999999);
	assert_string_equal(captured(), "one two\r\n");
	timers_run(&timers, 5000000);
	assert_string_equal(captured(), "one two\r\n\r50 %");
	vm_console_flush(&vm);
	assert_string_equal(captured(), "one two\r\n\r50 %");
}

/* A kernel that knows LF alone is helped; who sends CR LF has every byte as it is. */
static void test_line_ends(void **state)
{
	put("a\nb\n\n");
	assert_string_equal(captured(), "a\r\nb\r\n\r\n");
	captured_reset();
	put("c\r\nd\ne\r\r\n");
	assert_string_equal(captured(), "c\r\nd\ne\r\r\n");
	for (unsigned i = 0; i < sizeof(vm.console_out); i++) { /* wherever the buffer ends */
		setup(state);
		for (unsigned n = 0; n < i; n++)
			vm_console_putc(&vm, 'x');
		captured_reset();
		put("f\n");
		assert_non_null(strstr(captured(), "f\r\n"));
	}
}

static void test_full_buffer(void **state)
{
	for (unsigned i = 0; i < sizeof(vm.console_out) + 1; i++)
		vm_console_putc(&vm, 'x');
	assert_int_equal(strlen(captured()), sizeof(vm.console_out));
	assert_int_not_equal(timers.next, TIMER_NEVER);
}

static void test_input(void **state)
{
	assert_int_equal(vm_console_getc(&vm), -1);
	type("ab");
	assert_int_equal(told, 1);
	assert_int_equal(vm_console_getc(&vm), 'a');
	assert_int_equal(vm_console_getc(&vm), 'b');
	assert_int_equal(vm_console_getc(&vm), -1);
	type("");
	assert_int_equal(told, 1);
	vm_console_activate(NULL);
	type("z");
	assert_int_equal(vm_console_getc(&vm), -1);
}

static void test_escapes(void **state)
{
	type("\1");
	type("a\1\1");
	assert_int_equal(vm_console_getc(&vm), 1);
	assert_int_equal(vm_console_getc(&vm), 1);
	type("\1h");
	assert_non_null(strstr(captured(), "Ctrl-A x  power"));
	captured_reset();
	type("\1q");
	assert_string_equal(captured(), "\nCtrl-A h lists the keys\n");
	assert_int_equal(vm_console_getc(&vm), -1);
	assert_int_equal(fake_end, VM_RUNNING);
	put("guest");
	captured_reset();
	type("\1x");
	assert_string_equal(captured(), "guest\nvm 'c': powered off from the console\n");
	assert_int_equal(fake_end, VM_POWEROFF);
}

/* A guest that does not read loses input, but never its user's way out. */
static void test_deaf_guest(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		type("k");
	type("\1x");
	assert_int_equal(fake_end, VM_POWEROFF);
	for (unsigned i = 0; i < 255; i++)
		assert_int_equal(vm_console_getc(&vm), 'k');
	assert_int_equal(vm_console_getc(&vm), -1);
}

static void test_polled(void **state)
{
	acpi.ioapic_base = 0;
	timers = (struct timer_queue){0};
	vm_console_create(&vm);
	assert_int_equal(timers.next, 20000000);
	typed = "p";
	fake_tsc = timers.next;
	assert_int_equal(timers_run(&timers, fake_tsc), 40000000);
	assert_int_equal(polls, 1);
	assert_int_equal(vm_console_getc(&vm), 'p');
}

static void test_release(void **state)
{
	struct vm other;

	vm_console_release(&other);
	type("1");
	assert_int_equal(vm_console_getc(&vm), '1');
	vm_console_release(&vm);
	type("2");
	assert_int_equal(vm_console_getc(&vm), -1);
}

static unsigned left;

static void leave(void *dev)
{
	left++;
}

static void no_monitor(struct vm *m, bool open)
{
}

static void monitor_key(u8 c)
{
}

void vcpu_kick(struct vcpu *v, u32 events)
{
}

static void the_screen_makes_room(void **state)
{
	vm_screen_register(&vm, leave, NULL);
	assert_true(vm_has_console(&vm));
	type("\1a\1\1");
	assert_int_equal(left, 0);
	type("\1h");
	assert_int_equal(left, 1);
	console_monitor.toggle = no_monitor;
	console_monitor.key = monitor_key;
	type("\1c");
	assert_int_equal(left, 2);
	assert_false(vm_has_console(&vm));
	type("\1c");
	assert_true(vm_has_console(&vm));
}

static unsigned keys_told;

static void key_input(void *dev)
{
	keys_told++;
}

static void keyboard_gets_what_the_uart_does_not_want(void **state)
{
	vm_keyboard_register(&vm, key_input, NULL);
	keys_told = 0;
	type("ab");
	assert_int_equal(keys_told, 1);
	assert_int_equal(vm_console_getc(&vm), -1);
	assert_int_equal(vm_keyboard_getc(&vm), 'a');
	vm_console_listen(&vm, true);
	assert_int_equal(vm_keyboard_getc(&vm), -1);
	assert_int_equal(vm_console_getc(&vm), 'b');
	vm_console_listen(&vm, false);
	assert_int_equal(vm_keyboard_getc(&vm), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines, setup),
		cmocka_unit_test_setup(test_line_ends, setup),
		cmocka_unit_test_setup(test_full_buffer, setup),
		cmocka_unit_test_setup(test_input, setup),
		cmocka_unit_test_setup(test_escapes, setup),
		cmocka_unit_test_setup(test_deaf_guest, setup),
		cmocka_unit_test_setup(test_polled, setup),
		cmocka_unit_test_setup(test_release, setup),
		cmocka_unit_test_setup(the_screen_makes_room, setup),
		cmocka_unit_test_setup(keyboard_gets_what_the_uart_does_not_want, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
