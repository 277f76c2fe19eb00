/* The VGA text screen, 80 x 25, as the BIOS leaves it in mode 3. */
#pragma once

#include "lib/types.h"

/* Finds the screen and its cursor. Without a VGA in text mode the rest does nothing. */
void vga_init(void);

/* Writes bytes: control characters, and the ANSI sequences that a shell's line editor sends; colours and all
 * others are swallowed. */
void vga_write(const char *s, size_t len);

/* Shows 80 x 25 cells, attribute and character each, and the cursor on one of them; beyond, it is out of
 * sight. vga_write() goes on from there. */
void vga_cells(const u16 *cells, u32 cursor);

/* Looks so many pages further back at what has scrolled off, or ahead when negative; whatever is written next
 * shows the present again. False when there is no screen, or a guest's picture on it: then the key is the
 * guest's. */
bool vga_look_back(int pages);
