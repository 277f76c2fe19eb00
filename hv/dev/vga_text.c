/* A VGA in text mode. Its memory is RAM at A0000h-BFFFFh, so that the guest's writes cost nothing; a timer
 * looks at it for changes while the VM has the host's console. Of the registers only the CRTC's start address
 * and cursor have an effect; the others keep what is written. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "dev/vga_ansi.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/memory.h"
#include "vm/vm.h"

#define SCAN_HZ	    20
#define TEXT_MEMORY 0xB8000ULL
#define TEXT_CELLS  (32 * KiB / 2)

enum { ATTRIBUTE = 0x3C0, MISC_WRITE = 0x3C2, MISC_READ = 0x3CC, STATUS1 = 0x3DA };

enum { CRTC_COLUMNS = 1, CRTC_CURSOR = 10, CRTC_START = 12, CRTC_CURSOR_AT = 14 };
#define CURSOR_OFF BIT(5)

#define GC_MISC	    6
#define GC_GRAPHICS BIT(0)

/* The registers behind an index port and its data port. */
enum bank { SEQUENCER, GRAPHICS, CRTC, ATTR, BANKS };
static const u16 index_port[BANKS] = {0x3C4, 0x3CE, 0x3D4, ATTRIBUTE};

struct vga_text {
	struct vm *vm;
	const u16 *memory; /* the guest's */
	u8 misc, status;
	bool attr_data; /* the attribute controller's port takes data next */
	bool told;	/* that graphics do not show */
	bool hinted;	/* that the screen does not */
	bool shown;	/* a screen of the guest's was */
	bool again;	/* it is to be, as somebody else had the console */
	u8 index[BANKS];
	u8 reg[BANKS][32];
	u32 cursor; /* as shown */
	u16 cells[VGA_CELLS];
	struct vga_ansi ansi;
	struct vtimer timer;
};

static u8 *bank_of(struct vga_text *v, u16 port, enum bank *b)
{
	for (*b = 0; *b < ATTR; ++*b)
		if ((port & ~1) == index_port[*b])
			return port & 1 ? &v->reg[*b][v->index[*b]] : &v->index[*b];
	return NULL;
}

static u32 vga_read(void *dev, u16 port, unsigned size)
{
	struct vga_text *v = dev;
	enum bank b;
	u8 *reg;

	reg = bank_of(v, port, &b);
	if (reg)
		return *reg;
	switch (port) {
	case ATTRIBUTE:
		return v->index[ATTR];
	case ATTRIBUTE + 1:
		return v->reg[ATTR][v->index[ATTR] & 31];
	case MISC_READ:
		return v->misc;
	case STATUS1: /* each look finds the other half of a retrace: who waits for it, gets on */
		v->attr_data = false;
		return v->status ^= 9;
	}
	return 0;
}

static void vga_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct vga_text *v = dev;
	enum bank b;
	u8 *reg;

	reg = bank_of(v, port, &b);
	if (reg) {
		*reg = port & 1 ? (u8)val : val & 31;
	} else if (port == MISC_WRITE) {
		v->misc = (u8)val;
	} else if (port == ATTRIBUTE) {
		if (v->attr_data)
			v->reg[ATTR][v->index[ATTR] & 31] = (u8)val;
		else
			v->index[ATTR] = val & 63;
		v->attr_data = !v->attr_data;
	}
}

static const struct pio_ops ops = {vga_read, vga_write};

static u32 crtc16(const struct vga_text *v, unsigned reg)
{
	return (u32)v->reg[CRTC][reg] << 8 | v->reg[CRTC][reg + 1];
}

