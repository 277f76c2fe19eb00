/* Names of our own functions, from the table that tools/mksymbols.py makes of the first link. */
#include "host/panic.h"
#include "lib/printf.h"
#include "lib/string.h"

extern const char symbols[] __attribute__((weak));
extern const u8 __image_start[], __text_end[];

void symbol_print(u64 addr)
{
	u64 start = (u64)__image_start;
	const char *name = "?", *p = symbols;

	if (p && addr >= start && addr < (u64)__text_end) {
		/* Up to the last symbol at or below addr. */
		for (u16 step; __builtin_memcpy(&step, p, sizeof(step)), start + step <= addr;
		     p += strlen(p) + 1) {
			start += step;
			name = p += sizeof(step);
		}
	}
	printk("  %08lx %s+0x%lx\n", addr, name, addr - start);
}
