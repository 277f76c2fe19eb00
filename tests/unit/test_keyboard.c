/* Scan codes of a PC's own keyboard, and what is typed by them. */
#include "host/keyboard.h"

#include <string.h>

#include "support.h"

static const char *codes, *end;
static char typed[64];

bool vga_look_back(int screens)
{
	return false;
}

u8 inb(u16 port)
{
	return port == 0x64 ? codes < end : (u8)*codes++;
}

static void put(u8 c)
{
	typed[strlen(typed)] = (char)c;
}

#define TYPES(text, scan_codes)                                                                              \
	do {                                                                                                 \
		codes = scan_codes;                                                                          \
		end = codes + sizeof(scan_codes) - 1;                                                        \
		memset(typed, 0, sizeof(typed));                                                             \
		while (codes < end)                                                                          \
			keyboard_poll(put);                                                                  \
		assert_string_equal(typed, text);                                                            \
	} while (0)

static void letters(void **state)
{
	TYPES("aA1!", "\x1e\x9e\x2a\x1e\x9e\xaa\x02\x82\x36\x02\x82\xb6");
	TYPES("AbA", "\x3a\xba\x1e\x2a\x30\xaa\x1e\x3a\xba");
	TYPES("\x01\033x", "\x1d\x1e\x9d\x38\x2d\xb8");
}

static void cursor_keys(void **state)
{
	TYPES("\033[A\033[1;5D", "\xe0\x48\xe0\xc8\x1d\xe0\x4b\xe0\xcb\x9d");
	TYPES("\033[A", "\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa"); /* as NumLock has it */
	TYPES("\033[3~", "\xe0\x53\xe0\xd3");
}

static void number_pad(void **state)
{
	TYPES("789-456+1230.*/\r",
	      "\x47\x48\x49\x4a\x4b\x4c\x4d\x4e\x4f\x50\x51\x52\x53\x37\xe0\x35\xe0\x1c");
	TYPES("\033[1;2H-+7", "\x2a\x47\x4a\x4e\xaa\x47");
	TYPES("\033[H-\033[5~+", "\x45\xc5\x47\x4a\x49\x4e");
	TYPES("\033[H", "\xe1\x1d\x45\xe1\x9d\xc5\x47"); /* Pause leaves NumLock alone */
	TYPES("7", "\x45\xc5\x47");
	TYPES("", "\xe0\x37\xe0\xb7"); /* PrintScreen */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters),
		cmocka_unit_test(cursor_keys),
		cmocka_unit_test(number_pad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
