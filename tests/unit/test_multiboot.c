#include "guest_memory.h"
#include "host/cpu.h"
#include "load/elf.h"
#include "load/layout.h"
#include "load/load.h"

#define MAGIC	0x1BADB002U
#define CODE_AT 0x1000 /* of the segment in the file */

static u8 image[0x2010], module_bytes[5000];
static struct guest_files files;
static struct cpu_state start;

static void put(u64 at, u64 n, unsigned size)
{
	memcpy(image + at, &n, size);
}

static void put_header(u64 at, u32 flags)
{
	put(at, MAGIC, 4);
	put(at + 4, flags, 4);
	put(at + 8, -(MAGIC + flags), 4);
}

/* A file of one segment: 256 bytes at 1 MiB, 4 KiB in memory, linked at 3 GiB more. */
static void elf32(void)
{
	make_vm(GUEST_MULTIBOOT, 4 * MiB);
	strcpy(test_config.image, "k.elf");
	memset(image, 0, sizeof(image));
	put(0, 0x464C457F, 4);
	put(4, 0x010101, 3);
	put(16, 2 | 3 << 16, 4);
	put(24, 0x100010, 4);	  /* entry */
	put(28, 52, 4);		  /* program headers */
	put(42, 32 | 1 << 16, 4); /* their size and number */
	const u32 load[] = {1, CODE_AT, 0xC0100000, 0x100000, 0x100, 0x1000};

	memcpy(image + 52, load, sizeof(load));
	memset(image + CODE_AT, 0x90, 0x100);
	put_header(CODE_AT, 3);
	files = (struct guest_files){.image = image, .image_size = sizeof(image)};
}

static void elf64(void)
{
	const u64 load[] = {1, CODE_AT, 0xFFFFFFFF80100000, 0x100000, 0x100, 0x1000};

	elf32();
	memset(image + 16, 0, 256);
	put(4, 2, 1);
	put(16, 2 | 62 << 16, 4);
	put(24, 0xFFFFFFFF80100020, 8);
	put(32, 64, 8);
	put(54, 56 | 2 << 16, 4);
	memcpy(image + 64, load, sizeof(load));
	memset(image + CODE_AT, 0x90, 0x100);
}

static void loads(void)
{
	assert_int_equal(load_multiboot(&test_vm, &files, &start), 0);
}

static void refused(int err, const char *sentence)
{
	captured_reset();
	assert_int_equal(load_multiboot(&test_vm, &files, &start), -err);
	if (!strstr(captured(), sentence))
		fail_msg("\"%s\" does not say \"%s\"", captured(), sentence);
}

static u32 *at(u64 gpa)
{
	return (u32 *)(test_ram + gpa);
}

static void starts_in_protected_mode(void **state)
{
	elf32();
	loads();
	assert_memory_equal(test_ram + 0x100000, image + CODE_AT, 0x100);
	assert_int_equal(test_ram[0x100100], 0);
	assert_int_equal(test_ram[0x100FFF], 0);
	assert_int_equal(test_ram[0x101000], 0xA5);
	assert_int_equal(start.rip, 0x100010);
	assert_int_equal(start.cr0, CR0_PE | CR0_ET);
	assert_int_equal(start.efer, 0);
	assert_int_equal(start.gpr[RAX], 0x2BADB002);
	assert_int_equal(start.gpr[RBX], LOAD_BOOT_INFO);
	assert_int_equal(start.seg[SEG_CS].attr, 0xC09B);
	assert_int_equal(start.seg[SEG_CS].limit, 0xFFFFFFFF);
	assert_int_equal(start.seg[SEG_SS].attr, 0xC093);
	assert_int_equal(*(u64 *)at(LOAD_GDT + start.seg[SEG_CS].selector), 0x00CF9B000000FFFF);
	assert_false(test_vm.debug64);
}

static void tells_of_memory_and_modules(void **state)
{
	const u32 *info, *module;

	elf32();
	strcpy(test_config.cmdline, "a=b");
	strcpy(test_config.modules[0], "m.txt with arguments");
	strcpy(test_config.modules[1], "n");
	test_config.module_count = 2;
	memset(module_bytes, 7, sizeof(module_bytes));
	files.module[0].data = module_bytes;
	files.module[0].size = sizeof(module_bytes);
	files.module[1].data = module_bytes;
	files.module[1].size = 1;
	loads();
	info = at(LOAD_BOOT_INFO);
	assert_int_equal(info[0], 0x24D);
	assert_int_equal(info[1], 640);
	assert_int_equal(info[2], 3 * 1024);
	assert_string_equal((char *)at(info[4]), "k.elf a=b");
	assert_int_equal(info[5], 2);
	module = at(info[6]);
	assert_int_equal(module[0], 0x101000);
	assert_int_equal(module[1], 0x101000 + sizeof(module_bytes));
	assert_string_equal((char *)at(module[2]), "m.txt with arguments");
	assert_int_equal(module[4], 0x103000);
	assert_memory_equal(test_ram + module[0], module_bytes, sizeof(module_bytes));
	assert_int_equal(info[11], 3 * 24);
	assert_int_equal(at(info[12])[0], 20);
	assert_string_equal((char *)at(info[16]), "pxHV");
}

/* Modules begin above 1 MiB, also when the kernel ends below. */
static void low_kernel_with_a_module(void **state)
{
	elf32();
	put(24, 0x10010, 4);
	put(60, 0x10000, 4);
	put(64, 0x10000, 4);
	strcpy(test_config.modules[0], "m");
	test_config.module_count = 1;
	files.module[0].data = module_bytes;
	files.module[0].size = 1;
	loads();
	assert_int_equal(start.rip, 0x10010);
	assert_int_equal(*at(at(LOAD_BOOT_INFO)[6]), 0x100000);
}

