/* The queue before a drive, and drives that fail. */
#include "fake_drive.h"

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
	struct guest_piece piece = {arena, 512};
	struct disk_request r = {
		.op = DISK_READ, .pieces = &piece, .piece_count = 1, .count = 1, .done = done};
	struct disk *a, *b;

	drive.depth = 1;
	other = drive;
	drive.other = &other;
	other.other = &drive;
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

	/* One that always has something to do, be it errors, does not keep the other one from it. */
	for (u32 run = 0; run < 2; run++) {
		failing = run;
		done_count = 0;
		for (u32 i = 0; i < 3; i++)
			a->ops->submit(a, &r);
		b->ops->submit(b, &r);
		a->ops->poll(a);
		assert_int_equal(done_count, 1);
		assert_true(other.busy && !drive.busy);
		b->ops->poll(b);
		assert_int_equal(done_count, 2);
		assert_int_equal(done_err, failing ? -EIO : 0);
		assert_true(drive.busy && !other.busy);
		for (u32 i = 0; i < 2; i++)
			a->ops->poll(a);
		assert_int_equal(done_count, 4);
		assert_false(drive.busy || drive.waiting || other.busy || other.waiting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_a_silent_drive_ends_itself_only, setup),
		cmocka_unit_test_setup(test_a_yanked_drive, setup),
		cmocka_unit_test_setup(test_more_than_the_drive_takes, setup),
		cmocka_unit_test_setup(test_cancel, setup),
		cmocka_unit_test_setup(test_two_drives_on_a_cable, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
