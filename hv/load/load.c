#include "load/load.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "vm/vm.h"

int load_guest(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	switch (vm->config->kind) {
	case GUEST_LINUX:
		return load_linux(vm, f, start);
	case GUEST_FLAT:
		return load_flat(vm, f, start);
	case GUEST_MULTIBOOT:
		return load_multiboot(vm, f, start);
	default:
		printk("%s: this build starts kernel=, multiboot= and flat= guests only\n", vm->config->name);
		return -EOPNOTSUPP;
	}
}
