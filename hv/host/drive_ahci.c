/* SATA disks on an AHCI controller (Serial ATA AHCI 1.3.1): one command at a time a port. */
#include "host/ata.h"
#include "host/irq.h"
#include "host/paging.h"
#include "host/pci.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Registers by their offset / 4: of the controller, then of a port. */
enum { GHC = 1, IS = 2, PI = 3, CAP = 0, CAP2 = 9, BOHC = 10, PORTS = 0x100 / 4, PORT_SIZE = 0x80 / 4 };
enum { P_CLB, P_FB = 2, P_IS = 4, P_IE, P_CMD, P_TFD = 8, P_SIG, P_SSTS, P_SCTL, P_SERR, P_CI = 14 };

#define ABAR_SIZE 0x1100
#define GHC_IE	  BIT(1)
#define GHC_AE	  BIT(31)
#define CAP_64	  BIT(31)
#define CAP2_BOH  BIT(0)
#define BOHC_BOS  BIT(0)
#define BOHC_OOS  BIT(1)
#define CMD_ST	  BIT(0)
#define CMD_UP	  (BIT(1) | BIT(2)) /* SUD, POD */
#define CMD_FRE	  BIT(4)
#define CMD_FR	  BIT(14)
#define CMD_CR	  BIT(15)
#define IS_ERRORS 0x79000000U /* TFES HBFS HBDS IFS OFS */
#define IS_NEW	  BIT(6)      /* PCS: a disk was plugged in since SERR was cleared */
#define IE_ALL	  (IS_ERRORS | 3)
#define TFD_ERR	  BIT(0)
#define TFD_BUSY  0x88U /* BSY, DRQ */
#define SIG_ATA	  0x00000101U
#define PRESENT	  3 /* SSTS.DET: a device, and the link works */
#define STOP_MS	  500
#define READY_MS  1000
#define BUSY_MS	  10000 /* a disk may be at a bad sector still; ATA lets it take 31 s */

#define FIS_H2D	     0x8027U /* a command */
#define HEADER_FIS_5 5U	     /* dwords */
#define HEADER_WRITE BIT(6)
#define DEVICE_LBA   0x40U

/* What the port reads and writes. */
struct port_memory {
	u32 header[32][8]; /* the command list, of which number 0 is used */
	u8 received[1024];
	struct {
		u32 fis[32];
		struct {
			u64 addr;
			u32 reserved, len; /* less 1 */
		} prd[DRIVE_SEGMENTS];
	} table;
	u16 id[2][ATA_SECTOR / 2]; /* of the disk that was found first, and of the one that is there now */
};
_Static_assert(offsetof(struct port_memory, table) % 128 == 0, "AHCI 1.3.1 4.2.2");

struct ahci {
	struct drive d;
	struct spinlock lock;
	volatile u32 *hba, *port;
	u32 number;
	struct port_memory m __aligned(PAGE_SIZE);
};

static void issue(struct ahci *a, u8 command, const struct drive_cmd *c)
{
	struct port_memory *m = &a->m;
	bool flush = c->op == DRIVE_FLUSH;
	u64 lba = flush ? 0 : c->block;
	u32 blocks = flush ? 0 : c->blocks, *fis = m->table.fis;

	fis[0] = FIS_H2D | (u32)command << 16 | (c->op == DRIVE_DISCARD ? ATA_TRIM << 24 : 0);
	fis[1] = (u32)(lba & 0xFFFFFF) | DEVICE_LBA << 24;
	fis[2] = (u32)(lba >> 24);
	fis[3] = blocks;
	fis[4] = 0;
	for (u32 i = 0; i < c->count; i++) {
		m->table.prd[i].addr = c->seg[i].addr;
		m->table.prd[i].len = c->seg[i].len - 1;
	}
	m->header[0][0] = HEADER_FIS_5 | (c->op == DRIVE_READ || flush ? 0 : HEADER_WRITE) | c->count << 16;
	m->header[0][1] = 0;
	dma_barrier();
	a->port[P_CI] = 1;
}

static void start(struct drive *d, u32 tag, struct drive_cmd *c)
{
	struct ahci *a = (struct ahci *)d;

	if (c->op == DRIVE_DISCARD)
		ata_trim(c);
	if (!(a->port[P_IS] & IS_NEW)) /* else poll() says so: the command is not for that one */
		issue(a, ata_commands[c->op], c);
}

/* Stops the port: it touches no memory any more. */
static bool stop(struct ahci *a)
{
	volatile u32 *p = a->port;

	p[P_CMD] &= ~(u32)CMD_ST;
	if (!wait_bits(&p[P_CMD], CMD_CR, 0, STOP_MS))
		return false;
	p[P_CMD] &= ~(u32)CMD_FRE;
	return wait_bits(&p[P_CMD], CMD_FR, 0, STOP_MS);
}

