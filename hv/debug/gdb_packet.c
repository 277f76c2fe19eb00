#include "debug/gdb_packet.h"

#include "lib/string.h"

enum { IDLE, DATA, SUM1, SUM2 };

#define CTRL_C	 3
#define ESCAPE	 '}'
#define ESCAPED	 0x20
#define NO_DIGIT 16

u8 gdb_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u8)(c - '0');
	c |= 32;
	return c >= 'a' && c <= 'f' ? (u8)(c - 'a' + 10) : NO_DIGIT;
}

static void begin(struct gdb_packet *p)
{
	p->state = DATA;
	p->len = 0;
	p->sum = 0;
	p->escape = p->overlong = false;
}

static void take(struct gdb_packet *p, u8 c)
{
	p->sum += c;
	if (c == ESCAPE && !p->escape) {
		p->escape = true;
		return;
	}
	if (p->escape)
		c ^= ESCAPED;
	p->escape = false;
	if (p->len < GDB_PACKET_MAX)
		p->data[p->len++] = (char)c;
	else
		p->overlong = true;
}

enum gdb_input gdb_packet_byte(struct gdb_packet *p, u8 c)
{
	if (c == '$') { /* never inside a packet: one before it was cut short */
		begin(p);
		return GDB_MORE;
	}
	switch (p->state) {
	case IDLE:
		return c == CTRL_C ? GDB_INTERRUPT : c == '-' ? GDB_NACK : GDB_MORE;
	case DATA:
		if (c == '#')
			p->state = SUM1;
		else
			take(p, c);
		return GDB_MORE;
	case SUM1:
		p->want = gdb_digit((char)c);
		p->state = SUM2;
		return GDB_MORE;
	default:
		p->state = IDLE;
		p->data[p->len] = 0;
		p->at = p->data;
		if (p->overlong || p->want == NO_DIGIT || gdb_digit((char)c) == NO_DIGIT ||
		    (p->want << 4 | gdb_digit((char)c)) != p->sum)
			return GDB_BAD;
		return GDB_PACKET;
	}
}

void gdb_clear(struct gdb_text *t)
{
	t->skip = 0;
	t->len = 0;
	t->room = GDB_PACKET_MAX;
	t->full = false;
	t->data[0] = 0;
}

void gdb_put_bytes(struct gdb_text *t, const void *p, u64 len)
{
	u64 skipped = MIN(len, t->skip);

	t->skip -= skipped;
	len -= skipped;
	if (len > t->room) {
		t->full = true;
		len = t->room;
	}
	memcpy(t->data + t->len, (const char *)p + skipped, len);
	t->room -= (u32)len;
	t->len += (u32)len;
	t->data[t->len] = 0;
}

void gdb_put(struct gdb_text *t, const char *s)
{
	gdb_put_bytes(t, s, strlen(s));
}

static const char digits[] = "0123456789abcdef";

void gdb_put_hex(struct gdb_text *t, const void *p, u64 len)
{
	for (const u8 *b = p; len--; b++)
		gdb_put_bytes(t, (char[]){digits[*b >> 4], digits[*b & 15]}, 2);
}

void gdb_put_number(struct gdb_text *t, u64 n)
{
	char buf[16];
	unsigned i = sizeof(buf);

	do
		buf[--i] = digits[n & 15];
	while (n >>= 4);
	gdb_put_bytes(t, buf + i, sizeof(buf) - i);
}

void gdb_send(const struct gdb_text *t, void (*putc)(u8 c))
{
	u8 sum = 0;

	putc('$');
	for (u32 i = 0; i < t->len; i++) {
		u8 c = (u8)t->data[i];

		if (c == '$' || c == '#' || c == ESCAPE || c == '*') {
			putc(ESCAPE);
			sum += ESCAPE;
			c ^= ESCAPED;
		}
		putc(c);
		sum += c;
	}
	putc('#');
	putc((u8)digits[sum >> 4]);
	putc((u8)digits[sum & 15]);
}

bool gdb_number(const char **s, u64 *n)
{
	const char *start = *s;

	for (*n = 0; gdb_digit(**s) != NO_DIGIT; ++*s) {
		if (*n >> 60)
			return false;
		*n = *n << 4 | gdb_digit(**s);
	}
	if (*s == start)
		return false;
	*s += **s == ',' || (**s >= ':' && **s <= '=');
	return true;
}

bool gdb_bytes(const char **s, void *to, u64 len)
{
	for (u8 *b = to; len--; b++, *s += 2) {
		u8 high = gdb_digit((*s)[0]), low = high == NO_DIGIT ? NO_DIGIT : gdb_digit((*s)[1]);

		if (low == NO_DIGIT)
			return false;
		*b = (u8)(high << 4 | low);
	}
	return true;
}

bool gdb_word(const char **s, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*s, word, len))
		return false;
	*s += len;
	return true;
}