/* Takes the screen as it is now into cells. False: as it was. */
static bool look(struct vga_text *v)
{
	u32 start = crtc16(v, CRTC_START), cursor = crtc16(v, CRTC_CURSOR_AT) - start;
	u32 columns = MIN(v->reg[CRTC][CRTC_COLUMNS] + 1u, VGA_COLUMNS);
	u16 changed = 0;

	if (v->reg[GRAPHICS][GC_MISC] & GC_GRAPHICS) {
		if (!v->told)
			printk("\nvm '%s' shows graphics, which stay dark here: it needs a text screen or a "
			       "serial console (GRUB: GRUB_TERMINAL=\"console serial\")\n",
			       v->vm->config->name);
		v->told = true;
		return false;
	}
	if (v->reg[CRTC][CRTC_CURSOR] & CURSOR_OFF || cursor >= columns * VGA_ROWS)
		cursor = VGA_CELLS;
	else
		cursor = cursor / columns * VGA_COLUMNS + cursor % columns;
	for (u32 row = 0; row < VGA_CELLS; row += VGA_COLUMNS, start += columns) {
		u16 *cells = v->cells + row;

		for (u32 i = 0; i < VGA_COLUMNS; i++) {
			u16 cell = i < columns ? v->memory[(start + i) % TEXT_CELLS] : VGA_BLANK;

			changed |= cell ^ cells[i];
			cells[i] = cell;
		}
	}
	if (!changed && cursor == v->cursor && !v->again)
		return false;
	v->cursor = cursor;
	v->again = false;
	return v->shown = true;
}

static void hint(struct vga_text *v)
{
	char text[128];
	int len = ksnprintf(
		text, sizeof(text),
		"\r\npxHV: vm '%s' has a text screen, too: --console vga or console = vga shows it here\r\n",
		v->vm->config->name);

	vm_console_flush(v->vm);
	vm_screen_ansi(v->vm, text, (size_t)len);
	v->hinted = true;
}

static void show(void *dev)
{
	struct vga_text *v = dev;

	if (!look(v))
		return;
	vm_screen_cells(v->vm, v->cells, v->cursor);
	if (!v->vm->own_line)
		vga_ansi_update(&v->ansi, v->cells, v->cursor);
	else if (!v->hinted && v->vm->config->kind != GUEST_FIRMWARE)
		hint(v);
}

static void scan(void *dev, u64 deadline)
{
	struct vga_text *v = dev;

	if (vm_has_console(v->vm))
		show(v);
	else
		v->again = v->shown;
	vtimer_arm(&v->timer, deadline + tsc_hz / SCAN_HZ);
}

static void leave(void *dev)
{
	struct vga_text *v = dev;

	if (vm_has_console(v->vm))
		show(v);
	if (v->shown && vm_has_console(v->vm)) /* what comes is written below */
		vm_screen_cells(v->vm, v->cells, VGA_CELLS - VGA_COLUMNS);
	vga_ansi_end(&v->ansi);
}

static void write_ansi(void *vm, const char *s, size_t len)
{
	vm_screen_ansi(vm, s, len);
}

int vga_text_create(struct vm *vm)
{
	/* Mode 3 as a BIOS leaves it, in what guests look at: text at B8000h, the cursor two lines high. */
	static const u8 crtc[32] = {0x5F, 79, 80, 0x82, 0x55, 0x81, 0xBF, 0x1F, 0,    0x4F, 13,	  14,  0,
				    0,	  0,  0,  0x9C, 0x8E, 0x8F, 40,	  0x1F, 0x96, 0xB9, 0xA3, 0xFF};
	struct vga_text *v;
	u16 *memory;

	if (!vm_has_vga(vm))
		return 0;
	v = vm_zalloc(vm, sizeof(*v));
	memory = guest_ptr(vm, TEXT_MEMORY, TEXT_CELLS * 2);
	if (!v || !memory)
		return -ENOMEM;
	v->vm = vm;
	v->memory = memory;
	vga_blank(memory, TEXT_CELLS);
	vga_blank(v->cells, VGA_CELLS);
	memcpy(v->reg[CRTC], crtc, sizeof(crtc));
	v->reg[GRAPHICS][GC_MISC] = 0x0E;
	v->misc = 0x67;
	v->ansi.write = write_ansi;
	v->ansi.arg = vm;
	vm_screen_register(vm, leave, v);
	vtimer_init(&v->timer, vm_timers(vm), scan, v);
	vtimer_arm(&v->timer, tsc_now() + tsc_hz / SCAN_HZ);
	return bus_add_pio(vm, PORT_VGA, 32, &ops, v, "VGA");
}
