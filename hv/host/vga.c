#include "host/vga.h"

#include "host/cpu.h"
#include "lib/string.h"

#define COLUMNS	     80
#define ROWS	     25
#define CELLS	     (COLUMNS * ROWS)
#define BLANK	     0x0720 /* a space, light grey on black */
#define FRAME_BUFFER ((volatile u64 *)0xB8000)
#define WORDS	     (COLUMNS / 4) /* of a row */
/* What has left the screen stays in the frame buffer behind it. */
#define PAST_ROWS   (0x8000 / 2 / COLUMNS - ROWS)
#define CRTC_INDEX  0x3D4
#define CRTC_DATA   0x3D5
#define CURSOR_HIGH 0x0E
#define CURSOR_LOW  0x0F
#define GC_INDEX    0x3CE
#define GC_MISC	    6
#define GC_DATA	    0x3CF

static struct {
	bool present;
	bool picture; /* of the guest's: nothing has been written since */
	u32 pos;      /* the cursor's cell */
	u32 past;     /* rows that have left the screen */
	u32 back;     /* rows that one looks back */
	enum { TEXT, ESCAPE, SEQUENCE } state;
	u32 args[2], nargs;
	u16 cells[CELLS] __aligned(8); /* what the screen shows: reading it back is slow on real PCs */
} vga;

static u8 crtc_read(u8 reg)
{
	outb(CRTC_INDEX, reg);
	return inb(CRTC_DATA);
}

static void crtc_write(u8 reg, u8 val)
{
	outw(CRTC_INDEX, (u16)(val << 8 | reg));
}

static void show(u32 from, u32 to)
{
	const u64 *cells = (const u64 *)vga.cells;

	for (u32 i = from / 4; i < (to + 3) / 4; i++)
		FRAME_BUFFER[i] = cells[i];
}

static void show_cursor(u32 pos)
{
	crtc_write(CURSOR_HIGH, (u8)(pos >> 8));
	crtc_write(CURSOR_LOW, (u8)pos);
}

static volatile u64 *past_row(u32 n)
{
	return FRAME_BUFFER + (ROWS + n % PAST_ROWS) * WORDS;
}

/* Shows the present again. */
static void look_ahead(void)
{
	if (vga.back)
		show(0, CELLS);
	vga.back = 0;
}

bool vga_look_back(int pages)
{
	const u64 *cells = (const u64 *)vga.cells;
	int back = (int)vga.back + pages * (ROWS - 1);

	if (!vga.present || vga.picture)
		return false;
	vga.back = MIN((u32)MAX(back, 0), MIN(vga.past, PAST_ROWS));
	for (u32 row = 0; row < ROWS; row++)
		for (u32 i = 0; i < WORDS; i++)
			FRAME_BUFFER[row * WORDS + i] = row < vga.back
								? past_row(vga.past - vga.back + row)[i]
								: cells[(row - vga.back) * WORDS + i];
	show_cursor(vga.pos + vga.back * COLUMNS); /* further down is out of sight */
	return true;
}

static void blank(u32 from, u32 to)
{
	for (; from < to; from++)
		vga.cells[from] = BLANK;
}

void vga_init(void)
{
	u8 low = crtc_read(CURSOR_LOW), probe = low ^ 0xFF;
	u32 pos;

	crtc_write(CURSOR_LOW, probe);
	if (crtc_read(CURSOR_LOW) != probe)
		return;
	crtc_write(CURSOR_LOW, low);
	outb(GC_INDEX, GC_MISC);
	if ((inb(GC_DATA) & 0x0D) != 0x0C) /* text, memory at B8000h */
		return;
	for (u32 i = 0; i < CELLS / 4; i++)
		((u64 *)vga.cells)[i] = FRAME_BUFFER[i];
	pos = (u32)crtc_read(CURSOR_HIGH) << 8 | low;
	vga.pos = MIN(pos, CELLS - 1);
	vga.present = true;
}

void vga_cells(const u16 *cells, u32 cursor)
{
	if (!vga.present)
		return;
	vga.picture = true;
	vga.back = 0;
	memcpy(vga.cells, cells, sizeof(vga.cells));
	show(0, CELLS);
	show_cursor(cursor);
	vga.pos = MIN(cursor, CELLS - 1);
}

static void scroll(void)
{
	volatile u64 *past = past_row(vga.past++);

	for (u32 i = 0; i < WORDS; i++)
		past[i] = ((const u64 *)vga.cells)[i];
	memmove(vga.cells, vga.cells + COLUMNS, (CELLS - COLUMNS) * sizeof(vga.cells[0]));
	blank(CELLS - COLUMNS, CELLS);
	vga.pos -= COLUMNS;
}

static void erase(u32 from, u32 to)
{
	blank(from, to);
	show(from, to);
}

/* The end of ESC [ args c, SEQUENCE state. */
static void control_sequence(char c)
{
	u32 n = MAX(vga.args[0], 1), pos = vga.pos, column = pos % COLUMNS, row = pos / COLUMNS;

	switch (c) {
	case 'A':
		pos -= MIN(n, row) * COLUMNS;
		break;
	case 'B':
		pos += MIN(n, ROWS - 1 - row) * COLUMNS;
		break;
	case 'C':
		pos += MIN(n, COLUMNS - 1 - column);
		break;
	case 'D':
		pos -= MIN(n, column);
		break;
	case 'H':
		pos = (MIN(n, ROWS) - 1) * COLUMNS + MIN(MAX(vga.args[1], 1), COLUMNS) - 1;
		break;
	case 'J':
		erase(vga.args[0] == 2 ? 0 : pos, CELLS);
		break;
	case 'K':
		erase(pos, pos - column + COLUMNS);
		break;
	}
	vga.pos = pos;
}

/* True while c belongs to an escape sequence. */
static bool escape(char c)
{
	if (vga.state == TEXT) {
		vga.state = c == 27 ? ESCAPE : TEXT;
		return c == 27;
	}
	if (vga.state == ESCAPE) {
		vga.state = c == '[' ? SEQUENCE : TEXT;
		vga.nargs = vga.args[0] = vga.args[1] = 0;
	} else if (c >= '0' && c <= '9' && vga.nargs < ARRAY_SIZE(vga.args)) {
		vga.args[vga.nargs] = MIN(vga.args[vga.nargs] * 10 + (u32)(c - '0'), 1000);
	} else if (c == ';') {
		vga.nargs++;
	} else if (c >= '@') {
		vga.state = TEXT;
		control_sequence(c);
	}
	return true;
}

void vga_write(const char *s, size_t len)
{
	u32 first = CELLS, last = 0; /* cells to show at the end */

	if (!vga.present)
		return;
	vga.picture = false;
	look_ahead();
	for (; len--; s++) {
		u8 c = (u8)*s;

		if (escape((char)c))
			continue;
		if (c == '\r') {
			vga.pos -= vga.pos % COLUMNS;
		} else if (c == '\b') {
			vga.pos -= vga.pos % COLUMNS != 0;
		} else if (c == '\t') {
			vga.pos += 8 - vga.pos % 8;
		} else if (c == '\n') {
			vga.pos += COLUMNS - vga.pos % COLUMNS;
		} else if (c >= ' ' && c != 0x7F) {
			vga.cells[vga.pos] = 0x0700 | c;
			first = MIN(first, vga.pos);
			last = MAX(last, vga.pos + 1);
			vga.pos++;
		}
		if (vga.pos >= CELLS) {
			scroll();
			first = 0;
			last = CELLS;
		}
	}
	if (first < last)
		show(first, last);
	show_cursor(vga.pos);
}
