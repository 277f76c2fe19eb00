/* A USB device: from the reset of its port to bulk pipes (USB 2.0 9.1.1, xHCI 4.3), and requests. */
#include "host/xhci.h"

#include "host/console.h"
#include "lib/errno.h"
#include "lib/string.h"

/* PORTSC (5.4.8). */
#define PORT_ENABLED	  BIT(1)
#define PORT_RESET	  BIT(4)
#define PORT_LINK(p)	  ((p) >> 5 & 15)
#define PORT_SPEED(p)	  ((p) >> 10 & 15)
#define PORT_NEW	  BIT(17) /* another device, perhaps */
#define PORT_CHANGES	  (0x7FU << 17)
#define PORT_RESET_DONE	  BIT(21)
#define PORT_WARM_RESET	  BIT(31)
#define PORT_KEEP	  0x0E00C200U /* power, lights, wake-up: the rest does something when a one is written */
#define LINK_INACTIVE	  6	      /* an error of USB 3, as is compliance mode */
#define LINK_COMPLIANCE	  10
#define SPEED_HIGH	  3 /* those above are SuperSpeed */
#define CONTROL_PACKET(s) ((s) == SPEED_HIGH ? 64U : 512U)

#define RESET_MS    500
#define RECOVERY_MS 10
#define CONTROL_MS  1000

/* Requests: type, request, value; and descriptors. */
#define GET_CONFIGURATION_DESCRIPTOR 0x02000680U
#define SET_CONFIGURATION(n)	     ((u32)(n) << 16 | 0x0900)
#define CLEAR_ENDPOINT_HALT	     0x0102U
#define CONFIGURATION_SIZE	     255 /* read of it: as all hosts do */

enum { INTERFACE = 4, ENDPOINT = 5, COMPANION = 0x30 };
enum { HUB = 9 };				 /* class */
static const u8 bulk_only_disk[] = {8, 6, 0x50}; /* class, subclass, protocol */

/* Contexts in the input context, and of an endpoint. */
enum { CTX_CONTROL = 0, CTX_SLOT = 1, CTX_ENDPOINTS = 1 };
enum { EP_BULK_OUT = 2, EP_CONTROL = 4, EP_BULK_IN = 6 };
#define EP_RETRIES (3U << 1)
#define AVERAGE	   3072U /* bytes a TRB: for the controller to plan with */

bool usb_is_there(const struct usb_device *u)
{
	return xhci_works(u->x) &&
	       (*xhci_port(u->x, u->port) & (PORT_CONNECTED | PORT_NEW)) == PORT_CONNECTED;
}

/* Gives the device's speed, or 0. */
static u32 reset_port(volatile u32 *port)
{
	u32 link = PORT_LINK(*port), status;
	bool warm = link == LINK_INACTIVE || link == LINK_COMPLIANCE;

	*port = (*port & PORT_KEEP) | (u32)(warm ? PORT_WARM_RESET : PORT_RESET) | PORT_CHANGES;
	wait_bits(port, PORT_RESET_DONE, PORT_RESET_DONE, RESET_MS);
	delay(RECOVERY_MS);
	status = *port;
	*port = (status & PORT_KEEP) | PORT_CHANGES;
	return status & PORT_ENABLED ? PORT_SPEED(status) : 0;
}

static void set_endpoint(struct usb_device *u, enum usb_pipe_id id, u32 type, u32 dci, u32 packet, u32 burst)
{
	struct usb_pipe *p = &u->pipe[id];
	u32 *ctx = u->input + (CTX_ENDPOINTS + dci) * u->x->context_words;

	p->trb = u->rings[id];
	p->dci = dci;
	p->packet = packet;
	xhci_clear(p);
	ctx[1] = packet << 16 | burst << 8 | type << 3 | EP_RETRIES;
	ctx[2] = (u32)(u64)p->trb | p->cycle;
	ctx[4] = AVERAGE;
	u->input[CTX_CONTROL + 1] |= 1U << dci; /* is to be added */
}

void usb_start(struct usb_device *u, enum usb_pipe_id id)
{
	u->pipe[id].code = USB_PENDING;
	dma_barrier();
	u->x->doorbell[u->slot] = u->pipe[id].dci;
}

void usb_events(struct usb_device *u)
{
	xhci_events(u->x);
}

int usb_control(struct usb_device *u, u32 request, u32 index, u32 len)
{
	struct usb_pipe *p = &u->pipe[USB_CONTROL];

	usb_make_room(p, 3);
	xhci_put(p, request | (u64)index << 32 | (u64)len << 48, 8,
		 TRB_SETUP | TRB_DATA_HERE | (len ? 3U << 16 : 0));
	if (len)
		xhci_put(p, (u64)u->data, len, TRB_DATA | TRB_IN);
	xhci_put(p, 0, 0, TRB_STATUS | TRB_TELL | (len ? 0U : TRB_IN));
	usb_start(u, USB_CONTROL);
	return wait_until((usb_events(u), p->code), CONTROL_MS) && p->code == USB_SUCCESS ? 0 : -EIO;
}

