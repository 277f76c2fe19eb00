#include "host/ata.h"

#include "lib/string.h"

/* Words of IDENTIFY DEVICE. */
enum {
	MODEL = 27,
	CAPABILITIES = 49,
	COMMANDS = 83,
	SECTORS48 = 100,
	SECTOR_SIZE = 106,
	WORDS_PER_SECTOR = 117,
	DATA_SET_MANAGEMENT = 169,
};
#define CAP_LBA_DMA 0x300
#define MAX_BYTES   (1U << 20)
#define RANGES	    (ATA_SECTOR / sizeof(u64))
#define RANGE_MAX   0xFFFFU /* blocks */

const u8 ata_commands[] = {
	[DRIVE_READ] = 0x25, [DRIVE_WRITE] = 0x35, [DRIVE_FLUSH] = 0xEA, [DRIVE_DISCARD] = 0x06};

void ata_trim(struct drive_cmd *c)
{
	u64 *range = (u64 *)c->seg[0].addr;

	memset(range, 0, ATA_SECTOR);
	for (u32 count; c->blocks; c->blocks -= count) {
		count = MIN(c->blocks, RANGE_MAX);
		*range++ = c->block | (u64)count << 48;
		c->block += count;
	}
	c->block = 0;
	c->blocks = 1;
	c->seg[0].len = ATA_SECTOR;
}

bool ata_identity(struct drive *d, const u16 *id)
{
	u32 words;

	/* Bits 15:14 of COMMANDS say that the word is valid. */
	if ((id[CAPABILITIES] & CAP_LBA_DMA) != CAP_LBA_DMA || (id[COMMANDS] & 0xC400) != 0x4400)
		return false;
	memcpy(&d->blocks, id + SECTORS48, 6);
	d->block_size = ATA_SECTOR;
	memcpy(&words, id + WORDS_PER_SECTOR, sizeof(words));
	if ((id[SECTOR_SIZE] & 0xD000) == 0x5000)
		d->block_size = 2 * words;
	for (u32 i = 0; i < sizeof(d->model); i += 2) { /* the first character is the word's high byte */
		d->model[i] = (char)(id[MODEL + i / 2] >> 8);
		d->model[i + 1] = (char)id[MODEL + i / 2];
	}
	d->rules.max_bytes = MAX_BYTES;
	if (id[DATA_SET_MANAGEMENT] & BIT(0))
		d->discard_max = RANGES * RANGE_MAX;
	return true;
}
