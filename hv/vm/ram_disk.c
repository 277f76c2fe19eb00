/* A disk whose sectors are in RAM: a file of the boot partition, changed until power-off. */
#include "host/page.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/disk.h"

struct ram_disk {
	struct disk d;
	u8 *data;
};

static int ram_submit(struct disk *d, struct disk_request *r)
{
	u8 *at = ((struct ram_disk *)d)->data + r->sector * SECTOR_SIZE;

	switch (r->op) {
	case DISK_READ:
	case DISK_WRITE:
		for (u32 i = 0; i < r->piece_count; i++) {
			struct guest_piece *p = &r->pieces[i];

			if (r->op == DISK_READ)
				memcpy(p->p, at, p->len);
			else
				memcpy(at, p->p, p->len);
			at += p->len;
		}
		break;
	case DISK_DISCARD:
		memset(at, 0, r->count * SECTOR_SIZE);
		break;
	case DISK_FLUSH:
		break;
	}
	return 0;
}

static const struct disk_ops ram_ops = {.submit = ram_submit};

struct disk *ram_disk_create(u8 *data, u64 size, bool readonly, const char *serial)
{
	struct ram_disk *r = page_alloc();

	if (!r)
		return NULL;
	r->d.ops = &ram_ops;
	r->d.sectors = (size + SECTOR_SIZE - 1) / SECTOR_SIZE;
	r->d.block_size = SECTOR_SIZE;
	r->d.readonly = readonly;
	r->d.can_discard = true;
	r->data = data;
	memcpy(r->d.serial, serial, MIN(strlen(serial), sizeof(r->d.serial)));
	memset(data + size, 0, r->d.sectors * SECTOR_SIZE - size);
	return &r->d;
}
