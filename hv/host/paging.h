/* The host's own page tables: identity map of all RAM, W^X (text R+X, rodata R, everything else RW+NX),
 * page 0 and the guard pages under stacks absent. */
#pragma once

#include "lib/types.h"

/* Builds the map and loads it; then walks it and returns the number of W^X violations found (0). */
unsigned paging_init(void);

/* Loads the same map on another CPU. */
void paging_load(void);

/* Maps device memory at pa (uncached, NX) and returns a pointer to it; NULL when memory is out. Mapping
 * twice is harmless. */
volatile void *mmio_map(u64 pa, u64 size);

/* Maps memory that firmware left tables in, wherever it says they are: read-only, cached, NX. NULL as above,
 * and for addresses that the CPU does not have. */
const void *rom_map(u64 pa, u64 size);

/* Makes the page at va (page-aligned) absent: a guard. */
void paging_guard(void *va);

/* Can va be read, and written? For dumps. */
bool paging_writable(u64 va);
