/* The config reader on any text: it stays inside its buffers, and what it accepts keeps the promises that
 * everything behind it relies on. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "built_in.h"
#include "lib/printf.h"

static unsigned lines_printed;

void printk(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (len && len < (int)sizeof(line) && line[len - 1] == '\n')
		lines_printed++;
}

const char *feature_missing(u8 feature)
{
	return NULL;
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *s, size_t room)
{
	check(memchr(s, 0, room));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct config c;
	unsigned mistakes;

	lines_printed = 0;
	mistakes = config_parse(&c, "f", (const char *)data, size);
	check(mistakes <= lines_printed && lines_printed <= 21);
	check(c.vm_count <= CONFIG_MAX_VMS);
	for (u32 i = 0; i < c.vm_count; i++) {
		const struct vm_config *v = &c.vms[i];

		check_text(v->name, sizeof(v->name));
		check_text(v->image, sizeof(v->image));
		check_text(v->initrd, sizeof(v->initrd));
		check_text(v->cmdline, sizeof(v->cmdline));
		check(v->memory >= MiB && v->memory % PAGE_SIZE == 0 && v->cpus >= 1 && v->cpus <= 8);
		if (!mistakes) {
			check(v->kind != GUEST_NONE && v->image[0] && v->name[0]);
			check(v->kind != GUEST_FLAT || v->flat_bits == 64 ||
			      (v->flat_bits == 16 && v->flat_addr <= 0xFFFF));
		}
	}
	check(mistakes || c.vm_count);
	return 0;
}
