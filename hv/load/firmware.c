/* Starts a PC firmware (SeaBIOS) at the reset vector. What it must know of the machine it reads from fw_cfg.
 */
#include "dev/fw_cfg.h"
#include "host/memmap.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

#define ROM_END	   (4 * GiB)
#define ROM_MAX	   (256 * KiB)
#define SHADOW_END MiB
#define MEMORY_MIN (4 * MiB)
#define RESET_CS   0xF000
#define RESET_IP   0xFFF0
#define RSDP_SIZE  20

/* A command of etc/table-loader (QEMU hw/acpi/bios-linker-loader.c): copy a file to the F segment, which is
 * where guests look for the RSDP. */
struct loader_allocate {
	u32 command;
	char file[56];
	u32 align;
	u8 zone;
	u8 pad[128 - 65];
} __packed;
enum { LOADER_ALLOCATE = 1, ZONE_FSEG = 2 };

#define RSDP_FILE "etc/acpi/rsdp"

/* What the files of fw_cfg hold that the VM owns. */
struct firmware {
	struct loader_allocate loader;
	struct mem_region e820[3];
	u8 rsdp[RSDP_SIZE];
};

/* The tables lie at the end of the RAM below 4 GiB, where the map below reserves them. */
static int make_tables(struct vm *vm, struct firmware *fw)
{
	u64 low = MIN(vm->memory_size, GUEST_HOLE_START), tables = low - LOAD_ACPI_SIZE;

	fw->e820[0] = (struct mem_region){0, tables, MEM_RAM};
	fw->e820[1] = (struct mem_region){tables, LOAD_ACPI_SIZE, MEM_RESERVED};
	fw->e820[2] = (struct mem_region){4 * GiB, vm->memory_size - low, MEM_RAM};
	fw->loader.command = LOADER_ALLOCATE;
	memcpy(fw->loader.file, RSDP_FILE, sizeof(RSDP_FILE));
	fw->loader.align = 16;
	fw->loader.zone = ZONE_FSEG;
	return load_acpi(vm, tables) ? guest_read(vm, tables, fw->rsdp, RSDP_SIZE) : -EFAULT;
}

static int make_fw_cfg(struct vm *vm, const struct guest_files *f)
{
	struct firmware *fw = vm_zalloc(vm, sizeof(*fw));
	struct fw_cfg *cfg;
	int err = fw ? make_tables(vm, fw) : -ENOMEM;

	if (!err)
		err = fw_cfg_create(vm, &cfg);
	if (err)
		return err;
	fw_cfg_add(cfg, "etc/table-loader", &fw->loader, sizeof(fw->loader));
	fw_cfg_add(cfg, RSDP_FILE, fw->rsdp, RSDP_SIZE);
	fw_cfg_add(cfg, "etc/e820", fw->e820, sizeof(fw->e820[0]) * (fw->e820[2].size ? 3 : 2));
	fw_cfg_add(cfg, "vgaroms/vga.rom", f->vgabios, (u32)f->vgabios_size);
	fw_cfg_add(cfg, "floppyimg/a.img", f->floppy, (u32)f->floppy_size);
	return 0;
}

int load_firmware(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	const char *name = vm->config->name;
	u64 size = f->image_size;
	int err;

	if (!size || size > ROM_MAX || size % (64 * KiB)) {
		printk("%s: '%s' has %llu bytes; a PC firmware has 64, 128, 192 or 256 KiB\n", name,
		       vm->config->image, (unsigned long long)size);
		return -ENOEXEC;
	}
	if (vm->memory_size < MEMORY_MIN) {
		printk("%s: a firmware guest needs 4 MiB of memory\n", name);
		return -ENOMEM;
	}
	/* The ROM below 4 GiB has the reset vector; the firmware runs from a copy in the RAM below 1 MiB,
	 * which a PC's chipset would make it unlock first. */
	err = vm_memory_rom(vm, ROM_END - size, f->image, size);
	if (!err)
		err = guest_write(vm, SHADOW_END - size, f->image, size);
	if (!err)
		err = make_fw_cfg(vm, f);
	if (err) {
		printk("%s: the firmware could not be set up (error %d)\n", name, -err);
		return err;
	}
	start_real_mode(start, RESET_CS, RESET_IP);
	start->seg[SEG_CS].base = ROM_END - 64 * KiB;
	return 0;
}
