#include "support.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The C library is the reference for everything that the subset has. */
#define SAME(...)                                                                                            \
	do {                                                                                                 \
		char ours[256], libc[256];                                                                   \
		int a = ksnprintf(ours, sizeof(ours), __VA_ARGS__);                                          \
		int b = snprintf(libc, sizeof(libc), __VA_ARGS__);                                           \
		assert_string_equal(ours, libc);                                                             \
		assert_int_equal(a, b);                                                                      \
	} while (0)

static void integers(void **state)
{
	static const long long values[] = {
		0,     1,     -1,      9,	10,	  -10,	    127,      128,	  255,	    256,
		32767, 65535, INT_MAX, INT_MIN, UINT_MAX, LONG_MAX, LONG_MIN, 0xABCDEF12, 1ll << 40};

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		long v = values[i];

		SAME("%d %u %x %X", (int)v, (unsigned)v, (unsigned)v, (unsigned)v);
		SAME("%ld %lu %lx %lX", v, v, v, v);
		SAME("%lld %llu %llx", (long long)v, (long long)v, (long long)v);
		SAME("%zu %zx", (size_t)v, (size_t)v);
		SAME("%#x %#lx [%#12x] [%#012lx] [%-#12x]", (unsigned)v, v, (unsigned)v, v, (unsigned)v);
		SAME("[%5d] [%-5d] [%05d] [%20ld] [%020ld] [%-20lx]", (int)v, (int)v, (int)v, v, v, v);
		SAME("[%*d] [%-*d] [%*d]", 7, (int)v, 7, (int)v, -7, (int)v);
	}
}

static void strings(void **state)
{
	char unterminated[3] = {'a', 'b', 'c'};

	SAME("%s|%10s|%-10s|%.2s|%5.1s|%.0s", "abc", "abc", "abc", "abc", "abc", "abc");
	SAME("%.3s|%.*s", unterminated, 2, unterminated);
	SAME("%.*s", -1, "all");
	SAME("%c%3c%-3c|%%", 'x', 'y', 'z');
	SAME("no conversion");
	SAME("%s", "");
}

static void null_string_and_unknown_conversions_are_shown(void **state)
{
	const char *volatile null = NULL;
	const char *unknown = "a%qb", *unfinished = "a%";
	char buf[32];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	ksnprintf(buf, sizeof(buf), "%s", null);
	assert_string_equal(buf, "(null)");
	ksnprintf(buf, sizeof(buf), unknown);
	assert_string_equal(buf, "a%qb");
	ksnprintf(buf, sizeof(buf), unfinished);
	assert_string_equal(buf, "a%");
#pragma GCC diagnostic pop
}

static void truncates_and_terminates(void **state)
{
	char buf[9] = "########";

	assert_int_equal(ksnprintf(buf, 4, "%s-%d", "abcdef", 12), 9);
	assert_string_equal(buf, "abc");
	assert_int_equal(buf[4], '#');
	assert_int_equal(ksnprintf(buf, 1, "xyz"), 3);
	assert_string_equal(buf, "");
	buf[0] = '#';
	assert_int_equal(ksnprintf(buf, 0, "xyz"), 3);
	assert_int_equal(buf[0], '#');
	assert_int_equal(ksnprintf(NULL, 0, "%1000d", 1), 1000);
	assert_int_equal(ksnprintf(buf, 4, "abc"), 3);
	assert_string_equal(buf, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(strings),
		cmocka_unit_test(null_string_and_unknown_conversions_are_shown),
		cmocka_unit_test(truncates_and_terminates),
	};

	return cmocka_run_group_tests_name("printf", tests, NULL, NULL);
}
