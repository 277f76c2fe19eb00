/* Starts a flat image: bytes at an address, entered in real mode or in long mode. */
#include "guest/pxhv.h"
#include "host/memmap.h"
#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

#define BOOT_DISK 0x80 /* what a BIOS leaves in DL */

/* The boot information with its memory map behind it, in one page. */
struct boot_page {
	struct pxhv_boot_info info;
	struct pxhv_memory map[LOAD_E820_MAX];
};

static void start_flat16(struct cpu_state *start, u64 addr)
{
	start_real_mode(start, 0, (u16)addr);
	start->gpr[RDX] = BOOT_DISK;
	start->gpr[RSP] = addr;
}

static void start_flat64(struct vm *vm, struct load_area *area, struct cpu_state *start, u64 addr)
{
	struct boot_page *page = (struct boot_page *)area->boot_info;
	const char *cmdline = vm->config->cmdline;

	start_long_mode(area, start, addr);
	/* A return address of 0, so that the entry may be a C function: that expects RSP 8 below a multiple
	 * of 16. */
	area->stack[5][511] = 0;
	start->gpr[RSP] = LOAD_LOW_END - 8;
	start->gpr[RDI] = LOAD_BOOT_INFO;

	memset(page, 0, sizeof(*page));
	page->info.magic = PXHV_BOOT_MAGIC;
	page->info.version = PXHV_BOOT_VERSION;
	page->info.tsc_hz = tsc_hz;
	page->info.cmdline = LOAD_CMDLINE;
	page->info.cmdline_len = (u32)strlen(cmdline);
	memcpy(area->cmdline, cmdline, page->info.cmdline_len + 1);
	page->info.memory_count = load_e820(vm, page->map, sizeof(page->map[0]));
	page->info.memory = LOAD_BOOT_INFO + offsetof(struct boot_page, map);
	page->info.rsdp = load_acpi(vm, LOAD_ACPI);
}

int load_flat(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	const struct vm_config *c = vm->config;
	u64 addr = c->flat_addr, end = addr + f->image_size;
	bool real = c->flat_bits == 16;
	u64 low_end = real ? LOAD_LOW_END : LOAD_LOW_START;
	struct load_area *area = load_area(vm);

	if (!area || vm->memory_size < MiB) {
		printk("%s: a flat guest needs 1 MiB of memory, the VM has %llu KiB\n", c->name,
		       (unsigned long long)(vm->memory_size / KiB));
		return -ENOMEM;
	}
	if (real && addr > 0xFFFF) {
		printk("%s: a 16-bit image starts at segment 0, so its address must be below 0x10000, not "
		       "0x%llx\n",
		       c->name, (unsigned long long)addr);
		return -EINVAL;
	}
	if (real && load_no_bios(vm)) /* before the image, which may lie there */
		return -EFAULT;
	if (end < addr || (addr < MiB && end > low_end) || guest_write(vm, addr, f->image, f->image_size)) {
		printk("%s: the image does not fit at 0x%llx: %llu bytes; it may lie below 0x%llx", c->name,
		       (unsigned long long)addr, (unsigned long long)f->image_size,
		       (unsigned long long)low_end);
		printk(real ? "\n" : " or from 1 MiB on, and the memory ends at %llu MiB\n",
		       (unsigned long long)(vm->memory_size / MiB));
		return -ENOMEM;
	}
	if (real) {
		load_acpi(vm, LOAD_ACPI);
		start_flat16(start, addr);
	} else {
		start_flat64(vm, area, start, addr);
	}
	return 0;
}
