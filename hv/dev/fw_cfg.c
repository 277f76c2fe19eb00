/* The firmware's configuration device: a selector, and the selected item's bytes one at a time or by DMA. */

#include "dev/fw_cfg.h"

#include "dev/machine.h"
#include "lib/errno.h"
#include "lib/math.h"
#include "lib/string.h"
#include "vm/bus.h"
#include "vm/memory.h"
#include "vm/vm.h"

#define DATA	(PORT_FW_CFG + 1)
#define DMA	(PORT_FW_CFG + 4)
#define DMA_LOW (DMA + 4)

enum {
	KEY_SIGNATURE = 0,
	KEY_ID = 1,
	KEY_CPUS = 5,
	KEY_MAX_CPUS = 0x0F,
	KEY_DIRECTORY = 0x19,
	KEY_FILES = 0x20
};
enum { KEY_IRQ0_OVERRIDE = 0x8002 };

#define ID_FEATURES 3 /* the selector and data ports, and DMA */

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };
#define DMA_PADDING (64 * KiB) /* zeros that one command may have from beyond an item's end */

struct dma_command { /* all big-endian */
	u32 control, length;
	u64 address;
} __packed;

struct directory {
	u32 count; /* big-endian, as all here */
	struct {
		u32 size;
		u16 key, reserved;
		char name[56];
	} file[FW_CFG_FILES];
} __packed;

struct fw_cfg {
	struct vm *vm;
	const u8 *item; /* the selected one */
	u32 size, offset;
	u32 dma_high; /* as the guest wrote it */
	u32 number;   /* an item that is a number */
	const void *data[FW_CFG_FILES];
	struct directory dir;
};

/* A key that nobody knows is an empty item. */
static void select_item(struct fw_cfg *f, u16 key)
{
	static const u8 signature[4] = "QEMU";
	u32 i = key - KEY_FILES;

	f->item = (const u8 *)&f->number;
	f->size = sizeof(f->number);
	f->offset = 0;
	f->number = 0;
	if (key == KEY_SIGNATURE) {
		f->item = signature;
	} else if (key == KEY_DIRECTORY) {
		f->item = (const u8 *)&f->dir;
		f->size = sizeof(f->dir);
	} else if (i < __builtin_bswap32(f->dir.count)) {
		f->item = f->data[i];
		f->size = __builtin_bswap32(f->dir.file[i].size);
	} else if (key == KEY_ID) {
		f->number = ID_FEATURES;
	} else if (key == KEY_CPUS || key == KEY_MAX_CPUS) {
		f->number = f->vm->vcpu_count;
	} else if (key == KEY_IRQ0_OVERRIDE) {
		f->number = 1; /* the PIT is on IOAPIC pin 2 */
	}
}

/* Zeros come after an item's end. */
static int read_item(struct fw_cfg *f, u64 gpa, u32 len)
{
	u32 n = MIN(len, f->size - f->offset);
	int err = guest_write(f->vm, gpa, f->item + f->offset, n);

	f->offset += n;
	if (err || len - n > DMA_PADDING)
		return -EINVAL;
	return guest_zero(f->vm, gpa + n, len - n);
}

static u32 do_command(struct fw_cfg *f, const struct dma_command *c)
{
	u32 control = __builtin_bswap32(c->control), len = __builtin_bswap32(c->length);

	if (control & DMA_SELECT)
		select_item(f, control >> 16);
	if (control & DMA_READ)
		return read_item(f, __builtin_bswap64(c->address), len) ? DMA_ERROR : 0;
	if (control & DMA_SKIP)
		f->offset += MIN(len, f->size - f->offset);
	return control & DMA_WRITE ? DMA_ERROR : 0; /* nothing here can be written */
}

static void dma(struct fw_cfg *f, u64 gpa)
{
	struct dma_command c;
	u32 result;

	if (guest_read(f->vm, gpa, &c, sizeof(c)))
		return; /* there is nowhere to tell that */
	result = __builtin_bswap32(do_command(f, &c));
	guest_write(f->vm, gpa, &result, sizeof(result));
}

/* The DMA register reads as "QEMU CFG". */
static u32 fw_cfg_read(void *dev, u16 port, unsigned size)
{
	static const u8 signature[8] = "QEMU CFG";
	struct fw_cfg *f = dev;
	u32 val = 0;

	if (port == DATA && size == 1)
		return f->offset < f->size ? f->item[f->offset++] : 0;
	if (port >= DMA)
		memcpy(&val, &signature[port - DMA], size);
	return val;
}

static void fw_cfg_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct fw_cfg *f = dev;

	if (port == PORT_FW_CFG && size == 2)
		select_item(f, (u16)val);
	else if (port == DMA && size == 4)
		f->dma_high = val;
	else if (port == DMA_LOW && size == 4)
		dma(f, __builtin_bswap64((u64)val << 32 | f->dma_high));
}

static const struct pio_ops ops = {fw_cfg_read, fw_cfg_write};

int fw_cfg_create(struct vm *vm, struct fw_cfg **out)
{
	struct fw_cfg *f = *out = vm_zalloc(vm, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->vm = vm;
	select_item(f, KEY_SIGNATURE);
	err = bus_add_wide_pio(vm, PORT_FW_CFG, 2, &ops, f, "fw_cfg");
	return err ? err : bus_add_wide_pio(vm, DMA, 8, &ops, f, "fw_cfg DMA");
}

void fw_cfg_add(struct fw_cfg *f, const char *name, const void *data, u32 size)
{
	u32 n = __builtin_bswap32(f->dir.count);

	if (!data)
		return;
	f->dir.count = __builtin_bswap32(n + 1);
	f->data[n] = data;
	f->dir.file[n].size = __builtin_bswap32(size);
	f->dir.file[n].key = __builtin_bswap16((u16)(KEY_FILES + n));
	memcpy(f->dir.file[n].name, name, strlen(name));
}
