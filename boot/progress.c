/* A bar on the console for files that take longer than a second. */
#include "boot/boot.h"
#include "host/tsc.h"
#include "lib/printf.h"

#define CELLS 30

static struct {
	const char *name;
	u64 start; /* TSC */
	int shown; /* cells filled on the screen, and 1; 0: there is no bar */
} bar;

void progress_begin(const char *name)
{
	bar.name = name;
	bar.start = tsc_now();
	bar.shown = 0;
}

void progress_update(u64 done, u64 total)
{
	static const char full[] = "##############################";
	int cells = total ? done * CELLS / total : CELLS;

	if (cells + 1 == bar.shown || tsc_now() - bar.start < tsc_hz)
		return;
	bar.shown = cells + 1;
	printk("\r%s [%.*s%*s] %u/%u MiB", bar.name, cells, full, CELLS - cells, "", (u32)(done / MiB),
	       (u32)(total / MiB));
}

void progress_end(void)
{
	if (bar.shown)
		printk("\n");
	bar.shown = 0;
}
