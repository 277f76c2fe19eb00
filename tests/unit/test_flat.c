#include "guest/pxhv.h"
#include "guest_memory.h"
#include "host/cpu.h"
#include "load/load.h"

static u8 image[1000];
static struct guest_files files;
static struct cpu_state start;

static void flat(u64 addr, unsigned bits, u64 size)
{
	make_vm(GUEST_FLAT, 4 * MiB);
	memset(image, 0xF4, sizeof(image));
	test_config.flat_addr = addr;
	test_config.flat_bits = bits;
	files = (struct guest_files){.image = image, .image_size = size};
}

static void refused(int err, const char *sentence)
{
	assert_int_equal(load_flat(&test_vm, &files, &start), -err);
	if (!strstr(captured(), sentence))
		fail_msg("\"%s\" does not say \"%s\"", captured(), sentence);
}

static void real_mode_starts_like_a_boot_sector(void **state)
{
	flat(0x7C00, 16, 512);
	assert_int_equal(load_flat(&test_vm, &files, &start), 0);
	assert_memory_equal(test_ram + 0x7C00, image, 512);
	assert_int_equal(test_ram[0x7C00 + 512], 0xA5);
	assert_int_equal(start.seg[SEG_CS].base, 0);
	assert_int_equal(start.seg[SEG_CS].limit, 0xFFFF);
	assert_int_equal(start.rip, 0x7C00);
	assert_int_equal(start.gpr[RSP], 0x7C00);
	assert_int_equal(start.gpr[RDX], 0x80);
	assert_int_equal(start.cr0, CR0_ET);
	assert_int_equal(start.efer, 0);
	assert_int_equal(start.seg[SEG_IDTR].limit, 0x3FF);
}

static void long_mode_gets_boot_information(void **state)
{
	const struct pxhv_boot_info *b;
	const struct pxhv_memory *m;

	flat(MiB, 64, sizeof(image));
	strcpy(test_config.cmdline, "a=b");
	assert_int_equal(load_flat(&test_vm, &files, &start), 0);
	assert_int_equal(start.rip, MiB);
	assert_int_equal(start.gpr[RSP] % 16, 8);
	b = (void *)(test_ram + start.gpr[RDI]);
	assert_int_equal(b->magic, PXHV_BOOT_MAGIC);
	assert_int_equal(b->tsc_hz, tsc_hz);
	assert_string_equal((char *)test_ram + b->cmdline, "a=b");
	assert_int_equal(b->cmdline_len, 3);
	assert_int_equal(b->memory_count, 3);
	m = (void *)(test_ram + b->memory);
	assert_int_equal(m[2].base, MiB);
	assert_int_equal(m[2].size, 3 * MiB);
	assert_memory_equal(test_ram + b->rsdp, "RSD PTR ", 8);
}

static void real_mode_address_is_below_64k(void **state)
{
	flat(0x10000, 16, 512);
	refused(EINVAL, "must be below 0x10000");
}

static void image_keeps_out_of_our_tables(void **state)
{
	flat(0x8FFFF, 64, 1);
	assert_int_equal(load_flat(&test_vm, &files, &start), 0);
	flat(0x8FFFF, 64, 2);
	refused(ENOMEM, "below 0x90000 or from 1 MiB on");
	flat(0xB8000, 64, 1);
	refused(ENOMEM, "does not fit at 0xb8000");
}

static void image_stays_in_memory(void **state)
{
	flat(4 * MiB - 1000, 64, 1000);
	assert_int_equal(load_flat(&test_vm, &files, &start), 0);
	flat(4 * MiB - 999, 64, 1000);
	refused(ENOMEM, "does not fit");
	flat(~0ULL - 10, 64, 1000);
	refused(ENOMEM, "does not fit");
	make_vm(GUEST_FLAT, 512 * KiB);
	refused(ENOMEM, "has 512 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_mode_starts_like_a_boot_sector),
		cmocka_unit_test(long_mode_gets_boot_information),
		cmocka_unit_test(real_mode_address_is_below_64k),
		cmocka_unit_test(image_keeps_out_of_our_tables),
		cmocka_unit_test(image_stays_in_memory),
	};

	return cmocka_run_group_tests_name("flat", tests, NULL, NULL);
}
