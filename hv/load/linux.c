/* Starts a bzImage by the 64-bit boot protocol (Linux Documentation/arch/x86/boot.rst): the real-mode part of
 * the file is skipped, its setup header goes into a zero page, and the CPU enters the kernel in long mode. */
#include "host/cpu.h"
#include "host/memmap.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

/* The setup header, from offset 1F1h of the file. */
struct setup_header {
	u8 setup_sects;
	u16 root_flags;
	u32 syssize; /* of the protected-mode part, in 16-byte units */
	u16 ram_size, vid_mode, root_dev, boot_flag;
	u8 jump, header_length; /* of what follows offset 202h */
	u32 header;
	u16 version;
	u32 realmode_switch;
	u16 start_sys_seg, kernel_version;
	u8 type_of_loader, loadflags;
	u16 setup_move_size;
	u32 code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
	u16 heap_end_ptr;
	u8 ext_loader_ver, ext_loader_type;
	u32 cmd_line_ptr, initrd_addr_max, kernel_alignment;
	u8 relocatable_kernel, min_alignment;
	u16 xloadflags;
	u32 cmdline_size, hardware_subarch;
	u64 hardware_subarch_data;
	u32 payload_offset, payload_length;
	u64 setup_data, pref_address;
	u32 init_size;
} __packed;

/* struct boot_params: what we fill of the zero page (Linux zero-page.rst). */
struct boot_params {
	u8 orig_x, orig_y;
	u8 pad_02[2];
	u16 orig_video_page;
	u8 orig_video_mode, orig_video_cols;
	u8 pad_08[6];
	u8 orig_video_lines, orig_video_is_vga;
	u16 orig_video_points;
	u8 pad_12[0x70 - 0x12];
	u64 acpi_rsdp_addr;
	u8 pad_78[0x1E8 - 0x78];
	u8 e820_entries;
	u8 pad_1e9[0x1F1 - 0x1E9];
	struct setup_header hdr;
	u8 pad_hdr[0x2D0 - 0x1F1 - sizeof(struct setup_header)];
	struct mem_region e820[128];
	u8 pad_end[0x1000 - 0x2D0 - 128 * sizeof(struct mem_region)];
} __packed;
_Static_assert(sizeof(struct boot_params) == 4096, "the zero page is a page");
_Static_assert(offsetof(struct setup_header, init_size) == 0x260 - 0x1F1, "setup header");

#define HEADER_AT     0x1F1
#define HEADER_MAGIC  0x53726448 /* "HdrS" */
#define HEADER_END    0x290	 /* the zero page uses what comes after */
#define ENTRY_64      0x200	 /* startup_64, from where the kernel is loaded */
#define XLF_KERNEL_64 0x01
#define LOADER_OTHER  0xFF

static u64 mib_up(u64 bytes)
{
	return (bytes + MiB - 1) / MiB;
}

/* Says what is wrong with the image; 0 when nothing is. *payload is the offset of the protected-mode part. */
static int check_image(const char *name, const struct guest_files *f, u64 *payload)
{
	const struct setup_header *h = (const void *)(f->image + HEADER_AT);

	if (f->image_size < HEADER_END || h->boot_flag != 0xAA55 || h->header != HEADER_MAGIC) {
		printk("%s: not a Linux kernel (no bzImage header); the kernel file is the vmlinuz, not the "
		       "vmlinux\n",
		       name);
		return -ENOEXEC;
	}
	if (h->version < 0x20C || !(h->xloadflags & XLF_KERNEL_64)) {
		printk("%s: the kernel cannot be entered in 64-bit mode (boot protocol %u.%u%s); pxHV needs "
		       "an x86-64 kernel, "
		       "3.8 or later\n",
		       name, h->version >> 8, h->version & 0xFF,
		       h->version < 0x20C ? "" : ", XLF_KERNEL_64 clear");
		return -ENOEXEC;
	}
	*payload = ((h->setup_sects ? h->setup_sects : 4) + 1) * 512;
	if (f->image_size < *payload + h->syssize * 16ULL) {
		printk("%s: the file is cut short: it has %llu bytes, its header speaks of %llu\n", name,
		       (unsigned long long)f->image_size,
		       (unsigned long long)(*payload + h->syssize * 16ULL));
		return -ENOEXEC;
	}
	return 0;
}

