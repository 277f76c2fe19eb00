/* What the BIOS says of the boot disk. */
#include "support.h"

#include <string.h>
#include <sys/mman.h>

#include "boot/boot.h"
#include "lib/errno.h"

u8 boot_drive = 0x80;

/* The answer to AH=48h: how much of it the BIOS knows, and what. */
static u32 known, failed;
static u16 sector_size;
static const char *interface;

const struct bios_regs *bios(u8 intno, u32 eax, u32 ebx, u32 ecx, u32 edx, u16 es)
{
	static struct bios_regs r;
	u8 *to = (u8 *)BIOS_PACKET, answer[74] = {0};
	u16 room;

	assert_int_equal(intno, 0x13);
	assert_int_equal(edx, boot_drive);
	if (eax == 0x4100) {
		r = (struct bios_regs){.ebx = 0xAA55, .ecx = 7};
		return &r;
	}
	assert_int_equal(eax, 0x4800);
	memcpy(&room, to, sizeof(room));
	assert_int_equal(room, sizeof(answer));
	memcpy(answer, &known, 2);
	memcpy(answer + 24, &sector_size, 2);
	memcpy(answer + 36, "PCI ", 4);
	memcpy(answer + 40, interface, 8);
	memcpy(to, answer, known);
	r = (struct bios_regs){.eflags = failed};
	return &r;
}

static void test_where_it_is(void **state)
{
	known = 74;
	sector_size = 512;
	interface = "USB     ";
	assert_int_equal(disk_init(), 0);
	assert_true(boot_from_usb);
	known = 26; /* EDD 1.1, where the answer before has been */
	assert_int_equal(disk_init(), 0);
	assert_false(boot_from_usb);
	known = 66; /* EDD 3.0 as Phoenix has it */
	assert_int_equal(disk_init(), 0);
	assert_true(boot_from_usb);
	known = 74;
	interface = "ATA     ";
	assert_int_equal(disk_init(), 0);
	assert_false(boot_from_usb);
	known = 0;
	failed = 1;
	assert_int_equal(disk_init(), 0);
	assert_false(boot_from_usb);
}

static void test_sectors_too_large(void **state)
{
	known = 26;
	failed = 0;
	sector_size = 4096;
	assert_int_equal(disk_init(), -EIO);
	assert_non_null(strstr(captured(), "boot disk 80h: its sectors have 4096 bytes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_where_it_is, fake_reset),
		cmocka_unit_test_setup(test_sectors_too_large, fake_reset),
	};

	if (mmap((void *)BIOS_BUFFER, BIOS_BUFFER_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
