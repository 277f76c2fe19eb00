/* A text screen told to an ANSI terminal: what changed since the last time, as UTF-8 and escape sequences. */
#pragma once

#include "lib/types.h"

#define VGA_COLUMNS 80
#define VGA_ROWS    25
#define VGA_CELLS   (VGA_COLUMNS * VGA_ROWS)
#define VGA_BLANK   0x0720 /* a space, light grey on black */

struct vga_ansi {
	void (*write)(void *arg, const char *s, size_t len);
	void *arg;
	bool begun;	      /* the terminal is ours: cleared, and scrolling in our rows only */
	u8 attr;	      /* that the terminal writes in now */
	u32 at;		      /* the cell that its cursor stands on */
	u16 shown[VGA_CELLS]; /* what it shows: attribute and code page 437 character */
	u32 len;
	char buf[128];
};

/* n blank cells. */
void vga_blank(u16 *cells, u32 n);

/* Makes the terminal show cells, its cursor on the cell number cursor or, if that is none, hidden at the
 * bottom. */
void vga_ansi_update(struct vga_ansi *a, const u16 *cells, u32 cursor);

/* Gives the terminal back, its cursor below our screen. */
void vga_ansi_end(struct vga_ansi *a);
