#include "host/memmap.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

unsigned load_e820(const struct vm *vm, void *to, size_t stride)
{
	/* In pages. Nothing may be put between the VGA window and 1 MiB: guests search it for firmware
	 * tables, and ours are there. */
	static const u32 starts[LOAD_E820_MAX] = {0, LOAD_LOW_END / PAGE_SIZE, MiB / PAGE_SIZE,
						  4 * GiB / PAGE_SIZE};
	u64 low = MIN(vm->memory_size, GUEST_HOLE_START);
	unsigned n = 0;

	for (unsigned i = 0; i < LOAD_E820_MAX; i++) {
		u64 base = starts[i] * PAGE_SIZE, end = base + vm->memory_size - low;

		if (i < 3)
			end = starts[i + 1] * PAGE_SIZE;
		if (i == 0 || i == 2)
			end = MIN(end, low);
		if (end <= base)
			continue;
		*(struct mem_region *)to =
			(struct mem_region){base, end - base, i == 1 ? MEM_RESERVED : MEM_RAM};
		to = (u8 *)to + stride;
		n++;
	}
	return n;
}
