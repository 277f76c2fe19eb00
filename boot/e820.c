/* The memory map as the BIOS gives it: INT 15h E820h (ACPI 6.4 §15.1), on old machines E801h or 88h. */
#include "boot/boot.h"

#define SMAP 0x534D4150 /* "SMAP" */

u32 boot_e820_count;
struct mem_region boot_e820[MEMMAP_MAX];

static void add(u64 base, u64 size)
{
	boot_e820[boot_e820_count++] = (struct mem_region){base, size, MEM_RAM};
}

static void read_e820(void)
{
	struct mem_region *entry = (struct mem_region *)BIOS_BUFFER;
	u32 next = 0;

	/* Bounded by calls, not entries: some BIOSes go round in circles. */
	for (unsigned calls = 0; calls < MEMMAP_MAX; calls++) {
		const struct bios_regs *r;

		/* Not for the attributes of ACPI 3: there are BIOSes whose entries are all marked invalid. */
		r = bios(0x15, 0xE820, next, sizeof(*entry), SMAP, BIOS_BUFFER_SEG);
		if (bios_failed(r) || r->eax != SMAP)
			return;
		if (r->ecx >= sizeof(*entry))
			boot_e820[boot_e820_count++] = *entry;
		next = r->ebx;
		if (!next)
			return;
	}
}

static void read_old(void)
{
	const struct bios_regs *r = bios(0x12, 0, 0, 0, 0, 0); /* KiB of low memory */

	add(0, (u16)r->eax * KiB);
	r = bios(0x15, 0xE801, 0, 0, 0, 0);
	if (!bios_failed(r)) {
		/* KiB from 1 to 16 MiB, then 64 KiB units above: in AX and BX, or CX and DX, or both. */
		bool cx = !(u16)r->eax && !(u16)r->ebx;

		add(1 * MiB, (u16)(cx ? r->ecx : r->eax) * KiB);
		add(16 * MiB, (u16)(cx ? r->edx : r->ebx) * 64 * KiB);
		return;
	}
	r = bios(0x15, 0x8800, 0, 0, 0, 0);
	if (!bios_failed(r))
		add(1 * MiB, (u16)r->eax * KiB);
}

void e820_read(void)
{
	read_e820();
	if (!boot_e820_count)
		read_old();
}
