#include <stdio.h>

#include "guest_memory.h"
#include "host/cpu.h"
#include "load/load.h"

/* A kernel of our own: 4 setup sectors and 8 KiB that run at 16 MiB and want 1 MiB there. */
#define SETUP	2560
#define PAYLOAD 8192
static u8 image[SETUP + PAYLOAD];
static u8 initrd[5000];
static struct guest_files files;
static struct cpu_state start;

static void put(unsigned at, u64 val, unsigned size)
{
	memcpy(image + at, &val, size);
}

static u64 get(u64 at, unsigned size)
{
	u64 val = 0;

	memcpy(&val, test_ram + at, size);
	return val;
}

static int fresh(void **state)
{
	make_vm(GUEST_LINUX, 32 * MiB);
	memset(image, 0, SETUP);
	memset(image + SETUP, 0x5A, PAYLOAD);
	memset(initrd, 0x33, sizeof(initrd));
	put(0x1F1, 4, 1);
	put(0x1F4, PAYLOAD / 16, 4);
	put(0x1FE, 0xAA55, 2);
	put(0x200, 0x6AEB, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, 0x20F, 2);
	put(0x22C, 0x7FFFFFFF, 4);
	put(0x230, 2 * MiB, 4);
	put(0x236, 0x7F, 2);
	put(0x238, 2047, 4);
	put(0x23C, 0x12345678, 4);
	put(0x258, 16 * MiB, 8);
	put(0x260, 1 * MiB, 4);
	files = (struct guest_files){.image = image, .image_size = sizeof(image)};
	strcpy(test_config.cmdline, "console=ttyS0 quiet");
	return 0;
}

static void refused(int err, const char *sentence)
{
	captured_reset();
	assert_int_equal(load_linux(&test_vm, &files, &start), -err);
	if (!strstr(captured(), sentence))
		fail_msg("\"%s\" does not say \"%s\"", captured(), sentence);
	assert_ptr_equal(strchr(captured(), '\n'), captured() + strlen(captured()) - 1);
}

static void loads_kernel_initrd_and_command_line(void **state)
{
	u64 zp, at;

	files.initrd = initrd;
	files.initrd_size = sizeof(initrd);
	assert_int_equal(load_linux(&test_vm, &files, &start), 0);
	assert_int_equal(start.rip, 16 * MiB + 0x200);
	assert_memory_equal(test_ram + 16 * MiB, image + SETUP, PAYLOAD);
	zp = start.gpr[RSI];
	assert_memory_equal(test_ram + zp + 0x1F1, image + 0x1F1, 0x210 - 0x1F1);
	assert_int_equal(get(zp + 0x210, 1), 0xFF);
	assert_int_equal(get(zp + 0x23C, 4), 0x12345678);
	assert_string_equal((char *)test_ram + get(zp + 0x228, 4), "console=ttyS0 quiet");
	at = get(zp + 0x218, 4);
	assert_int_equal(at, 32 * MiB - 8192);
	assert_int_equal(get(zp + 0x21C, 4), sizeof(initrd));
	assert_memory_equal(test_ram + at, initrd, sizeof(initrd));
	assert_int_equal(get(zp + 0x1E8, 1), 3);
	assert_int_equal(get(zp + 0x2D0 + 40, 8), MiB);
	assert_int_equal(get(zp + 0x2D0 + 48, 8), 31 * MiB);
	assert_memory_equal(test_ram + get(zp + 0x70, 8), "RSD PTR ", 8);
	assert_int_equal(get(zp + 0x0F, 1), 0);
}

/* The zero page is zero but for what we set: the header's own length bounds the copy. */
static void zero_page_is_clean(void **state)
{
	u64 zp;

	image[0x201] = 0x62; /* up to and with init_size */
	put(0x264, 0xDEAD, 4);
	assert_int_equal(load_linux(&test_vm, &files, &start), 0);
	zp = start.gpr[RSI];
	for (unsigned i = 0; i < 0x70; i++)
		assert_int_equal(test_ram[zp + i], 0);
	assert_int_equal(get(zp + 0x260, 4), MiB);
	assert_int_equal(get(zp + 0x264, 4), 0);
	assert_int_equal(get(zp + 0x1EF, 1), 0);
}

static void vga_console_gets_screen_info(void **state)
{
	test_config.console_vga = true;
	assert_int_equal(load_linux(&test_vm, &files, &start), 0);
	assert_int_equal(get(start.gpr[RSI] + 0x07, 1), 80);
	assert_int_equal(get(start.gpr[RSI] + 0x0E, 1), 25);
	assert_int_equal(get(start.gpr[RSI] + 0x0F, 1), 1);
}

