/* Guest RAM for the loaders' tests: one block of memory in place of hv/vm/memory.c. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "support.h"
#include "vm/vm.h"

static struct vm_config test_config;
static struct vm test_vm;
static u8 *test_ram;

static inline void make_vm(enum guest_kind kind, u64 memory)
{
	free(test_ram);
	test_ram = malloc(memory);
	memset(test_ram, 0xA5, memory);
	memset(&test_vm, 0, sizeof(test_vm));
	memset(&test_config, 0, sizeof(test_config));
	strcpy(test_config.name, "test");
	test_config.kind = kind;
	test_vm.config = &test_config;
	test_vm.vcpu_count = 1;
	test_vm.memory_size = memory;
	captured_reset();
}

void *guest_ptr(struct vm *vm, u64 gpa, u64 len)
{
	return gpa <= vm->memory_size && len <= vm->memory_size - gpa ? test_ram + gpa : NULL;
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
