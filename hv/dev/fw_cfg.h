/* The firmware's configuration device of QEMU (QEMU docs/specs/fw_cfg.rst): numbered items and named files
 * that the guest's firmware reads. */
#pragma once

#include "lib/types.h"

struct vm;

struct fw_cfg_file {
	const char *name; /* at most 55 characters; NULL ends a list */
	const void *data; /* kept, must outlive the VM */
	u32 size;
};

/* Makes the device in vm with these files, FW_CFG_FILES at most. Returns 0 or the bus's error. */
#define FW_CFG_FILES 8
int fw_cfg_create(struct vm *vm, const struct fw_cfg_file *files, unsigned count);
