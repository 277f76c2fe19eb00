#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/ata.h"
#include "lib/errno.h"
#include "vm/disk.h"
#include "vm/dma_cursor.h"

#define BLOCKS 4096
#define FIRST  100
#define COUNT  3000
#define ARENA  (4 * MiB)

static u8 media[BLOCKS * 512], model[COUNT * 512], *arena;
static struct drive drive;
static struct spinlock drive_lock, vm_lock;
static struct drive_cmd running[DRIVE_TAGS];
static u32 started, resets, flushes;
static bool silent, failing, gone;

static void start(struct drive *d, u32 tag, struct drive_cmd *c)
{
	u64 bytes = 0;

	if (c->op != DRIVE_FLUSH)
		assert_true(c->block >= FIRST && c->block + c->blocks <= FIRST + COUNT);
	if (c->op == DRIVE_DISCARD) {
		assert_in_range(c->blocks, 1, d->discard_max);
		assert_int_equal(c->count, 1);
		ata_trim(c);
	}
	running[tag] = *c;
	started++;
	assert_in_range(c->count, 0, d->rules.max_segments);
	for (u32 i = 0; i < c->count; i++) {
		u64 addr = c->seg[i].addr, end = addr + c->seg[i].len;

		assert_true(c->seg[i].len && addr >> 16 == (end - 1) >> 16 && end <= d->rules.limit);
		assert_int_equal((addr | end) & (d->rules.align - 1), 0);
		if (d->rules.page_joints && i)
			assert_int_equal(addr % PAGE_SIZE, 0);
		if (d->rules.page_joints && i + 1 < c->count)
			assert_int_equal(end % PAGE_SIZE, 0);
		bytes += c->seg[i].len;
	}
	assert_int_equal(bytes, c->blocks * d->block_size);
	assert_true(bytes <= d->rules.max_bytes && (bytes || c->op == DRIVE_FLUSH));
}

static void transfer(const struct drive_cmd *c)
{
	u8 *at = media + c->block * 512;

	for (u32 i = 0; i < c->count; at += c->seg[i++].len)
		if (c->op == DRIVE_READ)
			memcpy((void *)c->seg[i].addr, at, c->seg[i].len);
		else if (c->op == DRIVE_WRITE)
			memcpy(at, (void *)c->seg[i].addr, c->seg[i].len);
		else
			for (const u64 *range = (u64 *)c->seg[i].addr; *range; range++)
				memset(media + (*range & (BIT(48) - 1)) * 512, 0, (*range >> 48) * 512);
	flushes += c->op == DRIVE_FLUSH;
}

static int poll(struct drive *d)
{
	if (gone)
		return -EIO;
	for (u32 tag = 0; !silent && tag < DRIVE_TAGS; tag++) {
		if (!(d->busy & BIT(tag)))
			continue;
		if (!failing)
			transfer(&running[tag]);
		drive_done(d, tag, failing ? -EIO : 0);
	}
	fake_tsc += tsc_hz / 100; /* for those who wait */
	return 0;
}

static int reset(struct drive *d)
{
	resets++;
	return 0;
}

static const struct drive_ops ops = {start, poll, reset};

static int setup(void **state)
{
	fake_reset(state);
	if (!arena)
		arena = aligned_alloc(BIT(16), ARENA);
	drive = (struct drive){.ops = &ops,
			       .lock = &drive_lock,
			       .name = "fake0",
			       .blocks = BLOCKS,
			       .block_size = 512,
			       .depth = DRIVE_TAGS,
			       .waiting_end = &drive.waiting};
	drive.rules = (struct dma_rules){
		.align = 2, .max_segments = DRIVE_SEGMENTS, .max_bytes = 1 << 20, .limit = ~0ULL};
	started = resets = flushes = 0;
	silent = failing = gone = false;
	for (u32 i = 0; i < sizeof(media); i++)
		media[i] = (u8)rand();
	memcpy(model, media + FIRST * 512, sizeof(model));
	return 0;
}

static struct disk *make(void)
{
	struct disk *d = host_disk_create(&drive, FIRST, COUNT, false, "fake0p1");

	d->lock = &vm_lock;
	assert_int_equal(d->sectors, COUNT);
	return d;
}

static u32 done_count;
static int done_err;

static void done(struct disk_request *r, int err)
{
	done_count++;
	done_err = err;
}

