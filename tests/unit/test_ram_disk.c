/* The disk in RAM. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "vm/disk.h"

static void ram_disk(void **state)
{
	u8 *data = aligned_alloc(4096, 4096), buf[1024];
	struct guest_piece pieces[] = {{buf, 100}, {buf + 100, 924}};
	struct disk_request r = {
		.op = DISK_READ, .sector = 1, .count = 2, .pieces = pieces, .piece_count = 2};
	struct disk *d;

	fake_reset(state);
	for (unsigned i = 0; i < 4096; i++)
		data[i] = (u8)(i * 7);
	d = ram_disk_create(data, 1537, false, "a very long name of a file");
	assert_int_equal(d->sectors, 4);
	assert_memory_equal(d->serial, "a very long name of ", 20);
	assert_int_equal(data[1537] | data[2047], 0);
	assert_int_not_equal(data[2048 + 1], 0);
	assert_int_equal(d->ops->submit(d, &r), 0);
	assert_memory_equal(buf, data + 512, 1024);
	memset(buf, 1, sizeof(buf));
	r.op = DISK_WRITE;
	assert_int_equal(d->ops->submit(d, &r), 0);
	assert_memory_equal(buf, data + 512, 1024);
	r.op = DISK_FLUSH;
	assert_int_equal(d->ops->submit(d, &r), 0);
	r.op = DISK_DISCARD;
	r.count = 1;
	assert_int_equal(d->ops->submit(d, &r), 0);
	assert_int_equal(data[512] | data[1023], 0);
	assert_int_equal(data[1024], 1);
	fake_pages_left = 0;
	assert_null(ram_disk_create(data, 1, true, "x"));
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_disk),
	};

	return cmocka_run_group_tests_name("ram_disk", tests, NULL, NULL);
}
