/* A text screen told to an ANSI terminal. A screen that has scrolled is scrolled there too, so that a line is
 * sent once; of a row that changed, all from the first changed cell to the last goes out in one piece. */

#include "dev/vga_ansi.h"

#include "lib/printf.h"
#include "lib/string.h"

/* Code page 437 in Unicode: the control characters' pictures, and from 7Fh on. */
static const u16 low[32] = {
	0x20,	0x263A, 0x263B, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25D8, 0x25CB, 0x25D9,
	0x2642, 0x2640, 0x266A, 0x266B, 0x263C, 0x25BA, 0x25C4, 0x2195, 0x203C, 0xB6,	0xA7,
	0x25AC, 0x21A8, 0x2191, 0x2193, 0x2192, 0x2190, 0x221F, 0x2194, 0x25B2, 0x25BC,
};
static const u16 high[129] = {
	0x2302, 0xC7,	0xFC,	0xE9,	0xE2,	0xE4,	0xE0,	0xE5,	0xE7,	0xEA,	0xEB,	0xE8,
	0xEF,	0xEE,	0xEC,	0xC4,	0xC5,	0xC9,	0xE6,	0xC6,	0xF4,	0xF6,	0xF2,	0xFB,
	0xF9,	0xFF,	0xD6,	0xDC,	0xA2,	0xA3,	0xA5,	0x20A7, 0x192,	0xE1,	0xED,	0xF3,
	0xFA,	0xF1,	0xD1,	0xAA,	0xBA,	0xBF,	0x2310, 0xAC,	0xBD,	0xBC,	0xA1,	0xAB,
	0xBB,	0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
	0x2557, 0x255D, 0x255C, 0x255B, 0x2510, 0x2514, 0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E,
	0x255F, 0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256C, 0x2567, 0x2568, 0x2564, 0x2565,
	0x2559, 0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C, 0x2588, 0x2584, 0x258C, 0x2590,
	0x2580, 0x3B1,	0xDF,	0x393,	0x3C0,	0x3A3,	0x3C3,	0xB5,	0x3C4,	0x3A6,	0x398,	0x3A9,
	0x3B4,	0x221E, 0x3C6,	0x3B5,	0x2229, 0x2261, 0xB1,	0x2265, 0x2264, 0x2320, 0x2321, 0xF7,
	0x2248, 0xB0,	0x2219, 0xB7,	0x221A, 0x207F, 0xB2,	0x25A0, 0xA0,
};

#define ATTR_NORMAL 0x07

void vga_blank(u16 *cells, u32 n)
{
	while (n--)
		*cells++ = VGA_BLANK;
}

static void flush(struct vga_ansi *a)
{
	if (a->len)
		a->write(a->arg, a->buf, a->len);
	a->len = 0;
}

static void put(struct vga_ansi *a, u8 c)
{
	if (a->len == sizeof(a->buf))
		flush(a);
	a->buf[a->len++] = (char)c;
}

static void __printf(2, 3) emit(struct vga_ansi *a, const char *fmt, ...)
{
	va_list ap;

	if (sizeof(a->buf) - a->len < 32)
		flush(a);
	va_start(ap, fmt);
	a->len += (u32)kvsnprintf(a->buf + a->len, sizeof(a->buf) - a->len, fmt, ap);
	va_end(ap);
}

/* The adapter's colours have blue in bit 0 and red in bit 2, ANSI's the other way round. */
static unsigned ansi_colour(unsigned c)
{
	return (c & 2) | (c & 1) << 2 | (c >> 2 & 1);
}

static void set_attr(struct vga_ansi *a, u8 attr)
{
	if (attr == a->attr)
		return;
	a->attr = attr;
	if (attr == ATTR_NORMAL) /* as the terminal's user has chosen */
		emit(a, "\033[0m");
	else
		emit(a, "\033[0;%u;%um", (attr & 8 ? 90 : 30) + ansi_colour(attr),
		     40 + ansi_colour(attr >> 4));
}

