/* A line edited at a terminal: what it holds, and what the terminal shows of it. */
#include "support.h"

#include <string.h>

#include "debug/lineedit.h"

static struct lineedit e;
static char screen[40][100]; /* what stands there */
static unsigned row, column;

static void out(const char *s)
{
	for (; *s; s++) {
		if (*s == '\n') {
			row++;
			column = 0;
		} else if (*s == '\r') {
			column = 0;
		} else if (*s == '\b') {
			assert_int_not_equal(column, 0);
			column--;
		} else {
			screen[row][column++] = *s;
		}
		assert_in_range(row, 0, 39);
		assert_in_range(column, 0, 79);
	}
}

static const char *words(const char *line, size_t start, unsigned n)
{
	static const char *const commands[] = {"step", "stop", "trace", "translate", NULL};
	static const char *const topics[] = {"regs", NULL};

	return start ? n ? NULL : topics[0] : commands[n];
}

static int setup(void **state)
{
	memset(&e, 0, sizeof(e));
	memset(screen, 0, sizeof(screen));
	row = column = 0;
	e.out = out;
	e.words = words;
	e.prompt = "> ";
	lineedit_start(&e);
	return 0;
}

/* The screen shows the line, and blanks behind it. */
static void expect_shown(const char *line)
{
	const char *s = screen[row];

	assert_memory_equal(s, "> ", 2);
	assert_memory_equal(s + 2, line, strlen(line));
	assert_int_equal(strspn(s + 2 + strlen(line), " "), strlen(s + 2 + strlen(line)));
}

static bool type(const char *keys)
{
	bool ended = false;

	for (; *keys; keys++)
		ended = lineedit_key(&e, (u8)*keys);
	return ended;
}

static void expect(const char *keys, const char *line, unsigned pos)
{
	assert_false(type(keys));
	assert_string_equal(e.line, line);
	expect_shown(line);
	assert_int_equal(e.pos, pos);
	assert_int_equal(column, 2 + pos);
}

static void edits(void **state)
{
	expect("abd", "abd", 3);
	expect("\033[Dc", "abcd", 3);
	expect("\001X", "Xabcd", 1);
	expect("\005Y", "XabcdY", 6);
	expect("\177\010", "Xabc", 4);
	expect("\033[H\033[3~", "abc", 0);
	expect("\004", "bc", 0);
	expect("\033[F d e", "bc d e", 6);
	expect("\027", "bc d ", 5);
	expect("\027", "bc ", 3);
	expect("\002\002\013", "b", 1);
	expect("\025", "", 0);
	expect("\010\004\002\006\013\025\027", "", 0);
}

static void ends(void **state)
{
	assert_true(type("a\r"));
	assert_string_equal(e.line, "a");
	lineedit_start(&e);
	assert_false(type("\n")); /* behind the CR */
	assert_true(type("b\n"));
	lineedit_start(&e);
	assert_false(type("half a line\003"));
	assert_string_equal(e.line, "");
}

static void history(void **state)
{
	char line[2] = "a";

	for (; *line <= 'j'; line[0]++) {
		type(line);
		type("\r");
		lineedit_start(&e);
	}
	type("j\r"); /* the same again is not kept */
	lineedit_start(&e);
	expect("new", "new", 3);
	expect("\033[A", "j", 1);
	expect("\020", "i", 1);
	expect("\033OA\033OA\033OA\033OA\033OA\033OA", "c", 1);
	expect("\033[A", "c", 1); /* the oldest */
	expect("\033[B", "d", 1);
	expect("\016\016\016\016\016\016\016\016\016\016", "new", 3);
}

static void completion(void **state)
{
	expect("s\t", "st", 2);
	assert_false(type("\t"));
	assert_string_equal(screen[row - 1], "step  stop  ");
	expect("e\t", "step ", 5);
	expect("\025trac\tr\t", "trace regs ", 11);
	expect("\025nothing\t", "nothing", 7);
}

static void full(void **state)
{
	for (unsigned i = 0; i < 1000; i++)
		type("x");
	assert_int_equal(e.len, LINE_SIZE - 1);
	assert_int_equal(strlen(e.line), LINE_SIZE - 1);
	type("\001y\t\002\033[3~\001z");
	assert_int_equal(strlen(e.line), LINE_SIZE - 1);
	assert_int_equal(e.line[0], 'z');
}

static void junk(void **state)
{
	expect("\033[1;5C\033[99~\033Z\033[\x80\xff\x01", "", 0);
	expect("a\x01\x00", "a", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(edits, setup),	cmocka_unit_test_setup(ends, setup),
		cmocka_unit_test_setup(history, setup), cmocka_unit_test_setup(completion, setup),
		cmocka_unit_test_setup(full, setup),	cmocka_unit_test_setup(junk, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
