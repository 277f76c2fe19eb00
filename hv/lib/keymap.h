/* The US keyboard: characters by scan code (set 1), without and with shift; 0 where a key has none. */
#pragma once

#define KEYMAP_SIZE 58

#define SCAN_RELEASE  0x80 /* with a key's code */
#define SCAN_EXTENDED 0xE0 /* before it */

extern const char keymap_plain[KEYMAP_SIZE], keymap_shifted[KEYMAP_SIZE];
