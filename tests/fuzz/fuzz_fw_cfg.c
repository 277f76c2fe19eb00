/* fw_cfg under port writes and DMA commands that make no sense: nothing outside the guest's RAM is touched,
 * and no item is read beyond its end. The input is a row of accesses: operation, then 4 bytes. */
#include <stdlib.h>
#include <string.h>

#include "dev/fw_cfg.h"
#include "dev/machine.h"
#include "lib/errno.h"
#include "vm/vm.h"

#define RAM (16 * KiB)

static u8 *ram;
static const struct pio_ops *ops;
static void *device;

int bus_add_wide_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *o, void *dev, const char *name)
{
	ops = o;
	device = dev;
	return 0;
}

void *vm_zalloc(struct vm *vm, size_t size)
{
	return calloc(1, size);
}

static int copy(u64 gpa, void *out, const void *in, u64 len)
{
	if (gpa > RAM || len > RAM - gpa)
		return -EFAULT;
	if (out)
		memcpy(out, ram + gpa, len);
	else if (in)
		memcpy(ram + gpa, in, len);
	else
		memset(ram + gpa, 0, len);
	return 0;
}

int guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	return copy(gpa, buf, NULL, len);
}

int guest_write(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	return copy(gpa, NULL, buf, len);
}

int guest_zero(struct vm *vm, u64 gpa, u64 len)
{
	return copy(gpa, NULL, NULL, len);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vm vm = {.vcpu_count = 1};
	u8 *content = malloc(100); /* of its own, so that ASan sees its end */
	struct fw_cfg *made;

	memset(content, 7, 100);
	ram = malloc(RAM);
	memset(ram, 0, RAM);
	memcpy(ram, data, size < RAM ? size : RAM); /* DMA commands are in there, too */
	if (fw_cfg_create(&vm, &made))
		abort();
	fw_cfg_add(made, "etc/a", content, 100);
	fw_cfg_add(made, "etc/b", content, 1);
	for (; size >= 5; data += 5, size -= 5) {
		unsigned width = 1 << (data[0] >> 6 & 1), at = data[0] & 15;
		u16 port = (u16)(PORT_FW_CFG + at);
		u32 val;

		memcpy(&val, data + 1, 4);
		if (data[0] & 0x80)
			width = 4;
		if (at > 11 || (at < 2 ? at + width > 2 : at < 4 || at + width > 12))
			continue; /* the bus lets no such access through */
		if (data[0] & 0x20)
			ops->read(device, port, width);
		else
			ops->write(device, port, width, val);
	}
	free(device);
	free(ram);
	free(content);
	return 0;
}
