/* NVMe (NVM Express Base 1.4): one pair of queues, namespace 1. */
#include "host/drive.h"
#include "host/irq.h"
#include "host/paging.h"
#include "host/pci.h"
#include "lib/errno.h"
#include "lib/string.h"

/* Registers by their offset / 4. */
enum { CAP = 0, CAP_HIGH = 1, CC = 5, CSTS = 7, AQA = 9, ASQ = 10, ACQ = 12, DOORBELLS = 0x1000 / 4 };

#define BAR_SIZE       0x2000
#define CAP_TO(cap)    ((cap) >> 24 & 0xFF) /* 500 ms each: what the controller may take to get ready */
#define CAPH_DSTRD(h)  ((h)&15)
#define CAPH_MPSMIN(h) ((h) >> 16 & 15)
#define CC_ENABLE      (4U << 20 | 6U << 16 | 1) /* entries of 16 and 64 bytes, pages of 4 KiB */
#define CSTS_RDY       BIT(0)
#define CSTS_CFS       BIT(1) /* fatal */

#define ENTRIES	  32U /* of each queue: more than tags, so that none is ever full */
#define ADMIN_MS  1000
#define PRP_PAGES 64 /* of 4 KiB in a command */
#define NAMESPACE 1
#define PHASE	  BIT(16)
#define QUEUE_1	  ((ENTRIES - 1) << 16 | 1)

enum { ADMIN_CREATE_SQ = 1, ADMIN_CREATE_CQ = 5, ADMIN_IDENTIFY = 6, ADMIN_SET_FEATURES = 9 };
enum { FEATURE_QUEUES = 7 };
enum { DEALLOCATE = 4, MAY_DEALLOCATE = 4 /* ONCS */ };
static const u8 opcodes[] = {[DRIVE_READ] = 2, [DRIVE_WRITE] = 1, [DRIVE_FLUSH] = 0, [DRIVE_DISCARD] = 9};

struct command {
	u32 op; /* opcode, command id << 16 */
	u32 nsid;
	u64 reserved, metadata, prp[2];
	u32 dw[6]; /* 10 to 15 */
};

/* Of a dataset management command's list. */
struct range {
	u32 attributes, blocks;
	u64 block;
};

struct completion {
	u32 result, reserved, sq;
	u32 status; /* command id, phase, status << 17 */
};

struct queue {
	struct command sq[ENTRIES] __aligned(PAGE_SIZE);
	struct completion cq[ENTRIES] __aligned(PAGE_SIZE);
	volatile u32 *doorbell[2];
	u32 tail, head;
	u32 phase; /* of new completions: PHASE or 0 */
};

struct nvme {
	struct drive d;
	struct spinlock lock;
	volatile u32 *regs;
	struct queue admin, io;
	u32 data[PAGE_SIZE / 4] __aligned(PAGE_SIZE); /* what the controller tells of itself */
	u64 lists[DRIVE_TAGS][PRP_PAGES];	      /* no list crosses a page */
};

static void ring(struct queue *q, const struct command *c)
{
	q->sq[q->tail] = *c;
	q->tail = (q->tail + 1) % ENTRIES;
	dma_barrier();
	*q->doorbell[0] = q->tail;
}

/* The next completion: its command id and status, or -1. */
static long reap(struct queue *q, u32 *status)
{
	u32 s = *(volatile u32 *)&q->cq[q->head].status;

	if ((s & PHASE) != q->phase)
		return -1;
	q->head = (q->head + 1) % ENTRIES;
	if (!q->head)
		q->phase ^= PHASE;
	*q->doorbell[1] = q->head;
	*status = s >> 17 & 0x7FF;
	return (u16)s;
}

static int admin(struct nvme *n, u32 op, u32 nsid, const void *page, u32 dw10, u32 dw11)
{
	struct command c = {.op = op, .nsid = nsid, .prp[0] = (u64)page, .dw = {dw10, dw11}};
	u32 status = 0;

	ring(&n->admin, &c);
	return wait_until(reap(&n->admin, &status) >= 0, ADMIN_MS) && !status ? 0 : -EIO;
}

/* The first page by PRP 1; the others by PRP 2, or by the tag's list when there are several (4.3). */
static void set_prps(struct nvme *n, u32 tag, const struct drive_cmd *cmd, struct command *c)
{
	u64 *list = n->lists[tag];
	u32 pages = 0;

	for (u32 i = 0; i < cmd->count; i++)
		for (u64 at = cmd->seg[i].addr, end = at + cmd->seg[i].len; at < end;
		     at = (at & PAGE_MASK) + PAGE_SIZE)
			if (pages++)
				list[pages - 2] = at;
			else
				c->prp[0] = at;
	c->prp[1] = pages > 2 ? (u64)list : pages == 2 ? list[0] : 0;
}

