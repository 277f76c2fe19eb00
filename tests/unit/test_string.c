#include "support.h"

#include <stdlib.h>
#include <string.h>

/* hv/lib/string.c under names that leave the C library's alone (unit.mk). */
void *hv_memcpy(void *dst, const void *src, size_t n);
void *hv_memmove(void *dst, const void *src, size_t n);
void *hv_memset(void *dst, int c, size_t n);
int hv_memcmp(const void *a, const void *b, size_t n);
size_t hv_strlen(const char *s);
int hv_strcmp(const char *a, const char *b);
int hv_strncmp(const char *a, const char *b, size_t n);
char *hv_strchr(const char *s, int c);
const char *nth_string(const char *list, unsigned n);
const char *name_of(const u8 *numbers, unsigned count, const char *names, u64 n);

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void fill(u8 *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (u8)(i * 7 + 3);
}

static void memcpy_every_length_and_alignment(void **state)
{
	u8 src[64], dst[64], want[64];

	fill(src, sizeof(src));
	for (size_t n = 0; n <= 40; n++)
		for (size_t s = 0; s < 8; s++)
			for (size_t d = 0; d < 8; d++) {
				memset(dst, 0xEE, sizeof(dst));
				memset(want, 0xEE, sizeof(want));
				memcpy(want + d, src + s, n);
				assert_ptr_equal(hv_memcpy(dst + d, src + s, n), dst + d);
				assert_memory_equal(dst, want, sizeof(dst));
			}
}

static void memmove_every_overlap(void **state)
{
	u8 got[64], want[64];

	for (size_t n = 0; n <= 32; n++)
		for (size_t s = 0; s < 32; s++)
			for (size_t d = 0; d < 32; d++) {
				fill(got, sizeof(got));
				fill(want, sizeof(want));
				memmove(want + d, want + s, n);
				assert_ptr_equal(hv_memmove(got + d, got + s, n), got + d);
				assert_memory_equal(got, want, sizeof(got));
			}
}

static void memset_every_length(void **state)
{
	u8 got[64], want[64];

	for (size_t n = 0; n <= 40; n++)
		for (size_t d = 0; d < 8; d++) {
			memset(got, 0x11, sizeof(got));
			memset(want, 0x11, sizeof(want));
			memset(want + d, 0x1A5, n);
			assert_ptr_equal(hv_memset(got + d, 0x1A5, n), got + d);
			assert_memory_equal(got, want, sizeof(got));
		}
}

static void memcmp_finds_every_difference(void **state)
{
	u8 a[32], b[32];

	fill(a, sizeof(a));
	fill(b, sizeof(b));
	assert_int_equal(hv_memcmp(a, b, 0), 0);
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		for (size_t n = 0; n <= sizeof(a); n++)
			assert_int_equal(sign(hv_memcmp(a, b, n)), sign(memcmp(a, b, n)));
		b[i] ^= 0x80;
	}
}

static void strings(void **state)
{
	static const char *const words[] = {"", "a", "ab", "abc", "abd", "b", "\xFF", "abc\xFF"};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(hv_strlen(words[i]), strlen(words[i]));
		for (int c = 0; c < 256; c++)
			assert_ptr_equal(hv_strchr(words[i], c), strchr(words[i], c));
		for (unsigned j = 0; j < ARRAY_SIZE(words); j++) {
			assert_int_equal(sign(hv_strcmp(words[i], words[j])),
					 sign(strcmp(words[i], words[j])));
			for (size_t n = 0; n < 6; n++)
				assert_int_equal(sign(hv_strncmp(words[i], words[j], n)),
						 sign(strncmp(words[i], words[j], n)));
		}
	}
}

static void names(void **state)
{
	static const u8 numbers[] = {3, 0, 200};
	static const char list[] = "three\0\0two hundred\0other";

	assert_string_equal(nth_string(list, 0), "three");
	assert_string_equal(nth_string(list, 1), "");
	assert_string_equal(nth_string(list, 2), "two hundred");
	assert_string_equal(name_of(numbers, 3, list, 3), "three");
	assert_string_equal(name_of(numbers, 3, list, 0), "");
	assert_string_equal(name_of(numbers, 3, list, 200), "two hundred");
	assert_string_equal(name_of(numbers, 3, list, 456), "other"); /* 200 + 256 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memcpy_every_length_and_alignment),
		cmocka_unit_test(memmove_every_overlap),
		cmocka_unit_test(memset_every_length),
		cmocka_unit_test(memcmp_finds_every_difference),
		cmocka_unit_test(strings),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("string", tests, NULL, NULL);
}
