/* A disk: what stands between a virtual disk controller and whoever keeps the sectors (RAM, a drive of the
 * PC, a file of the boot partition). */
#pragma once

#include "lib/spinlock.h"
#include "lib/types.h"
#include "vm/memory.h"

struct disk;

#define SECTOR_SIZE	512
#define DISK_MAX_PIECES 80 /* of a request's memory */
#define DISK_PENDING	1

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD };

struct disk_request {
	enum disk_op op;
	u32 piece_count; /* of a read or write; together they are as long as count says */
	u64 sector; /* first one and how many, of SECTOR_SIZE bytes whatever the disk's blocks are: checked */
	u64 count;  /* to be on the disk and in whole blocks. Neither means anything for a flush */
	bool through;		    /* of a write: it is done when it is on the medium */
	struct guest_piece *pieces; /* of any alignment and length */
	void (*done)(struct disk_request *r, int err);
};

/* Every call is made with *disk.lock held. */
struct disk_ops {
	/* Does r, or begins it. Returns 0 or -EIO when it is over already, and done() is not called;
	 * DISK_PENDING when done(r, 0 or -EIO) will be called once, with *disk.lock held: from an interrupt
	 * handler, which takes it, or from poll(). r and its pieces stay where they are until then. A write
	 * is done when a read sees it; a flush is done when all writes done before it are on the medium.
	 * done() may submit the next request. */
	int (*submit)(struct disk *d, struct disk_request *r);
	/* Looks for finished requests; called every poll_us while some are pending. NULL for drivers that
	 * are never pending. */
	void (*poll)(struct disk *d);
	/* Forgets every pending request: on return done() is not called for it any more and the drive does
	 * not touch its memory. May wait for the drive. NULL for those that are never pending. */
	void (*cancel)(struct disk *d);
};

#define DISK_MAX_PENDING 16 /* requests */

struct disk {
	const struct disk_ops *ops;
	struct spinlock *lock; /* of the VM whose disk it is; set when the VM is made */
	u64 sectors;	       /* of SECTOR_SIZE bytes */
	u32 block_size;	       /* bytes of a logical block: 512 or 4096 */
	u32 poll_us;
	bool readonly, can_discard;
	char serial[20]; /* what the guest reads as its ID; ends with the array or a NUL */
};

/* A disk in RAM whose content is data, size bytes that it keeps; the last sector is filled up with zeros, for
 * which there is room up to the end of the page. NULL when memory is out. */
struct disk *ram_disk_create(u8 *data, u64 size, bool readonly, const char *serial);

/* Left out by WITHOUT=disks; then no config has any. */
#pragma weak ram_disk_create

struct drive;

/* A disk that is count blocks of a drive from first on, which are there, and nothing else of it. NULL as
 * above. */
struct disk *host_disk_create(struct drive *drive, u64 first, u64 count, bool readonly, const char *serial);
