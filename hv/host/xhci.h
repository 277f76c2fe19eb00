/* An xHCI controller, for those that work on its devices. */
#pragma once

#include "host/usb.h"

#define XHCI_SLOTS 16 /* devices at once */

/* TRB types (6.4.6), in place. */
enum {
	TRB_NORMAL = 1 << 10,
	TRB_SETUP = 2 << 10,
	TRB_DATA = 3 << 10,
	TRB_STATUS = 4 << 10,
	TRB_LINK = 6 << 10,
	TRB_ENABLE_SLOT = 9 << 10,
	TRB_DISABLE_SLOT = 10 << 10,
	TRB_ADDRESS_DEVICE = 11 << 10,
	TRB_CONFIGURE_ENDPOINT = 12 << 10,
	TRB_RESET_ENDPOINT = 14 << 10,
	TRB_STOP_ENDPOINT = 15 << 10,
	TRB_SET_DEQUEUE = 16 << 10,
	TRB_TRANSFER_EVENT = 32 << 10,
	TRB_COMMAND_EVENT = 33 << 10,
};
enum {
	TRB_TOGGLE = 1 << 1,
	TRB_SHORT = 1 << 2,
	TRB_CHAIN = 1 << 4,
	TRB_TELL = 1 << 5,
	TRB_DATA_HERE = 1 << 6
};
enum { TRB_IN = 1 << 16 };

struct xhci {
	struct spinlock lock; /* of all drives on it */
	volatile u32 *op, *interrupter, *doorbell;
	u32 ports, context_words;
	bool interrupts;
	u32 event_at, event_cycle;
	u32 new_slot; /* that the last command gave */
	struct usb_pipe command;
	struct usb_device *slots[XHCI_SLOTS + 1];
	struct {
		u64 addr, size;
	} event_segment __aligned(64);
	u64 contexts[XHCI_SLOTS + 1] __aligned(64); /* number 0: the scratchpad's array */
	struct trb commands[RING_SIZE] __aligned(PAGE_SIZE);
	struct trb events[RING_SIZE];
};

/* The registers of a port, from 1. */
static inline volatile u32 *xhci_port(const struct xhci *x, u32 port)
{
	return x->op + (0x400 + 0x10 * (port - 1)) / 4;
}
#define PORT_CONNECTED BIT(0) /* of PORTSC */

/* Whether the controller runs. */
bool xhci_works(const struct xhci *x);

/* Appends a TRB; there is room. */
void xhci_put(struct usb_pipe *p, u64 ptr, u32 status, u32 control);

/* Forgets what is on the pipe. */
void xhci_clear(struct usb_pipe *p);

/* Does a command and waits for it: 0, or -EIO. A controller that does not answer in time is stopped. */
int xhci_command(struct xhci *x, u64 ptr, u32 control);
void xhci_events(struct xhci *x);