static int do_all(struct disk *d, struct disk_request *r)
{
	r->done = done;
	done_count = 0;
	assert_int_equal(d->ops->submit(d, r), DISK_PENDING);
	for (u32 i = 0; i < 20000 && !done_count; i++)
		d->ops->poll(d);
	assert_int_equal(done_count, 1);
	return done_err;
}

/* Pieces of any length and place, as short or as odd as the round wants them. */
static u32 make_pieces(struct guest_piece *p, u32 bytes, u32 round)
{
	u8 *at = arena + (round & 1 ? (u32)rand() % 9000 : 0);
	u32 n = 0;

	while (bytes) {
		u32 len = round & 2 ? 1 + (u32)rand() % 70000 : PAGE_SIZE * (1 + (u32)rand() % 20);

		if (n == DISK_MAX_PIECES - 1 || len > bytes)
			len = bytes;
		if (n < DISK_MAX_PIECES - 2 && !(rand() % 8))
			p[n++] = (struct guest_piece){at, 0};
		p[n++] = (struct guest_piece){at, len};
		at += round & 4 ? len : ALIGN_UP(len, PAGE_SIZE) + (round & 1);
		bytes -= len;
	}
	assert_true(at < arena + ARENA);
	return n;
}

static const struct dma_rules all_rules[] = {
	{.align = 2, .max_segments = 64, .max_bytes = 1 << 20, .limit = ~0ULL},
	{.align = 2, .max_segments = 64, .max_bytes = 256 * 512, .limit = ~0ULL},
	{.align = 4, .max_segments = 64, .max_bytes = 63 * 4096, .limit = ~0ULL, .page_joints = true},
	{.align = 1, .max_segments = 14, .max_bytes = 1 << 20, .limit = ~0ULL},
	{.align = 1, .max_segments = 1, .max_bytes = 4096, .limit = ~0ULL},
};

static void test_any_memory(void **state)
{
	struct guest_piece pieces[DISK_MAX_PIECES];

	for (u32 round = 0; round < 600; round++) {
		struct disk_request r = {.op = rand() & 1 ? DISK_READ : DISK_WRITE, .pieces = pieces};
		struct disk *d;
		u8 *m;

		drive.rules = all_rules[round % ARRAY_SIZE(all_rules)];
		d = make();
		r.count = 1 + (u32)rand() % (round % 3 ? 600 : 16);
		r.sector = (u32)rand() % (COUNT - r.count + 1);
		r.piece_count = make_pieces(pieces, (u32)r.count * 512, round);
		for (u32 i = 0; i < r.piece_count; i++)
			for (u32 k = 0; k < pieces[i].len; k++)
				pieces[i].p[k] = (u8)rand();
		m = model + r.sector * 512;
		for (u32 i = 0; r.op == DISK_WRITE && i < r.piece_count; m += pieces[i++].len)
			memcpy(m, pieces[i].p, pieces[i].len);
		assert_int_equal(do_all(d, &r), 0);
		for (u32 i = 0; r.op == DISK_READ && i < r.piece_count; m += pieces[i++].len)
			assert_memory_equal(m, pieces[i].p, pieces[i].len);
		assert_memory_equal(media + FIRST * 512, model, sizeof(model));
	}
}

static void test_memory_that_dma_does_not_reach(void **state)
{
	struct guest_piece piece = {arena, 8 * 4096};
	struct disk_request r = {.op = DISK_READ, .pieces = &piece, .piece_count = 1, .count = 64};
	struct disk *d = make();

	drive.rules.limit = (u64)arena + 4096;
	r.done = done;
	assert_int_equal(d->ops->submit(d, &r), DISK_PENDING);
	assert_int_equal(running[0].count, 1);
	assert_int_equal(running[0].seg[0].len, 4096);
}

static void test_outside(void **state)
{
	struct guest_piece piece = {arena, 1024};
	struct disk_request r = {
		.op = DISK_WRITE, .pieces = &piece, .piece_count = 1, .sector = COUNT - 1, .count = 2};
	struct disk *d = make();

	assert_int_equal(d->ops->submit(d, &r), -EIO);
	r.sector = ~0ULL;
	assert_int_equal(d->ops->submit(d, &r), -EIO);
	r.op = DISK_DISCARD;
	r.sector = 0;
	assert_int_equal(d->ops->submit(d, &r), -EIO);
	assert_int_equal(started, 0);
}

