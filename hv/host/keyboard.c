#include "host/keyboard.h"

#include "host/cpu.h"
#include "host/vga.h"
#include "lib/keymap.h"

#define DATA	      0x60
#define STATUS	      0x64
#define STATUS_OUTPUT BIT(0)
#define STATUS_MOUSE  BIT(5)
#define NO_CONTROLLER 0xFF
#define BYTES_A_POLL  16

enum {
	LEFT_SHIFT = 0x2A,
	RIGHT_SHIFT = 0x36,
	CTRL = 0x1D,
	ALT = 0x38,
	STAR = 0x37, /* of the number pad; the extended one is PrintScreen */
	CAPS_LOCK = 0x3A,
	NUM_LOCK = 0x45,
	PAGE_UP = 0x49,
	PAGE_DOWN = 0x51
};

/* The keys that are no characters, as the letter or the number of an escape sequence. From 3Bh on: F1 to F10,
 * two locks, home, up, page up, -, left, 5, right, +, end, down, page down, insert, delete, three that are
 * not there, F11, F12. */
#define FIRST_KEY 0x3B
static const u8 sequences[] = {11, 12,	13, 14,	 15, 17,  18,  19, 20, 21, 0, 0, 'H', 'A', 5,
			       0,  'D', 0,  'C', 0,  'F', 'B', 6,  2,  3,  0, 0, 0,   23,  24};

/* The number pad's keys, which are cursor keys when NumLock is off or Shift is held; - and + always are. */
#define FIRST_PAD 0x47
static const char pad[] = "789-456+1230.";

static struct {
	bool shift, ctrl, alt, caps, no_num, extended;
} state;

/* As xterm has it: ESC [ 1 ; modifiers letter, or ESC [ number ; modifiers ~, with nothing said that goes
 * without it. */
static void sequence(u8 key, void (*put)(u8 c))
{
	u8 mods = (u8)(1 + state.shift + 2 * state.alt + 4 * state.ctrl);
	bool letter = key >= 'A';

	put(27);
	put('[');
	if (!letter && key > 9)
		put('0' + key / 10);
	if (!letter || mods > 1)
		put(letter ? '1' : '0' + key % 10);
	if (mods > 1) {
		put(';');
		put('0' + mods);
	}
	put(letter ? key : '~');
}

static void key(u8 code, void (*put)(u8 c))
{
	bool down = !(code & SCAN_RELEASE), extended = state.extended;
	char c;

	state.extended = code == SCAN_EXTENDED;
	if (state.extended)
		return;
	code &= (u8)~SCAN_RELEASE;
	if (code == LEFT_SHIFT || code == RIGHT_SHIFT)
		state.shift = extended ? state.shift : down; /* E0 2A and E0 AA are part of a cursor key */
	else if (code == CTRL)
		state.ctrl = down;
	else if (code == ALT)
		state.alt = down;
	else if (code == CAPS_LOCK)
		state.caps ^= down;
	else if (code == NUM_LOCK && !state.ctrl) /* which is Pause with Ctrl */
		state.no_num ^= down;
	else if (!down || (extended && code == STAR))
		return;
	else if (state.shift && (code == PAGE_UP || code == PAGE_DOWN) &&
		 vga_look_back(code == PAGE_UP ? 1 : -1))
		return;
	else if (!extended && code >= FIRST_PAD && code < FIRST_PAD + sizeof(pad) - 1 &&
		 (state.no_num == state.shift || pad[code - FIRST_PAD] < '.'))
		put((u8)pad[code - FIRST_PAD]);
	else if (code >= FIRST_KEY && code < FIRST_KEY + sizeof(sequences)) {
		if (sequences[code - FIRST_KEY])
			sequence(sequences[code - FIRST_KEY], put);
	} else if (code < KEYMAP_SIZE) {
		c = (state.shift ? keymap_shifted : keymap_plain)[code];
		if (state.caps && (c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			c ^= 0x20;
		if (state.ctrl)
			c &= 0x1F;
		if (!c && !(state.ctrl && code == 0x39))
			return;
		if (state.alt)
			put(27);
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
