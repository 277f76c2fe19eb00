/* A drive of the PC: the queue before it, which is the same for all kinds, and what a kind's driver fills in.
 */
#pragma once

#include "host/cpu.h"
#include "host/tsc.h"
#include "lib/spinlock.h"
#include "lib/types.h"

#define DRIVE_TAGS     16 /* commands that any drive works on at once */
#define DRIVE_SEGMENTS 64 /* of a command's memory */
#define DRIVES_MAX     16

enum drive_op { DRIVE_READ, DRIVE_WRITE, DRIVE_FLUSH, DRIVE_DISCARD };

struct dma_segment {
	u64 addr;
	u32 len; /* never across a 64 KiB boundary */
};

struct drive_cmd {
	enum drive_op op;
	u32 blocks;
	u64 block;
	/* Of segments, together as long as the blocks. 0 for a flush; 1 for a discard: a page, in which the
	 * driver tells the drive of the blocks. */
	u32 count;
	struct dma_segment seg[DRIVE_SEGMENTS];
};

/* What a driver asks of segments besides. */
struct dma_rules {
	u32 align;	  /* of address and length: a power of two */
	u32 max_segments; /* 1..DRIVE_SEGMENTS */
	u32 max_bytes;	  /* a command */
	u64 limit;	  /* addresses are below this */
	bool page_joints; /* where one segment ends and the next begins, there is a page's boundary (NVMe) */
};

struct drive;

/* Work for a drive, done as one command after the other. */
struct drive_job {
	struct drive_job *next;
	/* Called with the drive's lock held when the last command was a success, and at first: makes the next
	 * one, or returns false when there is nothing left to do. -EIO in err ends the job as well. */
	bool (*step)(struct drive_job *j, struct drive_cmd *c);
	u64 since; /* TSC when its command began */
	int err;
	bool ended; /* set last, with the drive's lock held */
	bool stop;  /* no further steps */
};

/* Calls are made with the drive's lock held. */
struct drive_ops {
	/* Starts c, which the driver may change, as number tag, which is below the drive's depth and free. */
	void (*start)(struct drive *d, u32 tag, struct drive_cmd *c);
	/* Calls drive_done() for every command that is over. Returns -EIO when the drive answers no more. */
	int (*poll)(struct drive *d);
	/* Makes the drive forget all its commands and leave memory alone; afterwards it works again (0) or,
	 * after some seconds, does not (-EIO). */
	int (*reset)(struct drive *d);
};

/* Somebody whose jobs may end in an interrupt. */
struct drive_user {
	struct drive_user *next;
	void (*finished)(struct drive_user *u); /* no locks held */
};

struct drive {
	const struct drive_ops *ops;
	struct spinlock *lock; /* its own, or one for all drives on a cable */
	struct drive *other;   /* on its cable, which does one command at a time; NULL where there is none */
	char name[12], model[40]; /* the model may end with the array */
	u64 blocks;
	u32 block_size, depth;
	u32 discard_max; /* blocks a command; 0: it cannot */
	bool readonly, write_through, interrupts, dead;
	u8 timeouts; /* in a row */
	struct dma_rules rules;
	struct drive_user *users;
	u32 busy; /* tags */
	struct drive_job *running[DRIVE_TAGS], *waiting, **waiting_end;
};

/* For the drivers: a command is over. */
void drive_done(struct drive *d, u32 tag, int err);

/* For the drivers: fills in what is the same for all and enters d, called by kind, which has its own ops, and
 * number: "ahci0". blocks, block_size and so on are known. Says so when the drive is of no use. */
void drive_add(struct drive *d, const char *kind);

/* The queue; all with d->lock held. Whoever drops the lock finds ended jobs by their flag. */
void drive_submit(struct drive *d, struct drive_job *j);
void drive_poll(struct drive *d);
/* Takes a job back, unless it has ended: waits for the command that is running, a second at most, and then
 * resets the drive. */
void drive_cancel(struct drive *d, struct drive_job *j);

/* Reads a block into buf (a page, below 4 GiB), waiting for it. 0 or -EIO. */
int drive_read(struct drive *d, u64 block, void *buf);

/* Finds the PC's drives, once, and lists them in the boot story. There are none before. The BIOS's time is
 * over: drivers and BIOS do not share a controller. */
void drives_init(void);
/* And those on USB, the first time that it is called: apart, since it takes the keyboard that the BIOS makes
 * of a USB one away. */
void drives_init_usb(void);
/* The n-th, or NULL. */
struct drive *drive_at(unsigned n);

/* The drivers: each takes a function of its class over and adds its drives. -ENODEV when it cannot be driven.
 */
int ata_probe(u32 fn);
int ahci_probe(u32 fn);
int nvme_probe(u32 fn);
int virtio_probe(u32 fn);
int xhci_probe(u32 fn);
#pragma weak xhci_probe /* left out by WITHOUT=usb; then its controllers have no driver */

/* For the drivers: size bytes, zeroed, of whole pages, below limit (0: anywhere). NULL when there are none.
 */
void *drive_alloc(u32 size, u64 limit);

/* Whether cond comes true within ms milliseconds; and the same of reg & mask == want. */
#define wait_until(cond, ms)                                                                                 \
	({                                                                                                   \
		u64 end_ = deadline_in(ms);                                                                  \
		bool ok_;                                                                                    \
                                                                                                             \
		while (!(ok_ = (cond)) && !is_past(end_))                                                    \
			;                                                                                    \
		ok_;                                                                                         \
	})
bool wait_bits(const volatile u32 *reg, u32 mask, u32 want, u32 ms);
void delay(u32 ms);

/* The TSC's value in ms milliseconds, and whether it has come. */
u64 deadline_in(u32 ms);
bool is_past(u64 deadline);

/* Puts an address into two registers. */
void mmio_write_address(volatile u32 *reg, const volatile void *p);

/* What was written to memory is there before the device is told (x86 keeps stores in order; the compiler need
 * not). */
#define dma_barrier() __asm__ volatile("" ::: "memory")
