/* Names of our own functions, from the table that tools/mksymbols.py makes of the first link. */
#include "host/panic.h"
#include "lib/printf.h"
#include "lib/string.h"

extern const char symbols[] __attribute__((weak));
extern const u8 __image_start[], __text_end[];

void symbol_name(u64 addr, char *buf, size_t size)
{
	u64 start = (u64)__image_start;
	const char *name = "?";
	const char *p = symbols;

	if (p && addr >= start && addr < (u64)__text_end) {
		/* Up to the last symbol at or below addr. */
		for (u16 step; memcpy(&step, p, sizeof(step)), start + step <= addr; p += strlen(p) + 1) {
			start += step;
			name = p += sizeof(step);
		}
		ksnprintf(buf, size, "%s+0x%lx", name, addr - start);
	} else {
		ksnprintf(buf, size, "?");
	}
}
