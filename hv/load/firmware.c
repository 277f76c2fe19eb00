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

#define ROM_END	      (4 * GiB)
#define ROM_MAX	      (256 * KiB)
#define SHADOW_END    MiB
#define MEMORY_MIN    (4 * MiB)
#define RESET_CS      0xF000
#define RESET_IP      0xFFF0
#define RSDP_SIZE     36
#define E820_RAM      1
#define E820_RESERVED 2

struct e820_entry {
	u64 base, size;
	u32 type;
} __packed;

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
static const struct loader_allocate table_loader = {LOADER_ALLOCATE, RSDP_FILE, 16, ZONE_FSEG, {0}};

/* What the files of fw_cfg hold that the VM owns. */
struct firmware {
	struct e820_entry e820[3];
	u8 rsdp[RSDP_SIZE];
};

/* The tables lie at the end of the RAM below 4 GiB, where the map below reserves them. */
static int make_tables(struct vm *vm, struct firmware *fw)
{
	u64 low = MIN(vm->memory_size, GUEST_HOLE_START), tables = low - LOAD_ACPI_SIZE;

	fw->e820[0] = (struct e820_entry){0, tables, E820_RAM};
	fw->e820[1] = (struct e820_entry){tables, LOAD_ACPI_SIZE, E820_RESERVED};
	fw->e820[2] = (struct e820_entry){4 * GiB, vm->memory_size - low, E820_RAM};
	return load_acpi(vm, tables) ? guest_read(vm, tables, fw->rsdp, RSDP_SIZE) : -EFAULT;
}

static int make_fw_cfg(struct vm *vm, const struct guest_files *f)
{
	struct firmware *fw = vm_zalloc(vm, sizeof(*fw));
	unsigned n = 3;
	struct fw_cfg_file file[FW_CFG_FILES] = {
		{"etc/table-loader", &table_loader, sizeof(table_loader)},
	};
	int err = fw ? make_tables(vm, fw) : -ENOMEM;

	if (err)
		return err;
	file[1] = (struct fw_cfg_file){RSDP_FILE, fw->rsdp, RSDP_SIZE};
	file[2] = (struct fw_cfg_file){"etc/e820", fw->e820,
				       (fw->e820[2].size ? 3 : 2) * sizeof(struct e820_entry)};
	if (f->vgabios)
		file[n++] = (struct fw_cfg_file){"vgaroms/vga.rom", f->vgabios, (u32)f->vgabios_size};
	if (f->floppy)
		file[n++] = (struct fw_cfg_file){"floppyimg/a.img", f->floppy, (u32)f->floppy_size};
	return fw_cfg_create(vm, file, n);
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
