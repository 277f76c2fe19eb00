#include "support.h"

#include <string.h>

#include "dev/fw_cfg.h"
#include "guest_memory.h"
#include "load/load.h"

static u8 bios[256 * KiB];
static struct guest_files files;
static struct cpu_state start;
static struct made {
	const char *name;
	const void *data;
	u32 size;
} made[FW_CFG_FILES];
static unsigned made_count;
static u64 rom_at, rom_size;

int guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	void *p = guest_ptr(vm, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(buf, p, len);
	return 0;
}

int vm_memory_rom(struct vm *vm, u64 gpa, const void *host, u64 size)
{
	assert_ptr_equal(host, bios);
	rom_at = gpa;
	rom_size = size;
	return 0;
}

int fw_cfg_create(struct vm *vm, struct fw_cfg **f)
{
	made_count = 0;
	return 0;
}

void fw_cfg_add(struct fw_cfg *f, const char *name, const void *data, u32 size)
{
	assert_in_range(made_count, 0, FW_CFG_FILES - 1);
	if (data)
		made[made_count++] = (struct made){name, data, size};
}

static const struct made *file(const char *name)
{
	for (unsigned i = 0; i < made_count; i++)
		if (!strcmp(made[i].name, name))
			return &made[i];
	return NULL;
}

static int fresh(void **state)
{
	fake_reset(state);
	make_vm(GUEST_FIRMWARE, 16 * MiB);
	memset(bios, 0x5A, sizeof(bios));
	files = (struct guest_files){.image = bios, .image_size = sizeof(bios)};
	return 0;
}

static void starts_at_the_reset_vector(void **state)
{
	assert_int_equal(load_firmware(&test_vm, &files, &start), 0);
	assert_int_equal(rom_at, 0xFFFC0000);
	assert_int_equal(rom_size, 256 * KiB);
	assert_int_equal(start.seg[SEG_CS].selector, 0xF000);
	assert_int_equal(start.seg[SEG_CS].base, 0xFFFF0000);
	assert_int_equal(start.rip, 0xFFF0);
	assert_memory_equal(test_ram + 0xC0000, bios, sizeof(bios));
	files.image_size = 128 * KiB;
	assert_int_equal(load_firmware(&test_vm, &files, &start), 0);
	assert_int_equal(rom_at, 0xFFFE0000);
}

static void tells_of_memory_and_tables(void **state)
{
	u64 address;
	u32 type;

	assert_int_equal(load_firmware(&test_vm, &files, &start), 0);
	assert_int_equal(file("etc/table-loader")->size, 128);
	assert_int_equal(file("etc/e820")->size, 40);
	memcpy(&address, (const u8 *)file("etc/e820")->data + 20, 8);
	memcpy(&type, (const u8 *)file("etc/e820")->data + 36, 4);
	assert_int_equal(address, 16 * MiB - 64 * KiB);
	assert_int_equal(type, 2);
	assert_int_equal(file("etc/acpi/rsdp")->size, 20);
	assert_memory_equal(file("etc/acpi/rsdp")->data, "RSD PTR ", 8);
	assert_memory_equal(test_ram + address, "RSD PTR ", 8);
	assert_null(file("floppyimg/a.img"));
	assert_null(file("vgaroms/vga.rom"));
}

static void passes_files_on(void **state)
{
	files.vgabios = bios;
	files.vgabios_size = 512;
	files.floppy = bios + 512;
	files.floppy_size = 1440 * KiB;
	assert_int_equal(load_firmware(&test_vm, &files, &start), 0);
	assert_int_equal(file("vgaroms/vga.rom")->size, 512);
	assert_ptr_equal(file("floppyimg/a.img")->data, bios + 512);
	assert_int_equal(file("floppyimg/a.img")->size, 1440 * KiB);
}

static void refuses(void **state)
{
	files.image_size = 100000;
	assert_int_equal(load_firmware(&test_vm, &files, &start), -ENOEXEC);
	assert_non_null(strstr(captured(), "has 100000 bytes"));
	files.image_size = 512 * KiB;
	assert_int_equal(load_firmware(&test_vm, &files, &start), -ENOEXEC);
	files.image_size = 64 * KiB;
	make_vm(GUEST_FIRMWARE, 2 * MiB);
	assert_int_equal(load_firmware(&test_vm, &files, &start), -ENOMEM);
	assert_non_null(strstr(captured(), "needs 4 MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(starts_at_the_reset_vector, fresh),
		cmocka_unit_test_setup(tells_of_memory_and_tables, fresh),
		cmocka_unit_test_setup(passes_files_on, fresh),
		cmocka_unit_test_setup(refuses, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
