/* What ATA disks have in common, whatever controller they hang on (ATA/ATAPI-6 and ACS). */
#pragma once

#include "host/drive.h"

#define ATA_SECTOR   512
#define ATA_IDENTIFY 0xEC

/* In the words of IDENTIFY DEVICE, serial number to model: no two disks have the same. */
#define ATA_NAMES      10
#define ATA_NAMES_SIZE 74 /* bytes */

/* The DMA command of an enum drive_op, with 48 bits of LBA. */
extern const u8 ata_commands[4];

/* Makes a discard the DATA SET MANAGEMENT command that it is: to write one sector, a list of ranges, and with
 * ATA_TRIM for its feature (ACS-2 7.10). */
#define ATA_TRIM 1
void ata_trim(struct drive_cmd *c);

/* Fills in d's model, size, block size and the commands' limits from the 256 words of IDENTIFY DEVICE.
 * False for a disk without DMA or 48-bit LBA: from before 2003. */
bool ata_identity(struct drive *d, const u16 *id);
