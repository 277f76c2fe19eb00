/* xHCI controllers: taking them over from the BIOS, their rings and events. */
#include "host/xhci.h"

#include "host/console.h"
#include "host/irq.h"
#include "host/paging.h"
#include "host/pci.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Registers by their offset / 4: what the controller can do, the operational ones, interrupter 0. */
enum { CAPLENGTH, HCSPARAMS1, HCSPARAMS2, HCCPARAMS = 4, DBOFF, RTSOFF, CAP_SIZE };
enum { USBCMD, USBSTS, PAGESIZE, CRCR = 6, DCBAAP = 12, CONFIG = 14 };
enum { IMAN, IMOD, ERSTSZ, ERSTBA = 4, ERDP = 6 };

#define SCRATCHPADS(p2) (((p2) >> 16 & 0x3E0) | (p2) >> 27)
#define HCC_64		BIT(0) /* addresses */
#define HCC_64_BYTES	BIT(2) /* contexts */
#define HCC_EXTENDED(h) ((h) >> 16)
#define CMD_RUN		BIT(0)
#define CMD_RESET	BIT(1)
#define CMD_INTERRUPTS	BIT(2)
#define STS_HALTED	BIT(0)
#define STS_EVENT	BIT(3)
#define STS_NOT_READY	BIT(11)
#define STS_FAILED	(STS_HALTED | BIT(2) | BIT(12)) /* host system or controller error */
#define IMAN_ENABLE	BIT(1)
#define ERDP_BUSY	BIT(3)
#define PORT_POWER	BIT(9)

/* The extended capability by which the BIOS gives the controller away (7.1). */
#define EXT_LEGACY  1
#define EXT_MAX	    MiB /* where a list that does not end, does */
#define LEGACY_BIOS BIT(16)
#define LEGACY_OS   BIT(24)
#define SMI_KEEP    0x000E1FEEU /* reserved; all that is not enables an SMI */
#define SMI_EVENTS  0xE0000000U /* cleared by ones */

/* PCI registers of Intel's. */
enum { XUSB2PR = 0xD0, XUSB2PRM = 0xD4, USB3_PSSEN = 0xD8, USB3PRM = 0xDC };
#define INTEL 0x8086

#define HANDOVER_MS 1000
#define READY_MS    1000
#define COMMAND_MS  5000 /* may make the controller talk to a device that does not */
#define CONNECT_MS  500	 /* until devices that have got power are seen */

bool xhci_works(const struct xhci *x)
{
	return x->op[USBCMD] & CMD_RUN && !(x->op[USBSTS] & STS_FAILED);
}

void xhci_clear(struct usb_pipe *p)
{
	memset(p->trb, 0, RING_SIZE * sizeof(*p->trb));
	p->at = 0;
	p->cycle = 1;
}

void xhci_put(struct usb_pipe *p, u64 ptr, u32 status, u32 control)
{
	volatile struct trb *t = &p->trb[p->at++];

	p->last = (const struct trb *)t;
	t->ptr = ptr;
	t->status = status;
	t->control = control | p->cycle; /* last: this makes it the controller's */
}

void usb_make_room(struct usb_pipe *p, u32 trbs)
{
	u32 cycle = p->cycle;

	if (p->at + trbs < RING_SIZE)
		return;
	xhci_put(p, (u64)p->trb, 0, TRB_LINK | TRB_TOGGLE);
	while (p->at < RING_SIZE) /* of the lap before, it would look like one of the next */
		p->trb[p->at++].control = cycle;
	p->at = 0;
	p->cycle ^= 1;
}

/* Of a transfer that is short there may be two events, of which the second can say that all is well, or come
 * when the next has begun. */
static void complete(struct usb_pipe *p, u64 trb, u32 code)
{
	bool current = trb >= (u64)p->first && trb <= (u64)p->last;

	if (p->code == USB_PENDING &&
	    (code == USB_SUCCESS ? trb == (u64)p->last : code != USB_SHORT || current))
		p->code = (u8)code;
}

static void transferred(struct xhci *x, const struct trb *e)
{
	u32 slot = e->control >> 24, dci = e->control >> 16 & 31;
	struct usb_device *u = slot <= XHCI_SLOTS ? x->slots[slot] : NULL;

	for (u32 i = 0; u && i < USB_PIPES; i++)
		if (u->pipe[i].dci == dci)
			complete(&u->pipe[i], e->ptr, e->status >> 24);
}

void xhci_events(struct xhci *x)
{
	const struct trb *e = &x->events[x->event_at];
	bool any = false;

	for (; (*(const volatile u32 *)&e->control & 1) == x->event_cycle; e = &x->events[x->event_at]) {
		u32 type = e->control & 63 << 10;

		any = true;
		dma_barrier();
		if (type == TRB_TRANSFER_EVENT) {
			transferred(x, e);
		} else if (type == TRB_COMMAND_EVENT) {
			x->new_slot = e->control >> 24;
			complete(&x->command, e->ptr, e->status >> 24);
		}
		x->event_at = (x->event_at + 1) % RING_SIZE;
		x->event_cycle ^= !x->event_at;
	}
	if (!any)
		return;
	x->op[USBSTS] = STS_EVENT;
	/* From here on it interrupts again. Both halves, low and then high (5.1). */
	mmio_write_address(&x->interrupter[ERDP], (const u8 *)e + ERDP_BUSY);
}

static bool halt(volatile u32 *op)
{
	op[USBCMD] = 0;
	return wait_bits(&op[USBSTS], STS_HALTED, STS_HALTED, READY_MS);
}

