/* Somebody at a terminal, typing on a PC's keyboard: bytes become keys. */
#pragma once

#include "lib/types.h"

#define KEYS_MAX 12 /* scan codes of one key with its modifiers, pressed and released */

struct keys {
	enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_SEQUENCE, KEYS_FUNCTION, KEYS_LINUX } state;
	u8 arg[2]; /* a sequence's numbers: which key, and with what modifiers */
	u8 n;	   /* the one that comes */
};

/* Takes the next byte, or -1 when the line has been silent for a while, which tells the Esc key from an
 * escape sequence. Puts the scan codes (set 1) of a key that it ends into out and returns their number, 0 for
 * none. */
unsigned keys_byte(struct keys *k, int c, u8 out[KEYS_MAX]);

/* Set 2, which the 8042 translates into set 1, by the codes of set 1. */
extern const u8 keys_set2[0x59];

/* Left out by WITHOUT=vga; then no VM has a keyboard. */
#pragma weak keys_byte
#pragma weak keys_set2