static bool run(struct ahci *a)
{
	volatile u32 *p = a->port;

	p[P_SERR] = ~0U;
	p[P_IS] = ~0U;
	mmio_write_address(&p[P_CLB], a->m.header);
	mmio_write_address(&p[P_FB], a->m.received);
	p[P_CMD] |= CMD_FRE | CMD_UP;
	if (!wait_bits(&p[P_TFD], TFD_BUSY, 0, BUSY_MS))
		return false;
	p[P_CMD] |= CMD_ST;
	return true;
}

static bool identify(struct ahci *a, u16 *id)
{
	struct drive_cmd c = {.op = DRIVE_READ, .count = 1, .seg[0] = {(u64)id, ATA_SECTOR}};

	issue(a, ATA_IDENTIFY, &c);
	return wait_bits(&a->port[P_CI], 1, 0, BUSY_MS) && !(a->port[P_TFD] & TFD_ERR);
}

static int reset(struct drive *d)
{
	struct ahci *a = (struct ahci *)d;
	volatile u32 *p = a->port;
	u32 control = p[P_SCTL] & ~15U;

	stop(a);
	p[P_SCTL] = control | 1; /* COMRESET */
	delay(2);
	p[P_SCTL] = control;
	if (!wait_bits(&p[P_SSTS], 15, PRESENT, READY_MS) || !run(a) || !identify(a, a->m.id[1]) ||
	    memcmp(a->m.id[0] + ATA_NAMES, a->m.id[1] + ATA_NAMES, ATA_NAMES_SIZE))
		return -EIO;
	p[P_IS] = ~0U; /* IDENTIFY's, which nobody waits for; a new disk's stays (SERR) */
	a->hba[IS] = 1U << a->number;
	return 0;
}

static int poll(struct drive *d)
{
	struct ahci *a = (struct ahci *)d;
	volatile u32 *p = a->port;
	u32 is = p[P_IS];

	if ((p[P_SSTS] & 15) != PRESENT || is & IS_NEW)
		return -EIO;
	p[P_IS] = is;
	a->hba[IS] = 1U << a->number;
	if (!(is & IS_ERRORS) && p[P_CI] & 1)
		return 0;
	if (!(is & IS_ERRORS) && !(p[P_TFD] & TFD_ERR)) {
		drive_done(d, 0, 0);
		return 0;
	}
	/* The port has stopped at the command that failed (6.2.2.1). */
	drive_done(d, 0, -EIO);
	return stop(a) && run(a) ? 0 : -EIO;
}

static const struct drive_ops ahci_ops = {start, poll, reset};

/* The port is ours from here on: what the BIOS had it do is over. */
static void add(volatile u32 *hba, u32 number, bool interrupts)
{
	volatile u32 *port = hba + PORTS + number * PORT_SIZE;
	u64 limit = hba[CAP] & CAP_64 ? ~0ULL : 4 * GiB; /* of what it reaches, the port's own memory too */
	struct ahci *a;

	port[P_IE] = 0; /* of ports without a drive of ours too: nobody would clear their interrupts */
	if ((port[P_SSTS] & 15) != PRESENT || port[P_SIG] != SIG_ATA)
		return;
	a = drive_alloc(sizeof(*a), limit);
	if (!a)
		return;
	a->hba = hba;
	a->port = port;
	a->number = number;
	mmio_write_address(&a->m.header[0][2], &a->m.table);
	a->d.ops = &ahci_ops;
	a->d.lock = &a->lock;
	a->d.depth = 1;
	a->d.interrupts = interrupts;
	a->d.rules = (struct dma_rules){.align = 2, .max_segments = DRIVE_SEGMENTS, .limit = limit};
	if (stop(a) && run(a) && identify(a, a->m.id[0]) && ata_identity(&a->d, a->m.id[0])) {
		drive_add(&a->d, "ahci");
		port[P_IS] = ~0U;
		if (interrupts)
			port[P_IE] = IE_ALL;
	}
}

int ahci_probe(u32 fn)
{
	u64 bar = pci_bar(fn, 5);
	volatile u32 *hba = bar ? mmio_map(bar, ABAR_SIZE) : NULL;
	bool interrupts;

	if (!hba)
		return -ENODEV;
	pci_enable(fn);
	hba[GHC] |= GHC_AE;
	if (hba[CAP2] & CAP2_BOH) { /* from the BIOS to us (10.6.3) */
		hba[BOHC] |= BOHC_OOS;
		wait_bits(&hba[BOHC], BOHC_BOS, 0, READY_MS);
	}
	interrupts = pci_msi(fn, VEC_DISK);
	for (u32 i = 0, ports = hba[PI]; ports; i++, ports >>= 1)
		if (ports & 1)
			add(hba, i, interrupts);
	hba[IS] = ~0U;
	if (interrupts)
		hba[GHC] |= GHC_IE;
	return 0;
}
