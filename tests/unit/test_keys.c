#include "support.h"

#include <string.h>

#include "dev/keys.h"

static void types(const char *bytes, const char *codes, unsigned count)
{
	struct keys k = {0};
	u8 out[256];
	unsigned n = 0;

	for (; *bytes; bytes++)
		n += keys_byte(&k, (u8)*bytes, out + n);
	n += keys_byte(&k, -1, out + n);
	assert_int_equal(n, count);
	assert_memory_equal(out, codes, count);
}
#define TYPES(bytes, codes) types(bytes, codes, sizeof(codes) - 1)

static void characters(void **state)
{
	TYPES("a1 ", "\x1E\x9E\x02\x82\x39\xB9");
	TYPES("A", "\x2A\x1E\x9E\xAA");
	TYPES("*", "\x2A\x09\x89\xAA");
	TYPES("\r", "\x1C\x9C");
	TYPES("\n", "\x1C\x9C");
	TYPES("\x7F", "\x0E\x8E");
	TYPES("\b", "\x0E\x8E");
	TYPES("\t", "\x0F\x8F");
	TYPES("\x03", "\x1D\x2E\xAE\x9D");
	TYPES("\xC3\xA4", "");
}

static void sequences(void **state)
{
	TYPES("\033[A", "\xE0\x48\xE0\xC8");
	TYPES("\033OA", "\xE0\x48\xE0\xC8");
	TYPES("\033[H\033[F", "\xE0\x47\xE0\xC7\xE0\x4F\xE0\xCF");
	TYPES("\033[3~", "\xE0\x53\xE0\xD3");
	TYPES("\033OP", "\x3B\xBB");
	TYPES("\033[15~\033[24~", "\x3F\xBF\x58\xD8");
	TYPES("\033x", "\x38\x2D\xAD\xB8");
	TYPES("\033", "\x01\x81");
	TYPES("\033\033", "\x01\x81\x01\x81");
	TYPES("\033\033[A", "\x01\x81\xE0\x48\xE0\xC8");
	TYPES("\033[", "");
	TYPES("\033[99999999~\033O!\033[\xFF", "");
}

/* Nothing of a sequence is left over as text. */
static void modified(void **state)
{
	TYPES("\033[1;5C", "\x1D\xE0\x4D\xE0\xCD\x9D");
	TYPES("\033[1;2A\033[A", "\x2A\xE0\x48\xE0\xC8\xAA\xE0\x48\xE0\xC8");
	TYPES("\033[3;7~", "\x38\x1D\xE0\x53\xE0\xD3\xB8\x9D"); /* Ctrl-Alt-Del */
	TYPES("\033[1;3P\033[15;5~", "\x38\x3B\xBB\xB8\x1D\x3F\xBF\x9D");
	TYPES("\033[Z", "\x2A\x0F\x8F\xAA");
	TYPES("\033[[A\033[[E\033[[F", "\x3B\xBB\x3F\xBF");
	TYPES("\033[200~\033[1;2;3;4;99999X\033[?1;2c\033[<3;4q", "");
}

/* Whatever comes, no key has more codes than there is room for. */
static void never_too_many(void **state)
{
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			struct keys k = {0};
			u8 out[KEYS_MAX];

			assert_in_range(keys_byte(&k, 27, out), 0, 0);
			assert_in_range(keys_byte(&k, (int)a, out), 0, KEYS_MAX);
			assert_in_range(keys_byte(&k, (int)b, out), 0, KEYS_MAX);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters),
		cmocka_unit_test(sequences),
		cmocka_unit_test(modified),
		cmocka_unit_test(never_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
