/* The PC's physical memory map: E820 as firmware gives it, made sane. Pure code, unit-tested. */
#pragma once

#include "lib/types.h"

enum { /* ACPI 6.4 table 15.4 */
       MEM_RAM = 1,
       MEM_RESERVED = 2,
       MEM_ACPI = 3,
       MEM_NVS = 4,
       MEM_BAD = 5,
};

struct mem_region {
	u64 base;
	u64 size;
	u32 type;
} __packed;

#define MEMMAP_MAX 128

struct memmap {
	u32 count;
	struct mem_region r[MEMMAP_MAX];
};

/* Sorts, drops empty entries, clips at 2^52 (wrap-around included), resolves overlaps towards the
 * more reserved type and merges neighbours. Unknown types count as reserved. Entries past MEMMAP_MAX are
 * dropped as reserved memory, never as RAM. */
void memmap_normalize(struct memmap *m);

/* Takes [base, base+size) out of RAM by marking it type; keeps the map normal. */
void memmap_reserve(struct memmap *m, u64 base, u64 size, u32 type);

/* The end of the highest RAM region, in bytes. */
u64 memmap_top(const struct memmap *m);

/* The machine's own map, filled at boot. */
extern struct memmap host_memmap;
