/* USB devices on the root ports of xHCI controllers (eXtensible Host Controller Interface 1.1), as far as a
 * driver for disks needs them. All that controllers reach lies below 4 GiB. */
#pragma once

#include "host/drive.h"

/* Of a transfer (6.4.5). */
enum usb_code { USB_PENDING = 0, USB_SUCCESS = 1, USB_STALL = 6, USB_SHORT = 13 };

struct trb { /* transfer request block (4.11) */
	u64 ptr;
	u32 status, control;
};

#define RING_SIZE 256 /* TRBs: a page */

/* A ring that the controller works off. */
struct usb_pipe {
	struct trb *trb;
	u32 at, cycle;			/* the next TRB, and what its cycle bit will be */
	const struct trb *first, *last; /* of the transfer that was put there last */
	u32 dci, packet;		/* doorbell target; bytes */
	u8 code;			/* enum usb_code or another error: what came of it */
};

enum usb_pipe_id { USB_CONTROL, USB_IN, USB_OUT, USB_PIPES };

struct xhci;

struct usb_device {
	struct xhci *x;
	u32 port, slot; /* both from 1 */
	struct usb_pipe pipe[USB_PIPES];
	u8 data[PAGE_SIZE] __aligned(PAGE_SIZE); /* what control transfers read */
	u32 input[PAGE_SIZE / 4], context[PAGE_SIZE / 4];
	struct trb rings[USB_PIPES][RING_SIZE];
};

/* Resets the device at u's port and brings it to where its bulk pipes work, if it is a disk (mass storage,
 * SCSI commands, bulk-only). It is not attached. 0; -ENODEV when it is something else, -EIO. Takes a second
 * at most, or five when the controller has failed. */
int usb_attach(struct usb_device *u);

/* Ends all transfers: u's memory and that of transfers is not used any more. */
void usb_detach(struct usb_device *u);

/* Whether the device is still where usb_attach() found it, and the controller works. */
bool usb_is_there(const struct usb_device *u);

/* Makes room for a command's TRBs: such as follow without a gap. The pipe has nothing to do. */
void usb_make_room(struct usb_pipe *p, u32 trbs);

/* Puts a transfer of segments on a bulk pipe. The controller tells when it has ended if `tell`, which the
 * last before usb_start() wants. */
void usb_put(struct usb_pipe *p, const struct dma_segment *seg, u32 count, bool tell);

/* Lets the controller work off what was put there; the pipe's code is USB_PENDING until then. */
void usb_start(struct usb_device *u, enum usb_pipe_id id);

/* Takes the controller's events in: codes change. */
void usb_events(struct usb_device *u);

/* Sends a request (USB 2.0 9.3: type, request << 8, value << 16) and reads len bytes of answer into u->data.
 * 0 or -EIO, after a second at most. */
int usb_control(struct usb_device *u, u32 request, u32 index, u32 len);

/* Makes a bulk pipe that the device has stalled work again; what was put on it is forgotten. 0 or -EIO. */
int usb_clear_halt(struct usb_device *u, enum usb_pipe_id id);

/* Adds the disk at a root port, if one is there. lock is its controller's; transfers reach addresses below
 * limit. */
void usb_disk_try(struct xhci *x, u32 port, struct spinlock *lock, u64 limit, bool interrupts);
