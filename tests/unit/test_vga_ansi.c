#include "support.h"

#include <string.h>

#include "dev/vga_ansi.h"

static char out[16384];
static size_t len;
static u16 cells[VGA_CELLS];
static struct vga_ansi ansi;

static void take(void *arg, const char *s, size_t n)
{
	assert_in_range(len + n, 0, sizeof(out) - 1);
	memcpy(out + len, s, n);
	out[len += n] = 0;
}

static void text(unsigned row, unsigned column, const char *s, u8 attr)
{
	for (u16 *c = cells + row * VGA_COLUMNS + column; *s; s++)
		*c++ = (u16)(attr << 8 | (u8)*s);
}

static void update(u32 cursor, const char *expected)
{
	out[len = 0] = 0;
	vga_ansi_update(&ansi, cells, cursor);
	if (expected)
		assert_string_equal(out, expected);
}

static int fresh(void **state)
{
	memset(&ansi, 0, sizeof(ansi));
	ansi.write = take;
	for (unsigned i = 0; i < VGA_CELLS; i++)
		cells[i] = VGA_BLANK;
	update(0, "\033[0m\033[2J\033[1;25r\033[1;1H");
	return 0;
}

static void changes_only(void **state)
{
	text(0, 0, "Hello", 7);
	update(5, "\033[1;1HHello");
	update(5, "\033[1;6H");
	update(80, "\033[2;1H");
	text(0, 0, "Jelly", 7);
	update(80, "\033[1;1HJelly\033[2;1H");
	text(3, 10, "x", 7);
	text(3, 14, "y", 7);
	update(80, "\033[4;11Hx   y\033[2;1H");
	text(3, 10, "     ", 7);
	update(80, "\033[4;11H\033[K\033[2;1H");
	update(VGA_CELLS, "\033[25;80H");
}

static void colours_and_code_page(void **state)
{
	text(0, 0, "a", 0x1E); /* yellow on blue */
	text(0, 1, "b", 0x04); /* red */
	text(0, 2, "\xC9\x01\xFF", 7);
	update(5, "\033[1;1H\033[0;93;44ma\033[0;31;40mb\033[0m\u2554\u263A\u00A0");
}

static void scrolls(void **state)
{
	for (unsigned i = 0; i < VGA_ROWS; i++)
		text(i, 0, (char[]){'A' + (char)i, 'x', 0}, 7);
	update(0, NULL);
	for (unsigned i = 0; i < VGA_ROWS; i++)
		text(i, 0, (char[]){'C' + (char)i, 'x', 0}, 7);
	update(24 * 80, "\033[25;1H\n\n\033[24;1HZx\033[25;1H[x\033[25;1H");
	for (unsigned i = 0; i < VGA_CELLS; i++)
		assert_int_equal(ansi.shown[i], cells[i]);
}

static void full_row_and_end(void **state)
{
	for (unsigned i = 0; i < VGA_COLUMNS; i++)
		text(0, i, "#", 7);
	text(1, 0, "x", 7);
	update(81, NULL);
	assert_int_equal(len, 6 + 80 + 6 + 1);
	assert_string_equal(out + 86, "\033[2;1Hx");
	out[len = 0] = 0;
	vga_ansi_end(&ansi);
	assert_string_equal(out, "\033[0m\033[r\033[25;1H\n");
	vga_ansi_end(&ansi);
	assert_int_equal(len, 15);
}

/* Any content is shown in the end, whatever was before. */
static void noise(void **state)
{
	u32 seed = 1;

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 50; i++) {
			seed = seed * 1664525 + 1013904223;
			cells[seed % VGA_CELLS] = (u16)(seed >> 16);
		}
		len = 0;
		vga_ansi_update(&ansi, cells, seed >> 8);
		assert_memory_equal(ansi.shown, cells, sizeof(cells));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(changes_only, fresh),
		cmocka_unit_test_setup(colours_and_code_page, fresh),
		cmocka_unit_test_setup(scrolls, fresh),
		cmocka_unit_test_setup(full_row_and_end, fresh),
		cmocka_unit_test_setup(noise, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
