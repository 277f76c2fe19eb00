/* Starts what Multiboot 1 loaders start: an ELF file, or any file whose Multiboot header says where it goes,
 * with modules, memory map and command line (Multiboot Specification 0.6.96, chapter 3). ELF files without a
 * Multiboot header are entered by their PVH note (Xen docs/misc/pvh.pandoc), or in long mode when they are
 * 64-bit. */
#include "host/memmap.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/elf.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

#define HEADER_MAGIC  0x1BADB002U
#define HEADER2_MAGIC 0xE85250D6U
#define HEADER_SEARCH 8192
#define LOADER_MAGIC  0x2BADB002U
#define PVH_MAGIC     0x336EC578U

enum { /* flags of the header */
       HEADER_VIDEO = 1 << 2,
       HEADER_ADDRESSES = 1 << 16,
       HEADER_UNKNOWN = 0xFFF8, /* requirements that the specification does not know */
       /* flags of the information */
       INFO_MEMORY = 1 << 0,
       INFO_CMDLINE = 1 << 2,
       INFO_MODULES = 1 << 3,
       INFO_MEMORY_MAP = 1 << 6,
       INFO_LOADER_NAME = 1 << 9,
};

struct header {
	u32 magic, flags, checksum, header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};

struct mb_info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length,
		mmap_addr;
	u32 drives_length, drives_addr, config_table, boot_loader_name, rest[12];
};

struct mb_map {
	u32 size; /* of what follows */
	u64 base, length;
	u32 type;
} __packed;

struct pvh_info {
	u32 magic, version, flags, modules;
	u64 module_list, cmdline, rsdp, map;
	u32 map_entries, reserved;
};

struct pvh_module {
	u64 addr, size, cmdline, reserved;
};

struct pvh_map {
	u64 base, size;
	u32 type, reserved;
};

/* What both protocols tell the guest, in the one page at LOAD_BOOT_INFO. */
struct page {
	struct mb_info mb;
	struct mb_map map[LOAD_E820_MAX];
	struct {
		u32 start, end, string, reserved;
	} module[MODULES_MAX + 1];
	struct pvh_info pvh;
	struct pvh_map pvh_map[LOAD_E820_MAX];
	struct pvh_module pvh_module[MODULES_MAX + 1];
	char loader[8];
	char string[MODULES_MAX + 1][CONFIG_PATH_MAX];
};
_Static_assert(sizeof(struct page) <= PAGE_SIZE, "the boot information is a page");
_Static_assert(CONFIG_PATH_MAX + CONFIG_CMDLINE_MAX <= PAGE_SIZE, "so is the command line");

#define AT(member) ((u32)(LOAD_BOOT_INFO + offsetof(struct page, member)))

/* The header's offset in the file, or -1. *h gets as much of it as there is. */
static s64 find_header(const struct guest_files *f, struct header *h)
{
	u64 end = MIN(f->image_size, (u64)HEADER_SEARCH);

	for (u64 at = 0; at + 12 <= end; at += 4) {
		memset(h, 0, sizeof(*h));
		memcpy(h, f->image + at, MIN(sizeof(*h), f->image_size - at));
		if (h->magic == HEADER_MAGIC && h->magic + h->flags + h->checksum == 0)
			return (s64)at;
	}
	return -1;
}

/* What is wrong with the header, of a file that seems to have one. */
static const char *header_mistake(const struct guest_files *f)
{
	for (u64 at = 0; at + 12 <= f->image_size; at++) {
		u32 magic;

		memcpy(&magic, f->image + at, sizeof(magic));
		if (magic == HEADER2_MAGIC)
			return "has a Multiboot 2 header; pxHV knows Multiboot 1";
		if (magic == HEADER_MAGIC)
			return at % 4 || at + 12 > HEADER_SEARCH
				       ? "has its Multiboot header behind the first 8 KiB, or not at a "
					 "multiple of 4"
				       : "has a Multiboot header with a wrong checksum";
	}
	return "has neither a Multiboot header nor a PVH note";
}

/* The file goes where the header says. */
static int load_by_header(struct vm *vm, const struct guest_files *f, const struct header *h, u64 at,
			  struct elf *e, const char **why)
{
	u64 before = h->header_addr - h->load_addr, offset = at - before, len, bss;

	*why = "has a Multiboot header whose addresses contradict each other";
	if (h->header_addr < h->load_addr || before > at ||
	    (h->load_end_addr && h->load_end_addr < h->load_addr))
		return -ENOEXEC;
	len = h->load_end_addr ? h->load_end_addr - h->load_addr : f->image_size - offset;
	bss = h->bss_end_addr ? h->bss_end_addr : h->load_addr + len;
	if (len > f->image_size - offset || bss < h->load_addr + len)
		return -ENOEXEC;
	*why = elf_no_room;
	*e = (struct elf){.entry = h->entry_addr, .start = h->load_addr, .end = bss};
	return load_segment(vm, h->load_addr, f->image + offset, len, bss - h->load_addr);
}

