/* ASCII and the escape sequences of ANSI terminals as scan codes of a US keyboard. */

#include "dev/keys.h"

#include "lib/keymap.h"

#define RELEASE	 0x80
#define EXTENDED 0xE0

enum { KEY_ESC = 0x01, KEY_CTRL = 0x1D, KEY_SHIFT = 0x2A, KEY_ALT = 0x38 };
enum { MOD_SHIFT = 1, MOD_CTRL = 2, MOD_ALT = 4, MOD_EXTENDED = 8 };

static unsigned press(u8 code, unsigned mods, u8 *out)
{
	static const u8 modifier[3] = {KEY_SHIFT, KEY_CTRL, KEY_ALT};
	unsigned n = 0;

	for (unsigned i = 0; i < 3; i++)
		if (mods & 1 << i)
			out[n++] = modifier[i];
	for (unsigned up = 0; up <= RELEASE; up += RELEASE) {
		if (mods & MOD_EXTENDED)
			out[n++] = EXTENDED;
		out[n++] = (u8)(code | up);
	}
	for (unsigned i = 0; i < 3; i++)
		if (mods & 1 << i)
			out[n++] = modifier[i] | RELEASE;
	return n;
}

static unsigned character(u8 c, unsigned mods, u8 *out)
{
	if (c == '\b') /* what terminals send for it */
		c = 0x7F;
	if (c == '\n')
		c = '\r';
	for (unsigned again = 0; again < 2; again++) {
		for (u8 code = 1; code < KEYMAP_SIZE; code++) {
			if (keymap_plain[code] == (char)c && c && code != 0x37) /* not the keypad's star */
				return press(code, mods, out);
			if (keymap_shifted[code] == (char)c && c)
				return press(code, mods | MOD_SHIFT, out);
		}
		mods |= MOD_CTRL; /* a control character is its letter's key with Ctrl */
		c = c < 27 ? c | 0x60 : c | 0x40;
	}
	return 0;
}

/* The key of ESC [ c or ESC O c. */
static unsigned letter(u8 c, u8 *out)
{
	static const u8 code['H' - 'A' + 1] = {0x48, 0x50, 0x4D, 0x4B, 0, 0x4F, 0, 0x47};

	if (c >= 'P' && c <= 'S')
		return press((u8)(0x3B + c - 'P'), 0, out);
	c -= 'A';
	return c < sizeof(code) && code[c] ? press(code[c], MOD_EXTENDED, out) : 0;
}

/* The key of ESC [ number ~: home, insert, delete, end, page up and down, twice the first two; F1 to F12. */
static unsigned numbered(u8 number, u8 *out)
{
	static const u8 code[25] = {[1] = 0x47, 0x52,	     0x53, 0x4F, 0x49,	      0x51, 0x47,
				    0x4F,	[11] = 0x3B, 0x3C, 0x3D, 0x3E,	      0x3F, [17] = 0x40,
				    0x41,	0x42,	     0x43, 0x44, [23] = 0x57, 0x58};

	if (number >= sizeof(code) || !code[number])
		return 0;
	return press(code[number], number < 11 ? MOD_EXTENDED : 0, out);
}

unsigned keys_byte(struct keys *k, int c, u8 out[KEYS_MAX])
{
	unsigned state = k->state;

	if (state == KEYS_SEQUENCE && c >= '0' && c <= '9') {
		k->number = (u8)(k->number * 10 + c - '0');
		return 0;
	}
	k->state = KEYS_PLAIN;
	if (state == KEYS_ESCAPE && (c < 0 || c == 27))
		return press(KEY_ESC, 0, out);
	if (c < 0)
		return 0;
	switch (state) {
	case KEYS_SEQUENCE:
		return c == '~' ? numbered(k->number, out) : letter((u8)c, out);
	case KEYS_FUNCTION:
		return letter((u8)c, out);
	case KEYS_ESCAPE:
		k->number = 0;
		if (c == '[')
			k->state = KEYS_SEQUENCE;
		else if (c == 'O')
			k->state = KEYS_FUNCTION;
		else
			return character((u8)c, MOD_ALT, out);
		return 0;
	}
	if (c == 27) {
		k->state = KEYS_ESCAPE;
		return 0;
	}
	return character((u8)c, 0, out);
}
