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
	struct pxhv_memory map[8];
};

static int start_flat16(struct vm *vm, struct cpu_state *start)
{
	u64 addr = vm->config->flat_addr;

	start_real_mode(start, 0, addr);
	start->gpr[RDX] = BOOT_DISK;
	start->gpr[RSP] = addr;
	return 0;
}

static int start_flat64(struct vm *vm, struct cpu_state *start, u64 rsdp)
{
	struct boot_page *page = guest_ptr(vm, LOAD_BOOT_INFO, sizeof(*page));
	const char *cmdline = vm->config->cmdline;
	struct mem_region map[ARRAY_SIZE(page->map)];
	int err = start_long_mode(vm, start, vm->config->flat_addr, LOAD_PAGE_TABLES, LOAD_GDT);

	/* A return address of 0, so that the entry may be a C function: that expects RSP 8 below a multiple
	 * of 16. */
	start->gpr[RSP] = LOAD_LOW_END - 8;
	start->gpr[RDI] = LOAD_BOOT_INFO;
	if (err || !page || guest_write(vm, LOAD_CMDLINE, cmdline, strlen(cmdline) + 1) ||
	    guest_zero(vm, start->gpr[RSP], 8))
		return -EFAULT;

	page->info = (struct pxhv_boot_info){
		.magic = PXHV_BOOT_MAGIC,
		.version = PXHV_BOOT_VERSION,
		.tsc_hz = tsc_hz,
		.cmdline = LOAD_CMDLINE,
		.cmdline_len = strlen(cmdline),
		.memory_count = load_e820(vm, map, ARRAY_SIZE(map)),
		.memory = LOAD_BOOT_INFO + offsetof(struct boot_page, map),
		.rsdp = rsdp,
	};
	for (unsigned i = 0; i < page->info.memory_count; i++)
		page->map[i] = (struct pxhv_memory){map[i].base, map[i].size, map[i].type, 0};
	return 0;
}

int load_flat(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	const struct vm_config *c = vm->config;
	u64 addr = c->flat_addr, end = addr + f->image_size;
	bool real = c->flat_bits == 16;
	u64 low_end = real ? LOAD_LOW_END : LOAD_LOW_START;
	u64 rsdp;

	if (vm->memory_size < MiB) {
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
		printk("%s: the image does not fit at 0x%llx: %llu bytes; it may lie below 0x%llx%s\n",
		       c->name, (unsigned long long)addr, (unsigned long long)f->image_size,
		       (unsigned long long)low_end, real ? "" : " or from 1 MiB on");
		return -ENOMEM;
	}
	rsdp = load_acpi(vm, LOAD_ACPI);
	return real ? start_flat16(vm, start) : start_flat64(vm, start, rsdp);
}
