/* ATA disks on an IDE controller with bus-master DMA: the PIIX and all that are built like it ("Programming
 * Interface for Bus Master IDE Controller" 1.0; ATA/ATAPI-6). A cable has up to two disks and does one
 * command at a time. */
#include "host/apic.h"
#include "host/ata.h"
#include "host/ioapic.h"
#include "host/irq.h"
#include "host/page.h"
#include "host/pci.h"
#include "lib/errno.h"

/* The task file, from io on. */
enum { DATA, FEATURES, COUNT, LBA_LOW, LBA_MID, LBA_HIGH, DEVICE, COMMAND, STATUS = COMMAND };
/* From bm on. */
enum { BM_COMMAND, BM_STATUS = 2, BM_PRD = 4 };

enum { ST_ERR = 0x01, ST_DRQ = 0x08, ST_DF = 0x20, ST_BSY = 0x80 };
enum { BM_START = 0x01, BM_TO_MEMORY = 0x08 };
enum { BM_ERROR = 0x02, BM_INTERRUPT = 0x04 };
enum { CTL_SRST = 0x04 };
enum { DEV_LBA = 0xE0, DEV_SECOND = 0x10 };

#define BUSY_MS	  1000
#define RESET_MS  10000 /* a disk may be at a bad sector still; ATA lets it take 31 s */
#define SETTLE_US 2	/* until BSY can be believed: 400 ns */
#define PRD_LAST  BIT(15)
#define NATIVE(n) BIT(2 * (n)) /* cable n has ports and an IRQ by PCI, in the programming interface */

struct prd {
	u32 addr;
	u16 len; /* 0: 64 KiB */
	u16 flags;
};

struct cable;

struct ata {
	struct drive d;
	struct cable *c;
	u8 device;
	bool flushing;
};

struct cable {				/* below 4 GiB, where bus mastering ends */
	struct prd prd[DRIVE_SEGMENTS]; /* first, and so within 64 KiB */
	struct ata ata[2];
	struct spinlock lock;
	u16 io, control, bm;
};

static void set_place(const struct cable *c, u32 blocks, u64 block)
{
	outb(c->io + COUNT, (u8)blocks);
	for (u32 i = 0; i < 3; i++)
		outb(c->io + LBA_LOW + i, (u8)(block >> 8 * i));
}

static void start(struct drive *d, u32 tag, struct drive_cmd *cmd)
{
	struct ata *a = (struct ata *)d;
	struct cable *c = a->c;

	if (cmd->op == DRIVE_DISCARD)
		ata_trim(cmd);
	for (u32 i = 0; i < cmd->count; i++)
		c->prd[i] = (struct prd){(u32)cmd->seg[i].addr, (u16)cmd->seg[i].len,
					 i + 1 == cmd->count ? PRD_LAST : 0};
	dma_barrier();
	outb(c->bm + BM_COMMAND, 0);
	outb(c->bm + BM_STATUS, inb(c->bm + BM_STATUS) | BM_ERROR | BM_INTERRUPT); /* cleared by ones */
	outl(c->bm + BM_PRD, (u32)(u64)c->prd);
	outb(c->io + DEVICE, a->device);
	a->flushing = cmd->op == DRIVE_FLUSH;
	if (!a->flushing) {
		/* Each register takes the high byte first, and then the low one. */
		outb(c->io + FEATURES, 0);
		outb(c->io + FEATURES, cmd->op == DRIVE_DISCARD ? ATA_TRIM : 0);
		set_place(c, cmd->blocks >> 8, cmd->block >> 24);
		set_place(c, cmd->blocks, cmd->block);
	}
	outb(c->io + COMMAND, ata_commands[cmd->op]);
	if (!a->flushing)
		outb(c->bm + BM_COMMAND, BM_START | (cmd->op == DRIVE_READ ? BM_TO_MEMORY : 0));
}

static int poll(struct drive *d)
{
	struct ata *a = (struct ata *)d;
	struct cable *c = a->c;
	u8 bm, status;

	if (tsc_now() - d->running[0]->since < tsc_hz / 1000000 * SETTLE_US)
		return 0;
	bm = inb(c->bm + BM_STATUS);
	status = inb(c->control);
	if (status == 0xFF)
		return -EIO;
	/* The controller reports the interrupt only when all data have reached memory. */
	if (status & ST_BSY || (!a->flushing && !(bm & BM_INTERRUPT)))
		return 0;
	status = inb(c->io + STATUS); /* takes the interrupt back */
	outb(c->bm + BM_COMMAND, 0);
	outb(c->bm + BM_STATUS, bm | BM_ERROR | BM_INTERRUPT);
	drive_done(d, 0, status & (ST_ERR | ST_DF | ST_DRQ) || bm & BM_ERROR ? -EIO : 0);
	return 0;
}

