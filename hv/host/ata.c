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
};
#define CAP_LBA_DMA 0x300
#define MAX_BYTES   (1U << 20)

const u8 ata_commands[] = {[DRIVE_READ] = 0x25, [DRIVE_WRITE] = 0x35, [DRIVE_FLUSH] = 0xEA};

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
	return true;
}
