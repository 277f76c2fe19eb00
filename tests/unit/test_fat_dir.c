/* The names in a FAT32 volume, short and long, and its directories. */
#include "fat_disk.h"

static u8 checksum(const char *name)
{
	u8 sum = 0;

	for (int i = 0; i < 11; i++)
		sum = (u8)((sum >> 1 | sum << 7) + (u8)name[i]);
	return sum;
}

/* A long name's entries from at on; returns their number. */
static u32 put_lfn(u32 dir, u32 at, const u16 *units, u32 len, u8 sum)
{
	static const u8 where[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	u32 pieces = (len + 12) / 13;

	for (u32 i = 0; i < pieces; i++) {
		u32 order = pieces - i;
		u8 *e = cluster(dir) + (at + i) * 32;

		memset(e, 0, 32);
		e[0] = (u8)(order | (i == 0 ? 0x40 : 0));
		e[11] = 0x0F;
		e[13] = sum;
		for (u32 k = 0; k < 13; k++) {
			u32 n = (order - 1) * 13 + k;

			put16(e + where[k], n < len ? units[n] : n == len ? 0 : 0xFFFF);
		}
	}
	return pieces;
}

static u32 put_lfn_ascii(u32 dir, u32 at, const char *name, u8 sum)
{
	u16 units[256];
	u32 len = 0;

	for (; name[len]; len++)
		units[len] = (u8)name[len];
	return put_lfn(dir, at, units, len, sum);
}

static void reports_a_file_that_begins_nowhere(void **state)
{
	static const u32 first[] = {0, 1, CLUSTERS + 2, 0xFFFFFFFF};

	for (unsigned i = 0; i < ARRAY_SIZE(first); i++) {
		make_disk(1);
		put_entry(ROOT, 0, "F          ", 0, first[i], 1500);
		mount_ok();
		assert_int_equal(missing("f"), -EINVAL);
		assert_memory_equal(captured(), "boot partition: FAT32 is damaged: a file begins", 47);
	}
}

static void short_names(void **state)
{
	make_disk(1);
	put_entry(ROOT, 0, "PXHV       ", 0x08, 0, 0); /* the label is no file */
	put_entry(ROOT, 1, "\xE5RASED  BIN", 0, 0, 0);
	put_entry(ROOT, 2, "PXHV    CNF", 0, 0, 0);
	put_entry(ROOT, 3, "NOEXT      ", 0, 0, 0);
	put_entry(ROOT, 4, "A B     C  ", 0, 0, 0);
	put_entry(ROOT, 5, "\x05KANJI  TXT", 0, 0, 0);
	put_entry(ROOT, 6, "ABCDEFGHIJK", 0, 0, 0);
	mount_ok();
	open_ok("pxhv.cnf");
	open_ok("PXHV.CNF");
	open_ok("noext");
	open_ok("a b.c");
	open_ok("\xE5kanji.txt");
	open_ok("abcdefgh.ijk");
	assert_int_equal(missing("pxhv"), -ENOENT);
	assert_int_equal(missing("rased.bin"), -ENOENT);
	assert_int_equal(missing("\xE5rased.bin"), -ENOENT);
	assert_int_equal(missing("noext."), -ENOENT);
	assert_int_equal(missing("ab.c"), -ENOENT);
	assert_int_equal(missing("abcdefghijk"), -ENOENT);
	assert_int_equal(missing("pxhv.cn"), -ENOENT);
	assert_int_equal(missing("pxhv.cnfx"), -ENOENT);
	assert_string_equal(captured(), "");
}

static void long_names(void **state)
{
	static const u16 german[] = {0xE4, 0xF6, 0x20AC, '.', 'K'}, emoji[] = {'x', 0xD83D, 0xDE00},
			 half[] = {'h', 0xD83D},
			 thirteen[] = {'t', 'h', 'i', 'r', 't', 'e', 'e', 'n', '-', '-', '-', '-', '-'};
	char longest[256];
	u32 at = 0;

	make_disk(8);
	at += put_lfn_ascii(ROOT, at, "vmlinuz-6.1.0-18-cloud-amd64", checksum("VMLINU~1018"));
	put_entry(ROOT, at++, "VMLINU~1018", 0, 0, 0);
	at += put_lfn(ROOT, at, german, 5, checksum("AEOE~1  K  "));
	put_entry(ROOT, at++, "AEOE~1  K  ", 0, 0, 0);
	at += put_lfn(ROOT, at, emoji, 3, checksum("X~1        "));
	put_entry(ROOT, at++, "X~1        ", 0, 0, 0);
	at += put_lfn(ROOT, at, half, 2, checksum("H~1        "));
	put_entry(ROOT, at++, "H~1        ", 0, 0, 0);
	at += put_lfn(ROOT, at, thirteen, 13, checksum("THIRTE~1   "));
	put_entry(ROOT, at++, "THIRTE~1   ", 0, 0, 0);
	memset(longest, 'n', 255);
	longest[255] = 0;
	at += put_lfn_ascii(ROOT, at, longest, checksum("NNNNNN~1   "));
	put_entry(ROOT, at++, "NNNNNN~1   ", 0, 0, 0);
	mount_ok();
	open_ok("vmlinuz-6.1.0-18-cloud-amd64");
	open_ok("VMLINUZ-6.1.0-18-Cloud-AMD64");
	open_ok("vmlinu~1.018");
	open_ok("\xC3\xA4\xC3\xB6\xE2\x82\xAC.k");
	open_ok("x\xF0\x9F\x98\x80");
	open_ok("thirteen-----");
	open_ok(longest);
	assert_int_equal(missing("vmlinuz-6.1.0-18-cloud-amd6"), -ENOENT);
	assert_int_equal(missing("vmlinuz-6.1.0-18-cloud-amd64x"), -ENOENT);
	assert_int_equal(missing("\xC3\x84\xC3\xB6\xE2\x82\xAC.k"), -ENOENT); /* only ASCII folds */
	longest[254] = 0;
	assert_int_equal(missing(longest), -ENOENT);
}

static void long_names_that_are_not_of_their_entry(void **state)
{
	u32 at;

	/* Wrong checksum: an old tool renamed the short entry. */
	make_disk(8);
	at = put_lfn_ascii(ROOT, 0, "stale-long-name", checksum("STALE      ") ^ 1);
	put_entry(ROOT, at++, "STALE      ", 0, 0, 0);
	/* A piece with another checksum in the middle. */
	at += put_lfn_ascii(ROOT, at, "two-pieces-long-name", checksum("TWO        "));
	cluster(ROOT)[(at - 1) * 32 + 13] ^= 1;
	put_entry(ROOT, at++, "TWO        ", 0, 0, 0);
	/* The last piece is missing; the first is; one in the middle was deleted; order 0 and 63. */
	put_lfn_ascii(ROOT, at, "no-first-piece-here", checksum("NOFIRST    "));
	cluster(ROOT)[at * 32] = 0xE5;
	at += 2;
	put_entry(ROOT, at++, "NOFIRST    ", 0, 0, 0);
	put_lfn_ascii(ROOT, at, "no-last-piece-here-x", checksum("NOLAST     "));
	put_entry(ROOT, ++at, "NOLAST     ", 0, 0, 0);
	at++;
	at += put_lfn_ascii(ROOT, at, "zero", checksum("ORDERZER   "));
	cluster(ROOT)[(at - 1) * 32] = 0x40;
	put_entry(ROOT, at++, "ORDERZER   ", 0, 0, 0);
	at += put_lfn_ascii(ROOT, at, "toohigh", checksum("ORDER63    "));
	cluster(ROOT)[(at - 1) * 32] = 0x7F;
	put_entry(ROOT, at++, "ORDER63    ", 0, 0, 0);
	/* The name before a name: only the second counts. */
	at += put_lfn_ascii(ROOT, at, "orphan", checksum("GOOD       "));
	at += put_lfn_ascii(ROOT, at, "good-name", checksum("GOOD       "));
	put_entry(ROOT, at++, "GOOD       ", 0, 0, 0);
	/* And it is for one entry alone. */
	put_entry(ROOT, at++, "GOOD       ", 0, 5, 77);
	mount_ok();
	assert_int_equal(missing("stale-long-name"), -ENOENT);
	assert_int_equal(missing("two-pieces-long-name"), -ENOENT);
	assert_int_equal(missing("no-first-piece-here"), -ENOENT);
	assert_int_equal(missing("no-last-piece-here-x"), -ENOENT);
	assert_int_equal(missing("zero"), -ENOENT);
	assert_int_equal(missing("toohigh"), -ENOENT);
	assert_int_equal(missing("orphan"), -ENOENT);
	open_ok("stale");
	open_ok("two");
	open_ok("nofirst");
	open_ok("nolast");
	open_ok("orderzer");
	open_ok("order63");
	assert_int_equal(open_ok("good-name").size, 0);
}

static void directories(void **state)
{
	static const u32 sub[] = {50, 52}, data[] = {10, 11, 20};
	u32 at;

	make_disk(1); /* 16 entries a cluster */
	put_entry(ROOT, 0, "SUB        ", 0x10, 50, 0);
	put_entry(ROOT, 1, "FILE       ", 0x20, 10, 1000);
	chain(sub, 2);
	fill(data, 3);
	put_entry(50, 0, ".          ", 0x10, 50, 0);
	put_entry(50, 1, "..         ", 0x10, 0, 0);
	for (at = 2; at < 15; at++)
		put_entry(50, at, "FILLER     ", 0, 0, 0);
	/* A long name that goes on in the next cluster. */
	at = put_lfn_ascii(51, 0, "spans-two-clusters", checksum("SPANS~1    "));
	assert_int_equal(at, 2);
	memcpy(cluster(50) + 15 * 32, cluster(51), 32);
	memcpy(cluster(52), cluster(51) + 32, 32);
	put_entry(52, 1, "SPANS~1    ", 0x20, 10, 1500);
	mount_ok();
	assert_true(open_ok("sub").directory);
	assert_true(open_ok("").directory);
	assert_true(open_ok("/").directory);
	assert_int_equal(open_ok("sub/..").cluster, ROOT);
	read_ok("sub/spans-two-clusters", 1500);
	read_ok("//SUB//../sub/./Spans~1", 1500);
	assert_int_equal(missing("file/x"), -ENOENT);
	assert_int_equal(missing("sub/none"), -ENOENT);
	assert_int_equal(missing("none/file"), -ENOENT);
	assert_string_equal(captured(), "");
}

static void directory_in_a_circle(void **state)
{
	make_disk(1);
	for (u32 i = 0; i < 16; i++)
		put_entry(ROOT, i, "FILLER     ", 0, 0, 0);
	link_to(ROOT, ROOT);
	mount_ok();
	assert_int_equal(missing("x"), -EINVAL);
	assert_memory_equal(captured(), "boot partition: FAT32 is damaged: a cluster chain runs in a circle",
			    66);
	/* A full directory without an end mark simply ends. */
	captured_reset();
	link_to(ROOT, END_OF_CHAIN);
	mount_ok();
	assert_int_equal(missing("x"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reports_a_file_that_begins_nowhere),
		cmocka_unit_test(short_names),
		cmocka_unit_test(long_names),
		cmocka_unit_test(long_names_that_are_not_of_their_entry),
		cmocka_unit_test(directories),
		cmocka_unit_test(directory_in_a_circle),
	};

	return cmocka_run_group_tests_name("fat_dir", tests, NULL, clean_up);
}