static bool not_busy(const struct cable *c)
{
	return !(inb(c->control) & (ST_BSY | ST_DRQ));
}

static int reset(struct drive *d)
{
	struct cable *c = ((struct ata *)d)->c;

	outb(c->bm + BM_COMMAND, 0);
	outb(c->control, CTL_SRST);
	delay(1);
	outb(c->control, 0);
	delay(2); /* then BSY can be believed */
	return wait_until(not_busy(c), RESET_MS) ? 0 : -EIO;
}

static const struct drive_ops ata_ops = {start, poll, reset};

/* Asks the disk what it is. False when there is none, or a CD-ROM drive. */
static bool identify(struct cable *c, u8 device, u16 *id)
{
	u8 status;

	outb(c->io + DEVICE, device);
	delay(1);
	outb(c->io + COUNT, 0x55);
	outb(c->io + LBA_LOW, 0xAA);
	if (inb(c->io + COUNT) != 0x55 || inb(c->io + LBA_LOW) != 0xAA)
		return false;
	status = inb(c->control);
	if (!status || status == 0xFF || !wait_until(not_busy(c), BUSY_MS))
		return false;
	outb(c->io + COMMAND, ATA_IDENTIFY);
	delay(1);
	if (!inb(c->control) || !wait_until(!((status = inb(c->control)) & ST_BSY), BUSY_MS) ||
	    status & ST_ERR || !(status & ST_DRQ))
		return false;
	for (unsigned i = 0; i < 256; i++)
		id[i] = inw(c->io + DATA);
	inb(c->io + STATUS);
	return true;
}

static void add(struct cable *c, unsigned n, bool interrupts)
{
	struct ata *a = &c->ata[n];
	struct drive *d = &a->d;
	u16 id[256];

	a->c = c;
	a->device = n ? DEV_LBA | DEV_SECOND : DEV_LBA;
	d->rules = (struct dma_rules){.align = 2, .max_segments = DRIVE_SEGMENTS, .limit = 1ULL << 32};
	if (!identify(c, a->device, id) || !ata_identity(d, id))
		return;
	d->ops = &ata_ops;
	d->lock = &c->lock;
	d->other = &c->ata[!n].d;
	d->depth = 1;
	d->interrupts = interrupts;
	drive_add(d, "ata");
}

/* A legacy cable has the ports and the IRQ it had on the PC/AT. */
static void probe_cable(u32 fn, unsigned n, bool native, u16 bm)
{
	struct cable *c = drive_alloc(sizeof(*c), 4 * GiB);
	bool interrupts = false;

	if (!c)
		return;
	c->io = native ? (u16)pci_bar(fn, 2 * n) : n ? 0x170 : 0x1F0;
	c->control = native ? (u16)(pci_bar(fn, 2 * n + 1) + 2) : n ? 0x376 : 0x3F6;
	c->bm = (u16)(bm + 8 * n);
	if (!c->io || inb(c->control) == 0xFF)
		return;
	outb(c->control, 0); /* interrupts on: they are how the controller tells that data have arrived */
	if (!native)
		interrupts = !ioapic_route_isa(14 + n, VEC_DISK, apic_id());
	add(c, 0, interrupts);
	add(c, 1, interrupts);
}

int ata_probe(u32 fn)
{
	u32 interface = pci_read(fn, PCI_CLASS) >> 8;
	u16 bm = (u16)pci_bar(fn, 4);

	if (!(interface & BIT(7)) || !bm) /* no bus mastering */
		return -ENODEV;
	pci_enable(fn);
	/* IRQs 14 and 15 are not INTx, but what turns INTx off silences them too on Intel chipsets since the
	 * ICH5. */
	if (!(interface & NATIVE(0)) || !(interface & NATIVE(1)))
		pci_write(fn, PCI_COMMAND, (u16)(pci_read(fn, PCI_COMMAND) & ~PCI_NO_INTX));
	probe_cable(fn, 0, interface & NATIVE(0), bm);
	probe_cable(fn, 1, interface & NATIVE(1), bm);
	return 0;
}
