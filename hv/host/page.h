/* Physical memory for the hypervisor and its guests. All RAM is identity-mapped, so that a physical
 * address is a pointer too. */
#pragma once

#include "lib/types.h"

/* Takes over the RAM that map lists as free. The image, page 0 and low memory are not handed out. */
void page_init(void);

/* One zeroed 4 KiB page, or NULL when memory is out. */
void *page_alloc(void);

/* size bytes (rounded up to pages), contiguous, aligned to align (a power of two >= 4096), below limit
 * (0: anywhere), not zeroed; NULL when there is no such run. Large runs come from the top of memory. */
void *page_alloc_run(u64 size, u64 align, u64 limit);

/* The largest size that page_alloc_run(size, align, 0) would give now, in bytes. */
u64 page_largest_run(u64 align);

/* Gives size bytes from p back. */
void page_free_run(void *p, u64 size);
void page_free(void *p);

/* Bytes free now, and bytes of RAM in all. */
u64 page_free_bytes(void);
u64 page_total_bytes(void);
