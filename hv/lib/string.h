/* The part of <string.h> that pxHV uses; the prototypes are the C library's. */
#pragma once

#include "lib/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

static inline char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c | 32 : c;
}

/* The nth of the strings that follow one another in list, each ended by a NUL; n must be below their number.
 */
const char *nth_string(const char *list, unsigned n);

/* What n is called: names are those of the count numbers, one behind the other as above, then one more for
 * any other n. */
const char *name_of(const u8 *numbers, unsigned count, const char *names, u64 n);
