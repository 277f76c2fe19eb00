/* The queue before a drive: jobs wait for a free tag, run command by command, and end. A drive that does not
 * answer is reset, and given up when that does not help: its jobs fail, and nothing else does. */
#include "host/drive.h"

#include "lib/errno.h"
#include "lib/printf.h"

#define TIMEOUT_SECONDS 30 /* a disk may have to spin up first */
#define TIMEOUTS_MAX	3
#define CANCEL_MS	1000

u64 deadline_in(u32 ms)
{
	return tsc_now() + tsc_hz / 1000 * ms;
}

bool is_past(u64 deadline)
{
	cpu_relax();
	return tsc_now() >= deadline;
}

bool wait_bits(const volatile u32 *reg, u32 mask, u32 want, u32 ms)
{
	return wait_until((*reg & mask) == want, ms);
}

void delay(u32 ms)
{
	wait_until(false, ms);
}

static void end(struct drive_job *j, int err)
{
	j->err = err;
	__atomic_store_n(&j->ended, true, __ATOMIC_RELEASE);
}

static struct drive_job *take_waiting(struct drive *d)
{
	struct drive_job *j = d->waiting;

	d->waiting = j->next;
	if (!d->waiting)
		d->waiting_end = &d->waiting;
	return j;
}

static void start_waiting(struct drive *d)
{
	u32 all = (u32)(BIT(d->depth) - 1);
	struct drive_cmd c;

	while (d->waiting && d->busy != all && !(d->other && d->other->busy)) {
		struct drive_job *j = take_waiting(d);
		u32 tag = (u32)__builtin_ctz(~d->busy);

		if (j->stop || j->err || !j->step(j, &c)) {
			end(j, j->err);
			if (d->other && d->other->waiting) /* it is the other one's turn */
				d = d->other;
			continue;
		}
		j->since = tsc_now();
		d->busy |= BIT(tag);
		d->running[tag] = j;
		d->ops->start(d, tag, &c);
	}
}

/* Takes a running command off the drive's list. */
static struct drive_job *take_running(struct drive *d, u32 tag)
{
	d->busy &= ~BIT(tag);
	return d->running[tag];
}

void drive_done(struct drive *d, u32 tag, int err)
{
	struct drive_job *j;

	dma_barrier(); /* what the drive has written is looked at from here on */
	if (tag >= d->depth || !(d->busy & BIT(tag))) /* a drive that makes things up */
		return;
	j = take_running(d, tag);
	d->timeouts = 0;
	j->err = err;
	/* First in the queue again: what has begun is brought to its end. */
	j->next = d->waiting;
	d->waiting = j;
	if (!j->next)
		d->waiting_end = &j->next;
}

static void reset(struct drive *d, const char *why)
{
	printk("disk %s: %s, resetting it\n", d->name, why);
	d->dead = d->ops->reset(d) || ++d->timeouts >= TIMEOUTS_MAX;
	while (d->busy)
		end(take_running(d, (u32)__builtin_ctz(d->busy)), -EIO);
	if (!d->dead)
		return;
	printk("disk %s: it is gone; all that its guest asks of it fails from now on\n", d->name);
	while (d->waiting)
		end(take_waiting(d), -EIO);
}

void drive_submit(struct drive *d, struct drive_job *j)
{
	j->err = 0;
	j->ended = j->stop = false;
	j->next = NULL;
	if (d->dead) {
		end(j, -EIO);
		return;
	}
	*d->waiting_end = j;
	d->waiting_end = &j->next;
	start_waiting(d);
}

static bool is_late(const struct drive *d)
{
	for (u32 tag = 0; tag < d->depth; tag++)
		if (d->busy & BIT(tag) && tsc_now() - d->running[tag]->since > TIMEOUT_SECONDS * tsc_hz)
			return true;
	return false;
}

void drive_poll(struct drive *d)
{
	if (d->busy && d->ops->poll(d))
		reset(d, "it is not there any more, or has failed");
	if (is_late(d))
		reset(d, "no answer");
	start_waiting(d);
}

/* Takes j off the queue; false when it is running or has ended. */
static bool take_back(struct drive *d, const struct drive_job *j)
{
	for (struct drive_job **p = &d->waiting; *p; p = &(*p)->next) {
		if (*p != j)
			continue;
		*p = j->next;
		if (!*p)
			d->waiting_end = p;
		return true;
	}
	return false;
}

void drive_cancel(struct drive *d, struct drive_job *j)
{
	j->stop = true;
	if (!take_back(d, j) && !wait_until((drive_poll(d), j->ended), CANCEL_MS))
		reset(d, "a request does not end");
}

struct read_job {
	struct drive_job job;
	struct drive *d;
	u64 block;
	void *buf;
};

static bool read_step(struct drive_job *j, struct drive_cmd *c)
{
	struct read_job *r = (struct read_job *)j;

	if (!r->buf)
		return false;
	c->op = DRIVE_READ;
	c->block = r->block;
	c->blocks = 1;
	c->count = 1;
	c->seg[0] = (struct dma_segment){(u64)r->buf, r->d->block_size};
	r->buf = NULL;
	return true;
}

int drive_read(struct drive *d, u64 block, void *buf)
{
	struct read_job r = {.job.step = read_step, .d = d, .block = block, .buf = buf};

	if (block >= d->blocks)
		return -EIO;
	spin_lock(d->lock);
	drive_submit(d, &r.job);
	while (!r.job.ended)
		drive_poll(d);
	spin_unlock(d->lock);
	return r.job.err;
}
