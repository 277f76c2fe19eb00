/* What virtio devices share: split virtqueues (virtio 1.2 §2.7) and the MMIO transport (§4.2), both without
 * the legacy interface. Every call is made with the VM's lock held. */
#pragma once

#include "lib/types.h"
#include "vm/memory.h"

struct vm;

/* A chain has at most VIRTQ_SIZE_MAX descriptors, of which some may cross memory slots. */
#define VIRTQ_SIZE_MAX	 64
#define VIRTQ_PIECES_MAX 80

/* Feature bits of every device (§6). */
#define VIRTIO_F_INDIRECT_DESC BIT(28)
#define VIRTIO_F_EVENT_IDX     BIT(29)
#define VIRTIO_F_VERSION_1     BIT(32)

struct virtqueue {
	struct vm *vm;
	u32 size; /* as the driver sets it */
	union {
		u64 addr[3]; /* descriptors, driver area, device area: guest-physical, as the driver sets */
		u32 addr_half[6];
	};
	bool ready, indirect, event_idx;
	u16 avail_next; /* free-running, all three */
	u16 used_next;
	u16 signalled; /* used_next when the driver was last considered for an interrupt */
	u8 *desc;      /* host pointers, while ready */
	u16 *avail, *used;
};

/* A descriptor chain taken from a queue: what the device reads, then what it writes. */
struct virtq_chain {
	u16 head;
	u16 out, in; /* numbers of pieces */
	struct guest_piece pieces[VIRTQ_PIECES_MAX];
};

/* Makes q ready with the features the driver has accepted. 0, or -EINVAL when size or addresses are
 * impossible. */
int virtq_enable(struct virtqueue *q, u64 features);

/* Takes the next chain: 1, or 0 when there is none. -EINVAL when the driver has broken a rule: a loop, an
 * address outside RAM, an order or a flag that is not allowed. Then nothing more may be taken. */
int virtq_pop(struct virtqueue *q, struct virtq_chain *c);

/* Gives a chain back, len bytes of it written. */
void virtq_push(struct virtqueue *q, u16 head, u32 len);

/* Asks to be notified of the next chain. True when one has come already. */
bool virtq_rearm(struct virtqueue *q);

/* Does the driver want to be interrupted for what was pushed since the last call? */
bool virtq_wants_interrupt(struct virtqueue *q);

struct virtio_device;

struct virtio_ops {
	/* The driver has made chains available in a queue; only while it is ready and the driver is OK. */
	void (*notify)(struct virtio_device *d, struct virtqueue *q);
	/* The driver resets the device: no queue is ready from now on, and none of its memory may be touched.
	 */
	void (*reset)(struct virtio_device *d);
};

struct virtio_device {
	struct vm *vm;
	const struct virtio_ops *ops;
	u32 *regs; /* a page that the guest reads without exits; the config space begins at VIRTIO_CONFIG */
	union {	   /* as the registers have them, too: low and high half */
		u64 features; /* offered, */
		u32 feature_half[2];
	};
	union {
		u64 accepted; /* and by the driver */
		u32 accepted_half[2];
	};
	u32 queue_count;
	struct virtqueue *queues;
	u32 irq;
	u32 driver_select, queue_select;
	bool told; /* that the driver broke a rule */
};

#define VIRTIO_CONFIG (0x100 / 4) /* index into regs */

/* Puts d, whose ops, features, queue_count and queues are set, into a slot of the machine. id is the device
 * type of §5. Returns 0, -ENOMEM or the bus's error. */
int virtio_mmio_create(struct vm *vm, struct virtio_device *d, u32 id, unsigned slot);

/* Does the device work on q: it is ready, the driver OK and nothing broken? */
bool virtio_running(const struct virtio_device *d, const struct virtqueue *q);

/* Interrupts the driver if it wants to hear of what was pushed to q. */
void virtio_signal(struct virtio_device *d, struct virtqueue *q);

/* The driver broke a rule: d does nothing more until it is reset (§2.1.2 DEVICE_NEEDS_RESET). */
void virtio_broken(struct virtio_device *d);
