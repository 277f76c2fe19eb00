/* The VMs' disks that are drives of the PC, or parts of such. */
#pragma once

#include "vm/config.h"

/* Opens every DISK_HOST and DISK_BOOT of c, after having looked for drives if there is one: so the BIOS is
 * not called any more. 0, or -EINVAL having said what is wrong. */
int disks_open(struct config *c);

/* Left out by WITHOUT=drives; then no config has such disks. */
#pragma weak disks_open