static void put_cell(struct vga_ansi *a, u16 cell)
{
	u8 c = (u8)cell;
	u16 u = c < 32 ? low[c] : c >= 127 ? high[c - 127] : c;

	set_attr(a, (u8)(cell >> 8));
	if (u < 0x80) {
		put(a, (u8)u);
	} else {
		if (u < 0x800) {
			put(a, (u8)(0xC0 | u >> 6));
		} else {
			put(a, (u8)(0xE0 | u >> 12));
			put(a, 0x80 | (u >> 6 & 0x3F));
		}
		put(a, 0x80 | (u & 0x3F));
	}
	/* Behind the last column terminals differ in where they are. */
	if (++a->at % VGA_COLUMNS == 0)
		a->at = ~0u;
}

/* A few cells on in the same row are sent again: that is shorter, and the text stays readable in a log. */
static void move(struct vga_ansi *a, u32 at)
{
	if (at > a->at && at - a->at <= 8 && at / VGA_COLUMNS == a->at / VGA_COLUMNS)
		while (a->at < at)
			put_cell(a, a->shown[a->at]);
	if (at != a->at)
		emit(a, "\033[%u;%uH", at / VGA_COLUMNS + 1, at % VGA_COLUMNS + 1);
	a->at = at;
}

static void update_row(struct vga_ansi *a, u32 start, const u16 *cells)
{
	u16 *shown = a->shown + start;
	u32 first = 0, last = VGA_COLUMNS, end = VGA_COLUMNS;

	while (first < last && cells[first] == shown[first])
		first++;
	while (last > first && cells[last - 1] == shown[last - 1])
		last--;
	if (first == last)
		return;
	/* Blanks up to the row's end are one sequence. */
	while (end > first && cells[end - 1] == VGA_BLANK)
		end--;
	move(a, start + first);
	for (u32 i = first; i < MIN(last, end); i++)
		put_cell(a, cells[i]);
	if (last > end) {
		set_attr(a, ATTR_NORMAL);
		emit(a, "\033[K");
	}
	memcpy(shown, cells, VGA_COLUMNS * sizeof(*cells));
}

/* Rows of cells that the terminal shows n rows further down, empty ones left out. */
static unsigned rows_alike(const struct vga_ansi *a, const u16 *cells, u32 n)
{
	unsigned alike = 0;

	for (u32 at = 0; at < (VGA_ROWS - n) * VGA_COLUMNS; at += VGA_COLUMNS) {
		const u16 *shown = a->shown + n * VGA_COLUMNS + at;
		bool blank = true;
		u32 i = 0;

		for (; i < VGA_COLUMNS && cells[at + i] == shown[i]; i++)
			blank &= (u8)shown[i] == ' ';
		alike += i == VGA_COLUMNS && !blank;
	}
	return alike;
}

static void scroll(struct vga_ansi *a, const u16 *cells)
{
	unsigned best = rows_alike(a, cells, 0);
	u32 by = 0;

	for (u32 n = 1; n < VGA_ROWS; n++) {
		unsigned alike = rows_alike(a, cells, n);

		if (alike > best) {
			best = alike;
			by = n;
		}
	}
	if (!by)
		return;
	set_attr(a, ATTR_NORMAL);
	move(a, VGA_CELLS - VGA_COLUMNS);
	for (u32 i = 0; i < by; i++)
		put(a, '\n');
	memmove(a->shown, a->shown + by * VGA_COLUMNS, (VGA_CELLS - by * VGA_COLUMNS) * sizeof(*cells));
	vga_blank(a->shown + VGA_CELLS - by * VGA_COLUMNS, by * VGA_COLUMNS);
}

static void begin(struct vga_ansi *a)
{
	emit(a, "\033[0m\033[2J\033[1;%ur", VGA_ROWS);
	vga_blank(a->shown, VGA_CELLS);
	a->attr = ATTR_NORMAL;
	a->begun = true;
}

void vga_ansi_update(struct vga_ansi *a, const u16 *cells, u32 cursor)
{
	if (!a->begun)
		begin(a);
	a->at = ~0u; /* others write to the terminal, too */
	scroll(a, cells);
	for (u32 at = 0; at < VGA_CELLS; at += VGA_COLUMNS)
		update_row(a, at, cells + at);
	set_attr(a, ATTR_NORMAL);
	move(a, MIN(cursor, VGA_CELLS - 1));
	flush(a);
}

void vga_ansi_end(struct vga_ansi *a)
{
	if (!a->begun)
		return;
	emit(a, "\033[0m\033[r\033[%u;1H\n", VGA_ROWS);
	a->begun = false;
	flush(a);
}