static void test_discards_take_as_many_commands_as_the_drive_wants(void **state)
{
	static const u64 places[][2] = {{0, 1}, {7, 500}, {COUNT - 1500, 1500}, {5, 0}};
	struct disk *d;

	drive.discard_max = 500;
	d = make();
	assert_true(d->can_discard);
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		struct disk_request r = {.op = DISK_DISCARD, .sector = places[i][0], .count = places[i][1]};

		started = 0;
		assert_int_equal(do_all(d, &r), 0);
		assert_int_equal(started, (r.count + 499) / 500);
		memset(model + r.sector * 512, 0, r.count * 512);
		assert_memory_equal(media + FIRST * 512, model, sizeof(model));
	}
}

static void test_trim(void **state)
{
	struct drive_cmd c = {.op = DRIVE_DISCARD, .block = 0x123456789A, .blocks = 64 * 0xFFFF, .count = 1};
	u64 *range = (u64 *)arena;

	memset(arena, 0x55, 1024);
	c.seg[0] = (struct dma_segment){(u64)arena, PAGE_SIZE};
	ata_trim(&c);
	for (u32 i = 0; i < 64; i++)
		assert_int_equal(range[i], (0x123456789A + i * 0xFFFFULL) | 0xFFFFULL << 48);
	assert_int_equal(arena[512], 0x55);
	assert_int_equal(c.seg[0].len, 512);
	assert_int_equal(c.blocks, 1);
	assert_int_equal(c.block, 0);

	c = (struct drive_cmd){.block = 9, .blocks = 0x10000, .count = 1, .seg[0] = {(u64)arena, PAGE_SIZE}};
	ata_trim(&c);
	assert_int_equal(range[0], 9 | 0xFFFFULL << 48);
	assert_int_equal(range[1], (9 + 0xFFFF) | 1ULL << 48);
	assert_int_equal(range[2], 0);
}

static void test_identify(void **state)
{
	u16 id[256] = {[49] = 0x300, [83] = 0x4400, [100] = 0x5678, [101] = 0x1234, [169] = 1};
	struct drive d = {0};

	assert_true(ata_identity(&d, id));
	assert_int_equal(d.blocks, 0x12345678);
	assert_int_equal(d.block_size, 512);
	assert_int_equal(d.discard_max, 64 * 0xFFFF);
	id[106] = 0x5000;
	id[117] = 2048;
	id[169] = 0;
	d = (struct drive){0};
	assert_true(ata_identity(&d, id));
	assert_int_equal(d.block_size, 4096);
	assert_int_equal(d.discard_max, 0);
	id[83] = 0xC400; /* not a valid word */
	assert_false(ata_identity(&d, id));
}

static void test_flush_is_done_when_the_drive_says_so(void **state)
{
	struct disk_request r = {.op = DISK_FLUSH, .done = done};
	struct disk *d = make();

	silent = true;
	done_count = 0;
	assert_int_equal(d->ops->submit(d, &r), DISK_PENDING);
	assert_int_equal(running[0].op, DRIVE_FLUSH);
	d->ops->poll(d);
	assert_int_equal(done_count, 0);
	silent = false;
	d->ops->poll(d);
	assert_int_equal(done_count, 1);
	assert_int_equal(flushes, 1);
	drive.write_through = true;
	assert_int_equal(d->ops->submit(d, &r), 0);
}

static void test_errors(void **state)
{
	struct guest_piece piece = {arena + 1, 512};
	struct disk_request r = {.op = DISK_READ, .pieces = &piece, .piece_count = 1, .count = 1};
	struct disk *d = make();

	failing = true;
	arena[1] = 0x77;
	assert_int_equal(do_all(d, &r), -EIO);
	assert_int_equal(arena[1], 0x77);
	failing = false;
	assert_int_equal(do_all(d, &r), 0);
	assert_int_equal(resets, 0);
}