/* Puts a module behind what is there, and both lists' lines for it. */
static int add_module(struct vm *vm, struct page *p, const u8 *data, u64 size, const char *string, u64 *end)
{
	u32 n = p->mb.mods_count;
	u64 at = MAX(ALIGN_UP(*end, PAGE_SIZE), MiB); /* there is little room below */

	if (load_segment(vm, at, data, size, size)) {
		printk("%s: no room for module '%s' (%llu KiB) at %llu MiB; give the VM more memory\n",
		       vm->config->name, string, (unsigned long long)(size / KiB),
		       (unsigned long long)(at / MiB));
		return -ENOMEM;
	}
	memcpy(p->string[n], string, MIN(strlen(string), sizeof(p->string[n]) - 1));
	p->module[n].start = (u32)at;
	p->module[n].end = (u32)(at + size);
	p->module[n].string = AT(string[n]);
	p->pvh_module[n] = (struct pvh_module){at, size, AT(string[n]), 0};
	p->mb.mods_count = n + 1;
	*end = at + size;
	return 0;
}

static int fill_page(struct vm *vm, struct page *p, const struct guest_files *f, u64 end)
{
	const struct vm_config *c = vm->config;
	unsigned entries;

	memset(p, 0, sizeof(*p));
	if (f->initrd_size && add_module(vm, p, f->initrd, f->initrd_size, c->initrd, &end))
		return -ENOMEM;
	for (u32 i = 0; i < c->module_count; i++)
		if (add_module(vm, p, f->module[i].data, f->module[i].size, c->modules[i], &end))
			return -ENOMEM;
	load_e820(vm, &p->map[0].base, sizeof(p->map[0]));
	entries = load_e820(vm, p->pvh_map, sizeof(p->pvh_map[0]));
	for (unsigned i = 0; i < entries; i++)
		p->map[i].size = sizeof(p->map[i]) - sizeof(p->map[i].size);
	p->mb.mmap_length = entries * sizeof(p->map[0]);
	p->pvh.map_entries = entries;
	memcpy(p->loader, "pxHV", 5);
	p->mb.flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME;
	p->mb.mem_lower = LOAD_LOW_END / KiB;
	p->mb.mem_upper = (u32)((MIN(vm->memory_size, GUEST_HOLE_START) - MiB) / KiB);
	p->mb.cmdline = LOAD_CMDLINE;
	p->mb.mods_addr = AT(module);
	p->mb.mmap_addr = AT(map);
	p->mb.boot_loader_name = AT(loader);
	p->pvh.magic = PVH_MAGIC;
	p->pvh.version = 1;
	p->pvh.modules = p->mb.mods_count;
	p->pvh.module_list = AT(pvh_module);
	p->pvh.cmdline = LOAD_CMDLINE;
	p->pvh.map = AT(pvh_map);
	p->pvh.rsdp = load_acpi(vm, LOAD_ACPI);
	return 0;
}

static int load_image(struct vm *vm, const struct guest_files *f, struct elf *e, bool *multiboot,
		      const char **why)
{
	struct header h;
	s64 at = find_header(f, &h);
	int err;

	*multiboot = at >= 0;
	*why = "demands by its Multiboot header (flags bits 3-15) what no specification knows";
	if (*multiboot && (h.flags & HEADER_UNKNOWN))
		return -ENOEXEC;
	if (*multiboot && (h.flags & HEADER_ADDRESSES))
		return load_by_header(vm, f, &h, (u64)at, e, why);
	err = elf_open(e, f->image, f->image_size, why);
	return err ? err : elf_load(vm, e, why);
}

int load_multiboot(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	struct load_area *area = vm->memory_size > MiB ? load_area(vm) : NULL;
	const struct vm_config *c = vm->config;
	const char *why = "needs more than 1 MiB of memory";
	bool multiboot = false;
	struct elf e = {0};
	u32 pvh = 0;
	int err = area ? load_image(vm, f, &e, &multiboot, &why) : -ENOMEM;

	if (!err && !multiboot) {
		pvh = elf_pvh_entry(&e);
		if (!pvh && !e.wide) {
			why = header_mistake(f);
			err = -ENOEXEC;
		}
	}
	if (err) {
		printk("%s: '%s' %s", c->name, c->image, why);
		if (why == elf_no_room)
			printk(": %llx-%llx", (unsigned long long)e.start, (unsigned long long)e.end - 1);
		printk("\n");
		return err;
	}
	err = fill_page(vm, (struct page *)area->boot_info, f, e.end);
	if (err)
		return err;
	vm->debug64 = e.wide;
	/* Multiboot's command line begins with the kernel's name, PVH's does not. */
	ksnprintf(area->cmdline, sizeof(area->cmdline), "%s%s%s", pvh ? "" : c->image,
		  pvh || !c->cmdline[0] ? "" : " ", c->cmdline);
	if (multiboot || pvh)
		start_protected_mode(area, start, pvh ? pvh : (u32)e.entry);
	else
		start_long_mode(area, start, e.entry);
	start->gpr[RAX] = LOADER_MAGIC;
	start->gpr[RBX] = pvh ? AT(pvh) : AT(mb);
	start->gpr[RDI] = start->gpr[RBX]; /* for a 64-bit entry that is a C function */
	start->gpr[RSP] = LOAD_LOW_START - 8;
	return 0;
}
