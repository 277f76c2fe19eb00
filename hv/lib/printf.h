/* Formatted output: a subset of printf's language without floating point. */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

/* Formats into buf of size bytes, always terminated when size > 0; returns the length that the whole
 * text would have. Knows %c %s %d %u %x %X %%, flags '-', '0' and '#', width and, of a string, precision
 * (also as
 * '*'), and the length words l ll z. */
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int ksnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* Prints on every console of the host (host/console.c; the unit tests supply their own). */
void printk(const char *fmt, ...) __printf(1, 2);