int xhci_command(struct xhci *x, u64 ptr, u32 control)
{
	struct usb_pipe *c = &x->command;

	if (!xhci_works(x))
		return -EIO;
	usb_make_room(c, 1);
	xhci_put(c, ptr, 0, control);
	c->code = USB_PENDING;
	dma_barrier();
	x->doorbell[0] = 0;
	if (!wait_until((xhci_events(x), c->code), COMMAND_MS))
		halt(x->op); /* so that it touches no memory later on */
	return c->code == USB_SUCCESS ? 0 : -EIO;
}

static void take_from_bios(u64 bar, u32 words)
{
	u64 at = bar;

	while (words && at < bar + EXT_MAX) {
		volatile u32 *cap = mmio_map(at += 4 * words, 8);

		if (!cap)
			return;
		words = *cap >> 8 & 0xFF;
		if ((u8)*cap != EXT_LEGACY)
			continue;
		*cap |= LEGACY_OS;
		wait_bits(cap, LEGACY_BIOS, 0, HANDOVER_MS);
		*cap &= ~(u32)LEGACY_BIOS; /* also from one that does not answer */
		cap[1] = (cap[1] & SMI_KEEP) | SMI_EVENTS;
	}
}

/* Ports that Intel's 7, 8 and 9 series and the C610 share between this controller and the EHCI ones, which
 * have them at first. */
static void take_ports(u32 fn)
{
	static const u16 ids[] = {0x1E31, 0x8C31, 0x8CB1, 0x8D31, 0x9C31, 0x9CB1};
	u32 id = pci_read(fn, PCI_ID);

	for (unsigned i = 0; i < ARRAY_SIZE(ids); i++) {
		if (id != ((u32)ids[i] << 16 | INTEL))
			continue;
		pci_write(fn, USB3_PSSEN, pci_read(fn, USB3PRM)); /* all that may be taken */
		pci_write(fn, XUSB2PR, pci_read(fn, XUSB2PRM));
	}
}

static bool reset(volatile u32 *op)
{
	if (!halt(op))
		return false;
	op[USBCMD] = CMD_RESET;
	delay(1); /* Intel's must be left alone so long */
	return wait_bits(&op[USBCMD], CMD_RESET, 0, READY_MS) &&
	       wait_bits(&op[USBSTS], STS_NOT_READY, 0, READY_MS);
}

/* Memory that the controller wants for itself. */
static bool give_scratchpads(struct xhci *x, u32 count)
{
	u64 *list = count ? drive_alloc(count * sizeof(*list), 4 * GiB) : NULL;
	u8 *pages = list ? drive_alloc(count * (u32)PAGE_SIZE, 4 * GiB) : NULL;

	if (!(x->op[PAGESIZE] & 1) || (count && !pages))
		return false;
	for (u32 i = 0; i < count; i++)
		list[i] = (u64)pages + i * PAGE_SIZE;
	x->contexts[0] = (u64)list;
	return true;
}

static bool run(struct xhci *x, u32 slots)
{
	volatile u32 *op = x->op;

	x->command.trb = x->commands;
	xhci_clear(&x->command);
	x->event_cycle = 1;
	x->event_segment.addr = (u64)x->events;
	x->event_segment.size = RING_SIZE;
	op[CONFIG] = MIN(slots, XHCI_SLOTS);
	mmio_write_address(&op[DCBAAP], x->contexts);
	mmio_write_address(&op[CRCR], (u8 *)x->commands + 1); /* the cycle bit */
	x->interrupter[ERSTSZ] = 1;
	mmio_write_address(&x->interrupter[ERDP], x->events);
	mmio_write_address(&x->interrupter[ERSTBA], &x->event_segment);
	x->interrupter[IMOD] = 0;
	x->interrupter[IMAN] = x->interrupts ? IMAN_ENABLE : 0;
	dma_barrier();
	op[USBCMD] = CMD_RUN | (x->interrupts ? CMD_INTERRUPTS : 0);
	return wait_bits(&op[USBSTS], STS_FAILED, 0, READY_MS);
}

int xhci_probe(u32 fn)
{
	u64 bar = pci_bar(fn, 0);
	volatile u32 *cap = bar ? mmio_map(bar, 4 * CAP_SIZE) : NULL;
	struct xhci *x = drive_alloc(sizeof(*x), 4 * GiB);
	u32 params;

	if (!cap || !x)
		return -ENODEV;
	pci_enable(fn);
	params = cap[HCSPARAMS1];
	x->ports = params >> 24;
	x->context_words = cap[HCCPARAMS] & HCC_64_BYTES ? 16 : 8;
	x->op = mmio_map(bar + (u8)cap[CAPLENGTH], 0x400 + 0x10 * x->ports);
	x->interrupter = mmio_map(bar + cap[RTSOFF] + 0x20, 0x20);
	x->doorbell = mmio_map(bar + cap[DBOFF], 4 * (XHCI_SLOTS + 1));
	if (!x->op || !x->interrupter || !x->doorbell)
		return -ENODEV;
	story("PCI %02x:%02x.%u: USB is for disks from here on, a USB keyboard falls silent", fn >> 8,
	      fn >> 3 & 31, fn & 7);
	take_from_bios(bar, HCC_EXTENDED(cap[HCCPARAMS]));
	take_ports(fn);
	x->interrupts = pci_msi(fn, VEC_DISK);
	if (!reset(x->op) || !give_scratchpads(x, SCRATCHPADS(cap[HCSPARAMS2])) || !run(x, params & 0xFF))
		return -ENODEV;
	for (u32 port = 1; port <= x->ports; port++)
		*xhci_port(x, port) = PORT_POWER;
	delay(CONNECT_MS);
	for (u32 port = 1; port <= x->ports; port++)
		if (*xhci_port(x, port) & PORT_CONNECTED)
			usb_disk_try(x, port, &x->lock, cap[HCCPARAMS] & HCC_64 ? ~0ULL : 4 * GiB,
				     x->interrupts);
	return 0;
}
