#include "load/load.h"
#include "vm/vm.h"

int load_guest(struct vm *vm, const struct guest_files *f, struct cpu_state *start)
{
	switch (vm->config->kind) {
	case GUEST_LINUX:
		return load_linux(vm, f, start);
	case GUEST_FIRMWARE:
		return load_firmware(vm, f, start);
	case GUEST_MULTIBOOT:
		return load_multiboot(vm, f, start);
	default: /* GUEST_FLAT; the config has one of these */
		return load_flat(vm, f, start);
	}
}