static void test_a_silent_drive_ends_itself_only(void **state)
{
	struct guest_piece piece = {arena, 512};
	struct disk_request r = {.op = DISK_READ, .pieces = &piece, .piece_count = 1, .count = 1};
	struct disk *d = make();

	silent = true;
	for (u32 i = 1; i <= 3; i++) {
		assert_int_equal(do_all(d, &r), -EIO);
		assert_int_equal(resets, i);
	}
	assert_true(drive.dead);
	started = 0;
	assert_int_equal(do_all(d, &r), -EIO);
	assert_int_equal(started, 0);
	assert_non_null(strstr(captured(), "disk fake0: it is gone"));
}

static void test_a_yanked_drive(void **state)
{
	struct disk_request r = {.op = DISK_FLUSH};
	struct disk *d = make();

	gone = true;
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(do_all(d, &r), -EIO);
	assert_true(drive.dead);
}

static void test_more_than_the_drive_takes(void **state)
{
	struct guest_piece piece = {arena, 512};
	struct disk_request r[DISK_MAX_PENDING];
	struct disk *d = make();

	drive.depth = 2;
	done_count = 0;
	for (u32 i = 0; i < DISK_MAX_PENDING; i++) {
		r[i] = (struct disk_request){.op = DISK_READ,
					     .pieces = &piece,
					     .piece_count = 1,
					     .sector = i,
					     .count = 1,
					     .done = done};
		assert_int_equal(d->ops->submit(d, &r[i]), DISK_PENDING);
	}
	assert_int_equal(started, 2);
	assert_int_equal(d->ops->submit(d, &r[0]), -EIO);
	for (u32 i = 0; i < 2 * DISK_MAX_PENDING; i++)
		d->ops->poll(d);
	assert_int_equal(done_count, DISK_MAX_PENDING);
	assert_int_equal(started, DISK_MAX_PENDING);
}

static void test_cancel(void **state)
{
	struct guest_piece piece = {arena, 512};
	struct disk_request r = {
		.op = DISK_READ, .pieces = &piece, .piece_count = 1, .count = 1, .done = done};
	struct disk *d = make();

	for (silent = false;; silent = true) {
		drive.depth = 1;
		started = done_count = resets = 0;
		for (u32 i = 0; i < 3; i++)
			d->ops->submit(d, &r);
		d->ops->cancel(d);
		assert_int_equal(done_count, 0);
		assert_int_equal(drive.busy, 0);
		assert_null(drive.waiting);
		assert_ptr_equal(drive.waiting_end, &drive.waiting);
		assert_int_equal(started, 1);
		assert_int_equal(resets, silent);
		d->ops->poll(d);
		assert_int_equal(done_count, 0);
		if (silent)
			break;
	}
	silent = false;
	assert_int_equal(do_all(d, &r), 0);
}

static void test_two_drives_on_a_cable(void **state)
{
	static struct drive other;
	static bool busy;
	struct guest_piece piece = {arena, 512};
	struct disk_request r = {
		.op = DISK_READ, .pieces = &piece, .piece_count = 1, .count = 1, .done = done};
	struct disk *a, *b;

	drive.cable_busy = &busy;
	drive.depth = 1;
	other = drive;
	other.waiting_end = &other.waiting;
	a = make();
	b = host_disk_create(&other, FIRST, COUNT, false, "b");
	done_count = 0;
	a->ops->submit(a, &r);
	b->ops->submit(b, &r);
	assert_int_equal(started, 1);
	b->ops->poll(b);
	assert_int_equal(done_count, 0);
	a->ops->poll(a);
	assert_int_equal(done_count, 1);
	b->ops->poll(b);
	assert_int_equal(started, 2);
	b->ops->poll(b);
	assert_int_equal(done_count, 2);
	assert_false(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_any_memory, setup),
		cmocka_unit_test_setup(test_memory_that_dma_does_not_reach, setup),
		cmocka_unit_test_setup(test_outside, setup),
		cmocka_unit_test_setup(test_discards_take_as_many_commands_as_the_drive_wants, setup),
		cmocka_unit_test_setup(test_trim, setup),
		cmocka_unit_test_setup(test_identify, setup),
		cmocka_unit_test_setup(test_flush_is_done_when_the_drive_says_so, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_a_silent_drive_ends_itself_only, setup),
		cmocka_unit_test_setup(test_a_yanked_drive, setup),
		cmocka_unit_test_setup(test_more_than_the_drive_takes, setup),
		cmocka_unit_test_setup(test_cancel, setup),
		cmocka_unit_test_setup(test_two_drives_on_a_cable, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