static void virtual_entry_becomes_physical(void **state)
{
	elf32();
	put(24, 0xC0100020, 4);
	loads();
	assert_int_equal(start.rip, 0x100020);
}

static void address_header_needs_no_elf(void **state)
{
	const u32 addresses[] = {0x200010, 0x200000, 0x200100, 0x200180, 0x200004};

	make_vm(GUEST_MULTIBOOT, 4 * MiB);
	memset(image, 0x90, sizeof(image));
	put_header(0x50, 0x10003);
	memcpy(image + 0x5C, addresses, sizeof(addresses));
	files = (struct guest_files){.image = image, .image_size = 0x200};
	loads();
	assert_memory_equal(test_ram + 0x200000, image + 0x40, 0x100);
	assert_int_equal(test_ram[0x200100], 0);
	assert_int_equal(test_ram[0x200180], 0xA5);
	assert_int_equal(start.rip, 0x200004);
	put(0x60, 0x100000, 4); /* the header would lie before the file */
	refused(ENOEXEC, "contradict");
	put(0x60, 0x200000, 4);
	put(0x64, 0x201000, 4); /* more than there is */
	refused(ENOEXEC, "contradict");
	put(0x64, 0, 4);
	put(0x68, 0x40000000, 4);
	refused(ENOMEM, "between 576 KiB and 1 MiB: 200000-3fffffff\n");
}

static void elf64_starts_in_long_mode(void **state)
{
	elf64();
	loads();
	assert_int_equal(start.rip, 0x100020);
	assert_int_equal(start.efer, EFER_LME | EFER_LMA);
	assert_int_equal(start.gpr[RDI], LOAD_BOOT_INFO);
	assert_true(test_vm.debug64);
	put_header(CODE_AT, 0); /* Multiboot is 32-bit, as every loader has it */
	loads();
	assert_int_equal(start.efer, 0);
}

static void pvh_note_is_found(void **state)
{
	const u32 note[] = {4, 1, 99, 0x006E6558, 0, 4, 4, 18, 0x006E6558, 0x100040};
	const u64 segment[] = {4, CODE_AT + 0x80, 0, 0, sizeof(note), sizeof(note)};

	elf64();
	memcpy(image + CODE_AT + 0x80, note, sizeof(note));
	memcpy(image + 64 + 56, segment, sizeof(segment));
	strcpy(test_config.cmdline, "a=b");
	loads();
	assert_int_equal(start.rip, 0x100040);
	assert_int_equal(start.efer, 0);
	assert_int_equal(*at(start.gpr[RBX]), 0x336EC578);
	assert_string_equal((char *)at(*at(start.gpr[RBX] + 24)), "a=b");
	put(CODE_AT + 0x80 + 20, 0xFFFFFFFF, 4); /* a name of 4 GiB */
	loads();
	assert_int_equal(start.rip, 0x100020);
}

static void damaged_files_are_refused(void **state)
{
	elf32();
	files.image_size = 40;
	refused(ENOEXEC, "not an ELF");
	elf32();
	put(18, 40, 2);
	refused(ENOEXEC, "not an x86 executable");
	elf32();
	put(28, 0xFFFFFFF0, 4);
	refused(ENOEXEC, "cut short");
	elf32();
	put(44, 0xFFFF, 2);
	refused(ENOEXEC, "cut short");
	elf32();
	put(52 + 4, sizeof(image) - 0xFF, 4);
	refused(ENOEXEC, "cut short");
	elf32();
	put(52 + 16, 0x1001, 4); /* more in the file than in memory */
	refused(ENOEXEC, "cut short");
	elf32();
	put(52 + 12, 0xFFFFF000, 4);
	refused(ENOMEM, "between 576 KiB and 1 MiB: fffff000-ffffffff\n");
	elf32();
	put(52 + 12, 0x8F001, 4); /* reaches our tables */
	refused(ENOMEM, "outside");
	elf32();
	put(52, 6, 4);
	refused(ENOEXEC, "nothing to load");
	elf32();
	put_header(CODE_AT, 0x10);
	refused(ENOEXEC, "demands");
	elf32();
	put(CODE_AT + 8, 0, 4); /* the checksum */
	refused(ENOEXEC, "a Multiboot header with a wrong checksum");
	put(CODE_AT, 0, 4);
	refused(ENOEXEC, "neither a Multiboot header nor a PVH note");
	put_header(CODE_AT + 2, 3);
	refused(ENOEXEC, "not at a multiple of 4");
	put(CODE_AT, 0xE85250D6, 4);
	refused(ENOEXEC, "a Multiboot 2 header; ");
	elf32();
	files.image_size = 8192 + 16;
	put(CODE_AT, 0, 4);
	put_header(8192, 3);
	refused(ENOEXEC, "behind the first 8 KiB");
	elf32();
	test_config.module_count = 1;
	files.module[0].size = 4 * MiB;
	files.module[0].data = module_bytes;
	refused(ENOMEM, "no room for module");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_in_protected_mode),
		cmocka_unit_test(tells_of_memory_and_modules),
		cmocka_unit_test(low_kernel_with_a_module),
		cmocka_unit_test(virtual_entry_becomes_physical),
		cmocka_unit_test(address_header_needs_no_elf),
		cmocka_unit_test(elf64_starts_in_long_mode),
		cmocka_unit_test(pvh_note_is_found),
		cmocka_unit_test(damaged_files_are_refused),
	};

	return cmocka_run_group_tests_name("multiboot", tests, NULL, NULL);
}
