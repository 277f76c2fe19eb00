/* The firmware's configuration device of QEMU (QEMU docs/specs/fw_cfg.rst): numbered items and named files
 * that the guest's firmware reads. */
#pragma once

#include "lib/types.h"

struct vm;

/* Makes the device in vm, without files. Returns 0, -ENOMEM or the bus's error. */
struct fw_cfg;
int fw_cfg_create(struct vm *vm, struct fw_cfg **out);

/* Adds a file, the last of at most FW_CFG_FILES. Its name has at most 55 characters, its data must outlive
 * the VM; NULL: there is none. */
#define FW_CFG_FILES 8
void fw_cfg_add(struct fw_cfg *f, const char *name, const void *data, u32 size);
