/* Names of our own functions, from the table that tools/mksymbols.py makes of the first link. */
#include "host/panic.h"
#include "lib/printf.h"

extern const u32 symbol_count __attribute__((weak));
extern const u32 symbol_addrs[] __attribute__((weak));
extern const u16 symbol_offsets[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));
extern const u8 __image_start[], __text_end[];

void symbol_name(u64 addr, char *buf, size_t size)
{
	u32 low = 0, high = &symbol_count ? symbol_count : 0;

	/* The last symbol at or below addr. */
	while (low < high) {
		u32 mid = (low + high) / 2;

		if (symbol_addrs[mid] <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr < (u64)__image_start || addr >= (u64)__text_end)
		ksnprintf(buf, size, "?");
	else
		ksnprintf(buf, size, "%s+0x%lx", symbol_names + symbol_offsets[low - 1],
			  addr - symbol_addrs[low - 1]);
}
