/* The driver for USB disks, on a stick that does wrong whatever it is told to. */
#include "usb_stick.h"

static int setup(void **state)
{
	fake_reset(state);
	memset(&wrong, 0, sizeof(wrong));
	attached = cleared = 0;
	blocks = BLOCKS;
	drive = NULL;
	for (u32 i = 0; i < sizeof(media); i++)
		media[i] = (u8)rand();
	return 0;
}

static struct drive *plug_in(void)
{
	usb_disk_try(NULL, 7, &lock, 4 * GiB, true);
	return drive;
}

/* A job of one command. */
static struct drive_cmd cmd;
static bool stepped;

static bool step(struct drive_job *j, struct drive_cmd *c)
{
	*c = cmd;
	stepped = !stepped;
	return stepped;
}

static int run(enum drive_op op, u64 block, u32 count, u8 *buf)
{
	struct drive_job job = {.step = step};

	cmd = (struct drive_cmd){.op = op, .block = block, .blocks = count, .count = count};
	for (u32 i = 0; i < count; i++)
		cmd.seg[i] = (struct dma_segment){(u64)buf + i * BLOCK, BLOCK};
	stepped = false;
	drive_submit(drive, &job);
	while (!job.ended)
		drive_poll(drive);
	return job.err;
}

static int read_block(u64 block)
{
	u8 buf[BLOCK];

	return run(DRIVE_READ, block, 1, buf);
}

static void test_what_it_is(void **state)
{
	assert_non_null(plug_in());
	assert_int_equal(drive->blocks, BLOCKS);
	assert_int_equal(drive->block_size, BLOCK);
	assert_false(drive->readonly);
	assert_memory_equal(drive->model, "Maker   A stick         ", 25);
	wrong.mode = 0x80;
	assert_true(plug_in()->readonly);
	wrong.fail_op = MODE_SENSE; /* an old one that does not know it */
	wrong.fail = 1;
	assert_false(plug_in()->readonly);
}

static void test_what_is_no_disk(void **state)
{
	wrong.attach = -ENODEV;
	assert_null(plug_in());
	assert_string_equal(captured(), "");
	wrong.attach = 0;
	wrong.type = 5; /* a CD-ROM drive */
	assert_null(plug_in());
	assert_non_null(strstr(captured(), "USB port 7"));
	wrong.type = 0;
	wrong.no_medium = true;
	wrong.asc = 0x3A;
	assert_null(plug_in());
	wrong.no_medium = false;
	wrong.silent = true;
	assert_null(plug_in());
}

static void test_getting_ready(void **state)
{
	wrong.asc = 0x28; /* as sticks say that are new */
	wrong.key = 6;
	wrong.not_ready = 3;
	assert_non_null(plug_in());
	drive = NULL;
	wrong.not_ready = ~0U;
	wrong.asc = 4;
	assert_null(plug_in());
}

static void test_any_block(void **state)
{
	static u8 buf[DRIVE_SEGMENTS * BLOCK], model[sizeof(media)];

	for (u32 large = 0; large < 2; large++) {
		u64 first = 0;

		memcpy(model, media, sizeof(media));
		if (large)
			first = BIT(32) - BLOCKS / 2; /* across what 32 bits can name */
		blocks = first + BLOCKS;
		plug_in();
		assert_int_equal(drive->blocks, blocks);
		for (u32 i = 0; i < 300; i++) {
			u32 count = 1 + (u32)rand() % DRIVE_SEGMENTS, block = (u32)rand() % (BLOCKS - count);

			for (u32 k = 0; k < count * BLOCK; k++)
				buf[k] = (u8)rand();
			if (i & 1) {
				memcpy(model + block * BLOCK, buf, count * BLOCK);
				assert_int_equal(run(DRIVE_WRITE, first + block, count, buf), 0);
			} else {
				assert_int_equal(run(DRIVE_READ, first + block, count, buf), 0);
				assert_memory_equal(buf, model + block * BLOCK, count * BLOCK);
			}
		}
		assert_memory_equal(media, model, sizeof(media));
	}
	assert_int_equal(attached, 2);
}

static void test_flush(void **state)
{
	plug_in();
	assert_int_equal(run(DRIVE_FLUSH, 0, 0, NULL), 0);
	assert_int_equal(cdb[0], FLUSH);
	wrong.fail_op = FLUSH;
	wrong.fail = 1;
	wrong.key = 3;
	assert_int_equal(run(DRIVE_FLUSH, 0, 0, NULL), -EIO);
	assert_false(drive->write_through);
	wrong.fail = 1;
	wrong.key = 5; /* it has no such command */
	assert_int_equal(run(DRIVE_FLUSH, 0, 0, NULL), 0);
	assert_true(drive->write_through);
	assert_int_equal(attached, 1);
}

