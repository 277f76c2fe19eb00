/* What ATA disks have in common, whatever controller they hang on (ATA/ATAPI-6 and ACS). */
#pragma once

#include "host/drive.h"

#define ATA_SECTOR   512
#define ATA_IDENTIFY 0xEC

/* The DMA command of an enum drive_op, with 48 bits of LBA. */
extern const u8 ata_commands[3];

/* Fills in d's model, size and block size and the commands' limit from the 256 words of IDENTIFY DEVICE.
 * False for a disk without DMA or 48-bit LBA: from before 2003. */
bool ata_identity(struct drive *d, const u16 *id);
