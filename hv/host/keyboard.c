#include "host/keyboard.h"

#include "host/cpu.h"
#include "lib/keymap.h"

#define DATA	      0x60
#define STATUS	      0x64
#define STATUS_OUTPUT BIT(0)
#define STATUS_MOUSE  BIT(5)
#define NO_CONTROLLER 0xFF
#define RELEASE	      0x80
#define EXTENDED      0xE0
#define BYTES_A_POLL  16

enum { LEFT_SHIFT = 0x2A, RIGHT_SHIFT = 0x36, CTRL = 0x1D, CAPS_LOCK = 0x3A };

/* From 47h on: home, up, page up, -, left, 5, right, +, end, down, page down, insert, delete. */
#define CURSOR_KEYS 0x47
static const char cursor[] = "HA5\0D\0C\0FB623";

static struct {
	bool shift, ctrl, caps, extended;
} state;

static void cursor_key(u8 code, void (*put)(u8 c))
{
	u8 c = (u8)cursor[code - CURSOR_KEYS];

	if (!c)
		return;
	put(27);
	put('[');
	put(c);
	if (c <= '9')
		put('~');
}

static void key(u8 code, void (*put)(u8 c))
{
	bool down = !(code & RELEASE), extended = state.extended;
	char c;

	state.extended = code == EXTENDED;
	if (state.extended)
		return;
	code &= (u8)~RELEASE;
	if (code == LEFT_SHIFT || code == RIGHT_SHIFT)
		state.shift = down && !extended; /* E0 2A is no shift but part of a cursor key */
	else if (code == CTRL)
		state.ctrl = down;
	else if (code == CAPS_LOCK)
		state.caps ^= down;
	else if (!down)
		return;
	else if (code >= CURSOR_KEYS && code < CURSOR_KEYS + sizeof(cursor) - 1)
		cursor_key(code, put);
	else if (code < KEYMAP_SIZE) {
		c = (state.shift ? keymap_shifted : keymap_plain)[code];
		if (state.caps && (c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			c ^= 0x20;
		if (state.ctrl)
			c &= 0x1F;
		if (c || (state.ctrl && code == 0x39))
			put((u8)c);
	}
}

void keyboard_poll(void (*put)(u8 c))
{
	for (unsigned i = 0; i < BYTES_A_POLL; i++) {
		u8 status = inb(STATUS), data;

		if (status == NO_CONTROLLER || !(status & STATUS_OUTPUT))
			return;
		data = inb(DATA);
		if (!(status & STATUS_MOUSE))
			key(data, put);
	}
}