/* The initrd's place: as high as the kernel and memory allow, page-aligned. 0 when there is none or no room,
 * which *err tells apart. */
static u64 place_initrd(const char *name, const struct setup_header *h, u64 size, u64 kernel_end, u64 ram_end,
			int *err)
{
	u64 top = MIN(ram_end, h->initrd_addr_max + 1ULL);

	*err = 0;
	if (!size)
		return 0;
	if (size <= top && ALIGN_DOWN(top - size, PAGE_SIZE) >= kernel_end)
		return ALIGN_DOWN(top - size, PAGE_SIZE);
	printk("%s: no room for the initrd (%llu MiB) beside the kernel, which takes memory up to %llu MiB "
	       "of %llu; give "
	       "the VM more memory\n",
	       name, (unsigned long long)mib_up(size), (unsigned long long)mib_up(kernel_end),
	       (unsigned long long)(top / MiB));
	*err = -ENOMEM;
	return 0;
}

static void fill_zero_page(struct vm *vm, struct boot_params *bp, const u8 *image)
{
	unsigned len = MIN(0x202u + image[0x201], HEADER_END) - HEADER_AT;

	memset(bp, 0, sizeof(*bp));
	memcpy(&bp->hdr, image + HEADER_AT, len);
	bp->hdr.type_of_loader = LOADER_OTHER;
	bp->hdr.cmd_line_ptr = LOAD_CMDLINE;
	bp->e820_entries = (u8)load_e820(vm, bp->e820, sizeof(bp->e820[0]));
	bp->acpi_rsdp_addr = load_acpi(vm, LOAD_ACPI);
	if (vm->config->console_vga) { /* an 80x25 text screen; without it Linux leaves the VGA ports alone */
		bp->orig_video_mode = 3;
		bp->orig_video_cols = 80;
		bp->orig_video_lines = 25;
		bp->orig_video_is_vga = 1;
		bp->orig_video_points = 16;
	}
}

int load_linux(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	const struct setup_header *h = (const void *)(f->image + HEADER_AT);
	const char *name = vm->config->name, *cmdline = vm->config->cmdline;
	u64 ram_end = MIN(vm->memory_size, GUEST_HOLE_START);
	u64 payload, kernel_end, initrd, size;
	struct load_area *area = load_area(vm);
	struct boot_params *bp;
	int err = check_image(name, f, &payload);

	if (err)
		return err;
	size = h->syssize * 16ULL;
	kernel_end = h->pref_address + MAX((u64)h->init_size, size);
	if (h->pref_address < MiB || kernel_end < h->pref_address) {
		printk("%s: the kernel's header is damaged: it is to lie at %#llx\n", name,
		       (unsigned long long)h->pref_address);
		return -ENOEXEC;
	}
	if (kernel_end > ram_end) {
		/* A relocatable kernel does not help: below pref_address it moves itself back there. */
		printk("%s: the kernel needs memory up to %llu MiB, the VM has %llu MiB\n", name,
		       (unsigned long long)mib_up(kernel_end), (unsigned long long)(vm->memory_size / MiB));
		return -ENOMEM;
	}
	initrd = place_initrd(name, h, f->initrd_size, kernel_end, ram_end, &err);
	if (err)
		return err;
	if (strlen(cmdline) > MIN(h->cmdline_size, PAGE_SIZE - 1)) {
		printk("%s: the command line has %u characters, this kernel takes %u\n", name,
		       (unsigned)strlen(cmdline), h->cmdline_size);
		return -E2BIG;
	}

	if (guest_write(vm, h->pref_address, f->image + payload, size) ||
	    (initrd && guest_write(vm, initrd, f->initrd, f->initrd_size)))
		return -EFAULT;
	memcpy(area->cmdline, cmdline, strlen(cmdline) + 1);
	start_long_mode(area, start, h->pref_address + ENTRY_64);
	bp = (struct boot_params *)area->boot_info;
	fill_zero_page(vm, bp, f->image);
	bp->hdr.code32_start = h->pref_address;
	bp->hdr.ramdisk_image = initrd;
	bp->hdr.ramdisk_size = initrd ? f->initrd_size : 0;
	start->gpr[RSI] = LOAD_BOOT_INFO;
	start->gpr[RSP] = LOAD_LOW_START;
	return 0;
}