static void test_bad_blocks(void **state)
{
	plug_in();
	wrong.fail_op = READ;
	wrong.fail = 1;
	wrong.key = 3;
	assert_int_equal(read_block(5), -EIO);
	assert_int_equal(read_block(5), 0);
	wrong.cut = 1; /* no error, but not all that was asked for */
	assert_int_equal(read_block(5), -EIO);
	wrong.cut = 0;
	assert_int_equal(read_block(5), 0);
	assert_int_equal(attached, 1);
}

static void test_what_was_not_processed(void **state)
{
	u8 buf[BLOCK] = {0};

	plug_in();
	wrong.residue = 1;
	assert_int_equal(read_block(5), -EIO);
	assert_int_equal(run(DRIVE_WRITE, 5, 1, buf), -EIO);
	wrong.residue = BLOCK;
	assert_int_equal(read_block(5), -EIO);
	wrong.residue = BLOCK + 1; /* more than there were: it cannot count */
	assert_int_equal(read_block(5), 0);
	assert_int_equal(attached, 1);
}

static void test_residues_that_mean_nothing(void **state)
{
	wrong.residue = 13; /* of any command, that for the 36 bytes of INQUIRY too */
	plug_in();
	assert_int_equal(read_block(5), 0);
	wrong.cut = 1;
	assert_int_equal(read_block(5), -EIO);
	plug_in(); /* here it is right at first */
	wrong.cut = 0;
	assert_int_equal(read_block(5), -EIO);
}

static void test_stalls(void **state)
{
	u8 buf[BLOCK] = {0};

	plug_in();
	wrong.stall_data = 1;
	assert_int_equal(read_block(5), -EIO);
	assert_int_equal(cleared, 1);
	wrong.stall_out = 1;
	assert_int_equal(run(DRIVE_WRITE, 5, 1, buf), -EIO);
	wrong.stall_data = wrong.stall_status = 1;
	assert_int_equal(read_block(5), -EIO);
	assert_int_equal(cleared, 4);
	assert_int_equal(attached, 1);
	wrong.stall_status = 1; /* of the status alone: all data have come */
	assert_int_equal(read_block(5), 0);
	wrong.stall_status = 3;
	assert_int_equal(read_block(5), -EIO);
	assert_int_equal(attached, 2); /* as with other errors */
	assert_int_equal(read_block(5), 0);
}

static void test_what_a_reset_helps_against(void **state)
{
	plug_in();
	for (u32 i = 0; i < 3; i++) {
		wrong.bad_tag = i == 0;
		wrong.status = i == 1 ? 2 : 0; /* a phase error */
		wrong.code = i == 2 ? TRANSACTION_ERROR : 0;
		assert_int_equal(read_block(1), -EIO);
		assert_int_equal(attached, i + 2);
		wrong.bad_tag = wrong.status = wrong.code = 0;
		assert_int_equal(read_block(1), 0);
	}
	assert_false(drive->dead);
}

static void test_what_is_gone_stays_gone(void **state)
{
	plug_in();
	wrong.fail_op = READ;
	wrong.fail = 1;
	wrong.key = 6;
	wrong.asc = 0x28; /* another card in the reader */
	assert_int_equal(read_block(1), -EIO);
	assert_true(drive->dead);
	assert_int_equal(attached, 1);
	plug_in();
	wrong.silent = wrong.gone = true;
	assert_int_equal(read_block(1), -EIO);
	assert_true(drive->dead);
	wrong.silent = wrong.gone = false;
	plug_in();
	wrong.status = 2;
	blocks++; /* another stick in its place */
	assert_int_equal(read_block(1), -EIO);
	assert_true(drive->dead);
}

static void test_silence(void **state)
{
	plug_in();
	wrong.silent = true;
	assert_int_equal(read_block(1), -EIO);
	assert_true(drive->dead);
	assert_non_null(strstr(captured(), "no answer"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_what_it_is, setup),
		cmocka_unit_test_setup(test_what_is_no_disk, setup),
		cmocka_unit_test_setup(test_getting_ready, setup),
		cmocka_unit_test_setup(test_any_block, setup),
		cmocka_unit_test_setup(test_flush, setup),
		cmocka_unit_test_setup(test_bad_blocks, setup),
		cmocka_unit_test_setup(test_what_was_not_processed, setup),
		cmocka_unit_test_setup(test_residues_that_mean_nothing, setup),
		cmocka_unit_test_setup(test_stalls, setup),
		cmocka_unit_test_setup(test_what_a_reset_helps_against, setup),
		cmocka_unit_test_setup(test_what_is_gone_stays_gone, setup),
		cmocka_unit_test_setup(test_silence, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
