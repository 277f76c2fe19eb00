/* The Multiboot and ELF loader on any file: it stays inside the file and the guest's memory, and leaves alone
 * what a kernel may not be loaded over. */
#include <stdlib.h>
#include <string.h>

#include "host/memmap.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

#define RAM (2 * MiB)

static u8 *ram;

void printk(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

void *guest_ptr(struct vm *vm, u64 gpa, u64 len)
{
	return gpa <= RAM && len <= RAM - gpa ? ram + gpa : NULL;
}

int guest_write(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	void *p = guest_ptr(vm, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(p, buf, len);
	return 0;
}

int guest_zero(struct vm *vm, u64 gpa, u64 len)
{
	void *p = guest_ptr(vm, gpa, len);

	if (!p)
		return -EFAULT;
	memset(p, 0, len);
	return 0;
}

u64 load_acpi(struct vm *vm, u64 at)
{
	return at;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vm_config config = {.name = "f", .image = "k", .module_count = 1, .modules = {"m a"}};
	static struct vm vm = {.config = &config, .memory_size = RAM, .vcpu_count = 1};
	struct guest_files files = {.image = data, .image_size = size};
	struct cpu_state start;

	if (!ram)
		ram = malloc(RAM);
	memset(ram + LOAD_ACPI, 0xA5, LOAD_ACPI_SIZE);
	files.module[0].data = data;
	files.module[0].size = size;
	load_multiboot(&vm, &files, &start);
	for (u64 i = LOAD_ACPI; i < LOAD_ACPI + LOAD_ACPI_SIZE; i++)
		if (ram[i] != 0xA5)
			abort();
	return 0;
}
