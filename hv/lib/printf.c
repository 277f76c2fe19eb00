#include "lib/printf.h"

#include "lib/string.h"

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void pad(struct out *o, int n)
{
	while (n-- > 0)
		put(o, ' ');
}

/* Every argument has a register or 8 bytes of stack, whatever its type (System V ABI AMD64 3.5.7). */
static __noinline u64 next(va_list *ap)
{
	return va_arg(*ap, u64);
}

/* The number at *fmt, or the argument that '*' stands for. */
static int number(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return (int)next(ap);
	}
	while (**fmt >= '0' && **fmt <= '9' && n < 10000)
		n = n * 10 + *(*fmt)++ - '0';
	return n;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list list)
{
	struct out o = {buf, size, 0};
	va_list ap;

	va_copy(ap, list); /* a va_list parameter is a pointer: &ap needs the real type */
	for (; *fmt; fmt++) {
		bool left = false, zero = false, alternate = false, wide = false, minus;
		char text[40], *d = text + sizeof(text); /* a number, from its end on */
		int width, precision = -1, len;
		const char *s;
		unsigned base, digit;
		u64 val;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		for (fmt++; *fmt == '-' || *fmt == '0' || *fmt == '#'; fmt++)
			*(*fmt == '-' ? &left : *fmt == '0' ? &zero : &alternate) = true;
		width = number(&fmt, &ap);
		if (width < 0) {
			left = true;
			width = -width;
		}
		if (*fmt == '.') {
			fmt++;
			precision = number(&fmt, &ap);
		}
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			wide = true;

		switch (*fmt) {
		case 'd':
		case 'u':
		case 'x':
		case 'X':
			val = next(&ap);
			if (!wide)
				val = *fmt == 'd' ? (u64)(s32)val : (u32)val;
			minus = *fmt == 'd' && (s64)val < 0;
			if (minus)
				val = -val;
			base = (*fmt | 0x20) == 'x' ? 16 : 10;
			alternate &= val != 0;
			len = zero && !left ? width - minus - 2 * alternate : 0;
			do {
				digit = (unsigned)(val % base);
				val /= base;
				*--d = (char)(digit < 10 ? '0' + digit : ('A' - 10 + digit) | (*fmt & 0x20));
				len--;
			} while (val || (len > 0 && d > text + 2));
			if (minus)
				*--d = '-';
			if (alternate) {
				*--d = 'x';
				*--d = '0';
			}
			s = d;
			len = (int)(text + sizeof(text) - d);
			break;
		case 'c':
			*--d = (char)next(&ap);
			s = d;
			len = 1;
			break;
		case 's':
			s = (const char *)next(&ap);
			if (!s)
				s = "(null)";
			for (len = 0; len != precision && s[len]; len++)
				;
			break;
		default: /* "%%"; anything else is our own mistake: show it */
			put(&o, '%');
			if (*fmt != '%')
				fmt--;
			continue;
		}
		width -= len;
		if (!left)
			pad(&o, width);
		while (len--)
			put(&o, *s++);
		if (left)
			pad(&o, width);
	}
	va_end(ap);
	if (size)
		buf[MIN(o.len, size - 1)] = 0;
	return (int)o.len;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
