#include "host/ata.h"

#include "lib/string.h"

/* Words of IDENTIFY DEVICE. */
enum {
	MODEL = 27,
	CAPABILITIES = 49,
	SECTORS28 = 60,
	COMMANDS = 83,
	SECTORS48 = 100,
	SECTOR_SIZE = 106,
	WORDS_PER_SECTOR = 117,
};
#define CAP_LBA_DMA 0x300
#define MAX_BYTES   (1U << 20)

const u8 ata_commands[2][3] = {
	{[DRIVE_READ] = 0xC8, [DRIVE_WRITE] = 0xCA, [DRIVE_FLUSH] = 0xE7},
	{[DRIVE_READ] = 0x25, [DRIVE_WRITE] = 0x35, [DRIVE_FLUSH] = 0xEA},
};

bool ata_identity(struct drive *d, const u16 *id, bool *lba48)
{
	u32 words;

	if ((id[CAPABILITIES] & CAP_LBA_DMA) != CAP_LBA_DMA)
		return false;
	*lba48 = (id[COMMANDS] & 0xC400) == 0x4400; /* bits 15:14 say that the word is valid */
	d->blocks = 0;
	memcpy(&d->blocks, id + (*lba48 ? SECTORS48 : SECTORS28), *lba48 ? 6 : 4);
	d->block_size = ATA_SECTOR;
	memcpy(&words, id + WORDS_PER_SECTOR, sizeof(words));
	if ((id[SECTOR_SIZE] & 0xD000) == 0x5000)
		d->block_size = 2 * words;
	for (u32 i = 0; i < sizeof(d->model); i += 2) { /* the first character is the word's high byte */
		d->model[i] = (char)(id[MODEL + i / 2] >> 8);
		d->model[i + 1] = (char)id[MODEL + i / 2];
	}
	d->rules.max_bytes = *lba48 ? MAX_BYTES : 256 * ATA_SECTOR; /* the count has 8 bits, 0 being 256 */
	return true;
}
