/* Where the loaders put what they hand to a guest, below 1 MiB. All of it but the ACPI tables is the
 * guest's to reuse once it has read it. */
#pragma once

#include "lib/types.h"

#define LOAD_PAGE_TABLES 0x91000ULL /* 6 pages: identity map of 4 GiB */
#define LOAD_GDT	 0x97000ULL /* and a TSS behind it: one page */
#define LOAD_BOOT_INFO	 0x98000ULL /* zero page, or struct pxhv_boot_info: one page */
#define LOAD_CMDLINE	 0x99000ULL /* one page */
#define LOAD_LOW_START	 0x90000ULL /* none of the above is below this; the stack grows down in between */
#define LOAD_LOW_END	 0xA0000ULL /* low RAM ends, the VGA window begins */
#define LOAD_ACPI	 0xE0000ULL /* RSDP first, where guests without a boot protocol look for it */
#define LOAD_ACPI_SIZE	 0x10000ULL /* at most */

/* What lies from LOAD_PAGE_TABLES to LOAD_LOW_END. */
struct load_area {
	u64 page_tables[6][512];
	u64 gdt[512];
	u8 boot_info[PAGE_SIZE];
	char cmdline[PAGE_SIZE];
	u64 stack[6][512];
};
_Static_assert(LOAD_PAGE_TABLES + sizeof(struct load_area) == LOAD_LOW_END &&
		       LOAD_PAGE_TABLES + offsetof(struct load_area, cmdline) == LOAD_CMDLINE,
	       "as above");