static void start_state_is_the_boot_protocols(void **state)
{
	u64 gdt;

	assert_int_equal(load_linux(&test_vm, &files, &start), 0);
	assert_int_equal(start.seg[SEG_CS].selector, 0x10);
	assert_int_equal(start.seg[SEG_CS].attr, 0xA09B);
	assert_int_equal(start.seg[SEG_DS].selector, 0x18);
	assert_int_equal(start.seg[SEG_SS].attr, 0xC093);
	assert_int_equal(start.seg[SEG_TR].attr, 0x8B);
	assert_int_equal(start.seg[SEG_LDTR].attr, SEG_UNUSABLE);
	assert_int_equal(start.rflags, 2);
	assert_int_equal(start.efer, EFER_LME | EFER_LMA);
	gdt = start.seg[SEG_GDTR].base;
	assert_int_equal(get(gdt + 0x10, 8), 0x00AF9B000000FFFF);
	assert_int_equal(get(gdt + 0x18, 8), 0x00CF93000000FFFF);
	/* The walk of an address in the fourth GiB. */
	u64 va = 0xFEE01234, e = get(start.cr3, 8);
	e = get((e & PAGE_MASK) + (va >> 30 & 511) * 8, 8);
	e = get((e & PAGE_MASK) + (va >> 21 & 511) * 8, 8);
	assert_int_equal(e, ALIGN_DOWN(va, 2 * MiB) | 0x83);
}

static void initrd_stays_below_its_limit(void **state)
{
	put(0x22C, 24 * MiB - 1, 4);
	files.initrd = initrd;
	files.initrd_size = sizeof(initrd);
	assert_int_equal(load_linux(&test_vm, &files, &start), 0);
	assert_int_equal(get(start.gpr[RSI] + 0x218, 4), 24 * MiB - 8192);
}

static void says_what_is_not_a_kernel(void **state)
{
	put(0x202, 0, 4);
	refused(ENOEXEC, "not a Linux kernel");
	fresh(NULL);
	put(0x1FE, 0, 2);
	refused(ENOEXEC, "not a Linux kernel");
	files.image_size = 0x28F;
	refused(ENOEXEC, "not a Linux kernel");
	files.image_size = 0;
	refused(ENOEXEC, "not a Linux kernel");
}

static void says_what_is_too_old_or_32_bit(void **state)
{
	put(0x206, 0x20B, 2);
	refused(ENOEXEC, "boot protocol 2.11)");
	put(0x206, 0x20F, 2);
	put(0x236, 0, 2);
	refused(ENOEXEC, "boot protocol 2.15, XLF_KERNEL_64 clear");
}

static void says_what_is_cut_short(void **state)
{
	files.image_size--;
	refused(ENOEXEC, "cut short");
	files.image_size++;
	put(0x1F4, 0xFFFFFFFF, 4);
	refused(ENOEXEC, "cut short");
}

static void says_what_does_not_fit(void **state)
{
	put(0x260, 17 * MiB, 4);
	refused(ENOMEM, "needs memory up to 33 MiB, the VM has 32 MiB");
	put(0x258, 0xFFFFFFFFFFF00000, 8);
	refused(ENOEXEC, "the kernel's header is damaged: it is to lie at 0xfffffffffff00000");
	put(0x258, 0, 8);
	refused(ENOEXEC, "it is to lie at 0");
	put(0x258, 16 * MiB, 8);
	put(0x260, 16 * MiB, 4);
	files.initrd = initrd;
	files.initrd_size = sizeof(initrd);
	refused(ENOMEM, "no room for the initrd (1 MiB)");
	files.initrd_size = ~0ULL;
	refused(ENOMEM, "no room for the initrd");
}

static void says_that_the_command_line_is_too_long(void **state)
{
	put(0x238, 10, 4);
	refused(E2BIG, "the command line has 19 characters, this kernel takes 10");
}

/* A real kernel, where there is one: PXHV_TEST_KERNEL names a Debian vmlinuz. */
static void takes_a_real_kernel(void **state)
{
	const char *path = getenv("PXHV_TEST_KERNEL");
	FILE *f = path ? fopen(path, "rb") : NULL;
	u8 *data;

	if (!f)
		skip();
	make_vm(GUEST_LINUX, 256 * MiB);
	data = malloc(64 * MiB);
	files = (struct guest_files){.image = data, .image_size = fread(data, 1, 64 * MiB, f)};
	fclose(f);
	files.initrd = initrd;
	files.initrd_size = sizeof(initrd);
	assert_int_equal(load_linux(&test_vm, &files, &start), 0);
	assert_int_equal(start.rip & 0xFFF, 0x200);
	assert_string_equal(captured(), "");
	files.image_size -= MiB;
	refused(ENOEXEC, "cut short");
	make_vm(GUEST_LINUX, 32 * MiB);
	files.image_size += MiB;
	refused(ENOMEM, "the VM has 32 MiB");
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(loads_kernel_initrd_and_command_line, fresh),
		cmocka_unit_test_setup(zero_page_is_clean, fresh),
		cmocka_unit_test_setup(vga_console_gets_screen_info, fresh),
		cmocka_unit_test_setup(start_state_is_the_boot_protocols, fresh),
		cmocka_unit_test_setup(initrd_stays_below_its_limit, fresh),
		cmocka_unit_test_setup(says_what_is_not_a_kernel, fresh),
		cmocka_unit_test_setup(says_what_is_too_old_or_32_bit, fresh),
		cmocka_unit_test_setup(says_what_is_cut_short, fresh),
		cmocka_unit_test_setup(says_what_does_not_fit, fresh),
		cmocka_unit_test_setup(says_that_the_command_line_is_too_long, fresh),
		cmocka_unit_test_setup(takes_a_real_kernel, fresh),
	};

	return cmocka_run_group_tests_name("linux", tests, NULL, NULL);
}
