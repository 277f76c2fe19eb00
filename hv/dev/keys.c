/* ASCII and the escape sequences of ANSI terminals as scan codes of a US keyboard. */

#include "dev/keys.h"

#include "lib/keymap.h"
#include "lib/string.h"

enum { KEY_ESC = 0x01, KEY_TAB = 0x0F, KEY_F1 = 0x3B, KEY_CTRL = 0x1D, KEY_SHIFT = 0x2A, KEY_ALT = 0x38 };
enum { MOD_SHIFT = 1, MOD_ALT = 2, MOD_CTRL = 4, MOD_EXTENDED = 8 }; /* the first three as xterm has them */

const u8 keys_set2[0x59] = {0,	  0x76, 0x16, 0x1E, 0x26, 0x25, 0x2E, 0x36, 0x3D, 0x3E, 0x46, 0x45, 0x4E,
			    0x55, 0x66, 0x0D, 0x15, 0x1D, 0x24, 0x2D, 0x2C, 0x35, 0x3C, 0x43, 0x44, 0x4D,
			    0x54, 0x5B, 0x5A, 0x14, 0x1C, 0x1B, 0x23, 0x2B, 0x34, 0x33, 0x3B, 0x42, 0x4B,
			    0x4C, 0x52, 0x0E, 0x12, 0x5D, 0x1A, 0x22, 0x21, 0x2A, 0x32, 0x31, 0x3A, 0x41,
			    0x49, 0x4A, 0x59, 0x7C, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0C, 0x03, 0x0B,
			    0x83, 0x0A, 0x01, 0x09, 0x77, 0x7E, 0x6C, 0x75, 0x7D, 0x7B, 0x6B, 0x73, 0x74,
			    0x79, 0x69, 0x72, 0x7A, 0x70, 0x71, 0x84, 0x60, 0x61, 0x78, 0x07};

static unsigned press(u8 code, unsigned mods, u8 *out)
{
	static const u8 modifier[3] = {KEY_SHIFT, KEY_ALT, KEY_CTRL};
	unsigned n = 0;

	for (unsigned i = 0; i < 3; i++)
		if (mods & 1 << i)
			out[n++] = modifier[i];
	for (unsigned up = 0; up <= SCAN_RELEASE; up += SCAN_RELEASE) {
		if (mods & MOD_EXTENDED)
			out[n++] = SCAN_EXTENDED;
		out[n++] = (u8)(code | up);
	}
	for (unsigned i = 0; i < 3; i++)
		if (mods & 1 << i)
			out[n++] = modifier[i] | SCAN_RELEASE;
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
static unsigned letter(u8 c, unsigned mods, u8 *out)
{
	static const u8 code['H' - 'A' + 1] = {0x48, 0x50, 0x4D, 0x4B, 0, 0x4F, 0, 0x47};

	if (c >= 'P' && c <= 'S')
		return press((u8)(KEY_F1 + c - 'P'), mods, out);
	if (c == 'Z')
		return press(KEY_TAB, MOD_SHIFT, out);
	c -= 'A';
	return c < sizeof(code) && code[c] ? press(code[c], mods | MOD_EXTENDED, out) : 0;
}

/* The key of ESC [ number ~: home, insert, delete, end, page up and down, twice the first two; F1 to F12. */
static unsigned numbered(u8 number, unsigned mods, u8 *out)
{
	static const u8 code[25] = {[1] = 0x47, 0x52,	     0x53, 0x4F, 0x49,	      0x51, 0x47,
				    0x4F,	[11] = 0x3B, 0x3C, 0x3D, 0x3E,	      0x3F, [17] = 0x40,
				    0x41,	0x42,	     0x43, 0x44, [23] = 0x57, 0x58};

	if (number >= sizeof(code) || !code[number])
		return 0;
	return press(code[number], mods | (number < 11 ? MOD_EXTENDED : 0), out);
}

unsigned keys_byte(struct keys *k, int c, u8 out[KEYS_MAX])
{
	unsigned state = k->state, mods = k->arg[1] ? (k->arg[1] - 1u) & 7 : 0;

	if (state == KEYS_SEQUENCE && c >= '0' && c <= '?') {
		if (c <= '9')
			k->arg[k->n] = (u8)(k->arg[k->n] * 10 + c - '0');
		else
			k->n = 1;
		return 0;
	}
	k->state = KEYS_PLAIN;
	switch (state) {
	case KEYS_SEQUENCE:
		if (c == '[')
			k->state = KEYS_LINUX;
		return c == '~' ? numbered(k->arg[0], mods, out) : letter((u8)c, mods, out);
	case KEYS_FUNCTION:
		return letter((u8)c, 0, out);
	case KEYS_LINUX: /* its console's F1 to F5 */
		return c >= 'A' && c <= 'E' ? press((u8)(KEY_F1 + c - 'A'), 0, out) : 0;
	case KEYS_ESCAPE:
		memset(k, 0, sizeof(*k));
		if (c == '[')
			k->state = KEYS_SEQUENCE;
		else if (c == 'O')
			k->state = KEYS_FUNCTION;
		else if (c == 27)
			k->state = KEYS_ESCAPE;
		else if (c >= 0)
			return character((u8)c, MOD_ALT, out);
		return c < 0 || c == 27 ? press(KEY_ESC, 0, out) : 0;
	}
	if (c == 27)
		k->state = KEYS_ESCAPE;
	return c < 0 || c == 27 ? 0 : character((u8)c, 0, out);
}
