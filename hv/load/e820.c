#include "host/memmap.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

unsigned load_e820(const struct vm *vm, struct mem_region *out, unsigned max)
{
	u64 low = MIN(vm->memory_size, GUEST_HOLE_START);
	const struct mem_region map[] = {
		{0, MIN(low, LOAD_LOW_END), MEM_RAM, 1},
		/* Nothing may be put between the VGA window and 1 MiB: guests search it for firmware tables,
		 * and ours are there. */
		{LOAD_LOW_END, MiB - LOAD_LOW_END, MEM_RESERVED, 1},
		{MiB, low > MiB ? low - MiB : 0, MEM_RAM, 1},
		{4 * GiB, vm->memory_size - low, MEM_RAM, 1},
	};
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(map) && n < max; i++)
		if (map[i].size)
			out[n++] = map[i];
	return n;
}
