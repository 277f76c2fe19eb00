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

static void pad(struct out *o, char c, int n)
{
	while (n-- > 0)
		put(o, c);
}

/* One conversion's result: prefix (sign or 0x), then zeros, then the text itself, in a field of width. */
static void emit(struct out *o, const char *prefix, int zeros, const char *s, int len, int width, bool left)
{
	width -= (int)strlen(prefix) + MAX(zeros, 0) + len;
	if (!left)
		pad(o, ' ', width);
	while (*prefix)
		put(o, *prefix++);
	pad(o, '0', zeros);
	while (len--)
		put(o, *s++);
	if (left)
		pad(o, ' ', width);
}

static int number(const char **fmt, va_list *ap)
{
	int n = 0;

	if (**fmt == '*') {
		(*fmt)++;
		return va_arg(*ap, int);
	}
	while (**fmt >= '0' && **fmt <= '9' && n < 10000)
		n = n * 10 + *(*fmt)++ - '0';
	return n;
}

static void convert_int(struct out *o, u64 val, unsigned base, bool upper, const char *prefix, bool zero,
			bool left, int width, int precision)
{
	char digits[20], *d = digits + sizeof(digits);
	int len, zeros;

	for (; val; val /= base)
		*--d = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[val % base];
	len = (int)(digits + sizeof(digits) - d);
	if (precision >= 0)
		zeros = precision - len;
	else if (zero && !left)
		zeros = MAX(width - (int)strlen(prefix), 1) - len;
	else
		zeros = 1 - len;
	emit(o, prefix, zeros, d, len, width, left);
}

/* The integer argument, sign- or zero-extended by its length word: 8, 16, 32 or 64 bits. */
static u64 int_arg(va_list *ap, int bits, bool is_signed)
{
	u64 val = bits == 64 ? va_arg(*ap, u64) : va_arg(*ap, u32);
	int shift = 64 - bits;

	return is_signed ? (u64)((s64)(val << shift) >> shift) : val << shift >> shift;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list list)
{
	struct out o = {buf, size, 0};
	va_list ap;

	va_copy(ap, list); /* a va_list parameter is a pointer: &ap needs the real type */
	for (; *fmt; fmt++) {
		bool left = false, zero = false, alternate = false;
		int width, precision = -1, bits = 32;
		const char *prefix = "", *s;
		char c;
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
		for (; *fmt == 'h'; fmt++)
			bits /= 2;
		for (; *fmt == 'l' || *fmt == 'z'; fmt++)
			bits = 64;

		switch (*fmt) {
		case 'd':
		case 'i':
			val = int_arg(&ap, bits, true);
			if ((s64)val < 0) {
				val = -val;
				prefix = "-";
			}
			convert_int(&o, val, 10, false, prefix, zero, left, width, precision);
			break;
		case 'u':
			val = int_arg(&ap, bits, false);
			convert_int(&o, val, 10, false, prefix, zero, left, width, precision);
			break;
		case 'p':
			bits = 64;
			prefix = "0x";
			/* fall through */
		case 'x':
		case 'X':
			val = int_arg(&ap, bits, false);
			if (alternate && val)
				prefix = "0x";
			convert_int(&o, val, 16, *fmt == 'X', prefix, zero, left, width, precision);
			break;
		case 'c':
			c = (char)va_arg(ap, int);
			emit(&o, prefix, 0, &c, 1, width, left);
			break;
		case 's': {
			int len = 0;

			s = va_arg(ap, const char *);
			if (!s)
				s = "(null)";
			while (len != precision && s[len])
				len++;
			emit(&o, prefix, 0, s, len, width, left);
			break;
		}
		case '%':
			put(&o, '%');
			break;
		default: /* our own mistake: show it */
			put(&o, '%');
			fmt--;
		}
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
