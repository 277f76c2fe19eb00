/* A guest's requests made commands of a drive. */
#include "fake_drive.h"

#include "vm/dma_cursor.h"

static u8 model[COUNT * 512]; /* what must be in the disk */

static int setup_model(void **state)
{
	setup(state);
	memcpy(model, media + FIRST * 512, sizeof(model));
	return 0;
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

static void test_writes_that_go_through(void **state)
{
	struct guest_piece piece = {arena, 4096};
	struct disk_request r = {.op = DISK_WRITE,
				 .pieces = &piece,
				 .piece_count = 1,
				 .count = 8,
				 .through = true,
				 .done = done};
	struct disk *d = make();

	drive.rules.max_bytes = 2048;
	done_count = 0;
	assert_int_equal(d->ops->submit(d, &r), DISK_PENDING);
	d->ops->poll(d);
	d->ops->poll(d);
	assert_int_equal(running[0].op, DRIVE_FLUSH);
	assert_int_equal(done_count, 0);
	d->ops->poll(d);
	assert_int_equal(done_count, 1);
	assert_int_equal(started, 3);
	assert_int_equal(flushes, 1);
	drive.write_through = true;
	assert_int_equal(do_all(d, &r), 0);
	assert_int_equal(started, 5);
	assert_int_equal(flushes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_any_memory, setup_model),
		cmocka_unit_test_setup(test_memory_that_dma_does_not_reach, setup),
		cmocka_unit_test_setup(test_outside, setup),
		cmocka_unit_test_setup(test_discards_take_as_many_commands_as_the_drive_wants, setup_model),
		cmocka_unit_test_setup(test_flush_is_done_when_the_drive_says_so, setup),
		cmocka_unit_test_setup(test_writes_that_go_through, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