static void start(struct drive *d, u32 tag, struct drive_cmd *cmd)
{
	struct nvme *n = (struct nvme *)d;
	struct command c = {.op = opcodes[cmd->op] | tag << 16, .nsid = NAMESPACE};

	if (cmd->op != DRIVE_FLUSH)
		set_prps(n, tag, cmd, &c);
	if (cmd->op == DRIVE_DISCARD) {
		*(struct range *)cmd->seg[0].addr = (struct range){0, cmd->blocks, cmd->block};
		c.dw[1] = DEALLOCATE;
	} else if (cmd->op != DRIVE_FLUSH) {
		c.dw[0] = (u32)cmd->block;
		c.dw[1] = (u32)(cmd->block >> 32);
		c.dw[2] = cmd->blocks - 1;
	}
	ring(&n->io, &c);
}

static int poll(struct drive *d)
{
	struct nvme *n = (struct nvme *)d;
	u32 status;
	long id;

	while (d->busy && (id = reap(&n->io, &status)) >= 0)
		drive_done(d, (u32)id, status ? -EIO : 0);
	return d->busy && n->regs[CSTS] & CSTS_CFS ? -EIO : 0; /* also when all reads give ones */
}

static void set_up(struct nvme *n, struct queue *q, u32 id)
{
	u32 stride = CAPH_DSTRD(n->regs[CAP_HIGH]);

	memset(q, 0, sizeof(*q));
	q->doorbell[0] = n->regs + DOORBELLS + ((2 * id) << stride);
	q->doorbell[1] = q->doorbell[0] + (1U << stride);
	q->phase = PHASE;
}

static bool ready(struct nvme *n, u32 want)
{
	return wait_bits(&n->regs[CSTS], CSTS_RDY, want, 500 * (CAP_TO(n->regs[CAP]) + 1));
}

static int reset(struct drive *d)
{
	struct nvme *n = (struct nvme *)d;
	volatile u32 *r = n->regs;

	if (!~r[CSTS])
		return -EIO;
	r[CC] = 0;
	if (!ready(n, 0))
		return -EIO;
	set_up(n, &n->admin, 0);
	set_up(n, &n->io, 1);
	r[AQA] = (ENTRIES - 1) << 16 | (ENTRIES - 1);
	mmio_write_address(&r[ASQ], n->admin.sq);
	mmio_write_address(&r[ACQ], n->admin.cq);
	dma_barrier();
	r[CC] = CC_ENABLE;
	return ready(n, 1) && !admin(n, ADMIN_SET_FEATURES, 0, NULL, FEATURE_QUEUES, 0) &&
			       !admin(n, ADMIN_CREATE_CQ, 0, n->io.cq, QUEUE_1, d->interrupts ? 3 : 1) &&
			       !admin(n, ADMIN_CREATE_SQ, 0, n->io.sq, QUEUE_1, 1 << 16 | 1)
		       ? 0
		       : -EIO;
}

static const struct drive_ops nvme_ops = {start, poll, reset};

/* Asks the controller for its limits and the namespace for its size. */
static int identify(struct nvme *n)
{
	enum { NAMESPACE_DATA = 0, CONTROLLER = 1 };
	const u8 *bytes = (const u8 *)n->data;
	u32 format;

	if (admin(n, ADMIN_IDENTIFY, 0, bytes, CONTROLLER, 0))
		return -EIO;
	n->d.rules.max_bytes = (PRP_PAGES - 1) * PAGE_SIZE;
	if (bytes[77] && bytes[77] < 6) /* MDTS: of pages, as a power of two */
		n->d.rules.max_bytes = (u32)PAGE_SIZE << bytes[77];
	if (bytes[520] & MAY_DEALLOCATE)
		n->d.discard_max = ~0U;
	memcpy(n->d.model, bytes + 24, sizeof(n->d.model));
	if (admin(n, ADMIN_IDENTIFY, NAMESPACE, bytes, NAMESPACE_DATA, 0))
		return -EIO;
	n->d.blocks = n->data[0] | (u64)n->data[1] << 32;
	format = n->data[128 / 4 + (bytes[26] & 15)];
	if (!(format & 0xFFFF) && (format >> 16 & 0xFF) < 16) /* no metadata beside the blocks */
		n->d.block_size = 1U << (format >> 16 & 0xFF);
	return 0;
}

int nvme_probe(u32 fn)
{
	u64 bar = pci_bar(fn, 0);
	struct nvme *n = drive_alloc(sizeof(*n), 0);

	if (!bar || !n || !(n->regs = mmio_map(bar, BAR_SIZE)))
		return -ENODEV;
	pci_enable(fn);
	if (CAPH_MPSMIN(n->regs[CAP_HIGH]) || CAPH_DSTRD(n->regs[CAP_HIGH]) > 8)
		return -ENODEV;
	n->d.ops = &nvme_ops;
	n->d.lock = &n->lock;
	n->d.depth = DRIVE_TAGS;
	n->d.interrupts = pci_msi(fn, VEC_DISK);
	n->d.rules = (struct dma_rules){
		.align = 4, .max_segments = DRIVE_SEGMENTS, .limit = ~0ULL, .page_joints = true};
	if (reset(&n->d) || identify(n))
		return -ENODEV;
	drive_add(&n->d, "nvme");
	return 0;
}