void usb_put(struct usb_pipe *p, const struct dma_segment *seg, u32 count, bool tell)
{
	u32 left = 0;

	for (u32 i = 0; i < count; i++)
		left += seg[i].len;
	p->first = &p->trb[p->at];
	for (u32 i = 0; i < count; i++) {
		u32 more = i + 1 < count ? TRB_CHAIN : tell ? TRB_TELL : 0, packets;

		left -= seg[i].len;
		packets = (left + p->packet - 1) / p->packet; /* that follow this TRB's (4.11.2.4) */
		xhci_put(p, seg[i].addr, seg[i].len | MIN(packets, 31) << 17, TRB_NORMAL | TRB_SHORT | more);
	}
}

int usb_clear_halt(struct usb_device *u, enum usb_pipe_id id)
{
	struct usb_pipe *p = &u->pipe[id];
	u64 behind = (u64)&p->trb[p->at] | p->cycle;
	u32 target = u->slot << 24 | p->dci << 16, address = p->dci >> 1 | (p->dci & 1) << 7;

	return xhci_command(u->x, 0, TRB_RESET_ENDPOINT | target) ||
			       xhci_command(u->x, behind, TRB_SET_DEQUEUE | target) ||
			       usb_control(u, CLEAR_ENDPOINT_HALT, address, 0)
		       ? -EIO
		       : 0;
}

/* Finds the disk's interface in the configuration and describes its pipes to the controller. */
static int find_pipes(struct usb_device *u)
{
	const u8 *d = u->data, *end = d + MIN(d[2] | d[3] << 8, CONFIGURATION_SIZE);
	bool ours = false;

	for (; d + 2 <= end && d[0] >= 2 && d + d[0] <= end; d += d[0]) {
		if (d[1] == INTERFACE && d[0] >= 9) {
			if (u->pipe[USB_IN].dci && u->pipe[USB_OUT].dci)
				return 0;
			if (d[5] == HUB)
				story("USB port %u: a hub; what hangs on it is not looked at", u->port);
			ours = !d[3] && !memcmp(d + 5, bulk_only_disk, sizeof(bulk_only_disk));
		} else if (ours && d[1] == ENDPOINT && d[0] >= 7 && (d[3] & 3) == 2) {
			bool in = d[2] & 0x80;
			u32 burst = d + d[0] + 6 <= end && d[d[0] + 1] == COMPANION ? d[d[0] + 2] & 15U : 0;

			set_endpoint(u, in ? USB_IN : USB_OUT, in ? EP_BULK_IN : EP_BULK_OUT,
				     (d[2] & 15U) * 2 + in, MAX((d[4] | (u32)d[5] << 8) & 0x7FF, 1U), burst);
		}
	}
	return u->pipe[USB_IN].dci && u->pipe[USB_OUT].dci ? 0 : -ENODEV;
}

static int configure(struct usb_device *u)
{
	u32 *slot = u->input + CTX_SLOT * u->x->context_words;
	int err;

	if (usb_control(u, GET_CONFIGURATION_DESCRIPTOR, 0, CONFIGURATION_SIZE))
		return -EIO;
	u->input[CTX_CONTROL + 1] = 1; /* the slot */
	err = find_pipes(u);
	if (err)
		return err;
	slot[0] += (30U - (u32)__builtin_clz(u->input[CTX_CONTROL + 1]))
		   << 27; /* the last context, no more the first */
	return xhci_command(u->x, (u64)u->input, TRB_CONFIGURE_ENDPOINT | u->slot << 24) ||
			       usb_control(u, SET_CONFIGURATION(u->data[5]), 0, 0)
		       ? -EIO
		       : 0;
}

int usb_attach(struct usb_device *u)
{
	struct xhci *x = u->x;
	u32 speed = reset_port(xhci_port(x, u->port)), *slot = u->input + CTX_SLOT * x->context_words;

	if (speed < SPEED_HIGH) /* a keyboard, a mouse */
		return -ENODEV;
	memset(u->input, 0, sizeof(u->input));
	memset(u->context, 0, sizeof(u->context));
	memset(u->pipe, 0, sizeof(u->pipe));
	if (xhci_command(x, 0, TRB_ENABLE_SLOT) || !x->new_slot || x->new_slot > XHCI_SLOTS)
		return -EIO;
	u->slot = x->new_slot;
	x->slots[u->slot] = u;
	x->contexts[u->slot] = (u64)u->context;
	u->input[CTX_CONTROL + 1] = 1;
	slot[0] = 1U << 27 | speed << 20;
	slot[1] = u->port << 16;
	set_endpoint(u, USB_CONTROL, EP_CONTROL, 1, CONTROL_PACKET(speed), 0);
	if (xhci_command(x, (u64)u->input, TRB_ADDRESS_DEVICE | u->slot << 24))
		return -EIO;
	delay(RECOVERY_MS);
	return configure(u);
}

void usb_detach(struct usb_device *u)
{
	struct xhci *x = u->x;

	if (!u->slot)
		return;
	for (u32 i = 0; i < USB_PIPES; i++)
		if (u->pipe[i].dci)
			xhci_command(x, 0, TRB_STOP_ENDPOINT | u->slot << 24 | u->pipe[i].dci << 16);
	xhci_command(x, 0, TRB_DISABLE_SLOT | u->slot << 24);
	x->slots[u->slot] = NULL;
	x->contexts[u->slot] = 0;
	u->slot = 0;
}
