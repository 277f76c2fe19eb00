/* The disks that pxhv.conf gives a VM. */
#include "config_text.h"

static void disks(void **state)
{
	static const struct disk_config want[] = {
		{DISK_FILE, 0, "dir/data.img", false},
		{DISK_BOOT, 0, "a,b.img", true},
		{DISK_HOST, 0, "ata0", true},
		{DISK_HOST, 2, "ahci10", false, true},
	};
	const struct vm_config *vm = vm_of("kernel = k\ndisk = file:dir/data.img\ndisk = "
					   "boot:a,b.img,ro\ndisk=ata0,ro\ndisk=ahci10p2,boot");

	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(vm->disks[i].kind, want[i].kind);
		assert_int_equal(vm->disks[i].partition, want[i].partition);
		assert_string_equal(vm->disks[i].name, want[i].name);
		assert_int_equal(vm->disks[i].readonly, want[i].readonly);
		assert_int_equal(vm->disks[i].boot_too, want[i].boot_too);
	}
	assert_vm_says("disk=a0\ndisk=a1\ndisk=a2\ndisk=a3\ndisk=a4", "pxhv.conf:7: more than 4 disks\n");
}

static void bad_disks(void **state)
{
	static const char *const bad[] = {"",	    ",ro",   "file:",	  "file:,ro", "data.img", "ata",  "0",
					  "ata0p0", "ata0p", "ata0p1000", "Ata0",     "ata0,rw",  "boot:"};
	char body[64], message[160];

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(body, sizeof(body), "disk = %s", bad[i]);
		snprintf(message, sizeof(message),
			 "pxhv.conf:3: disk must be file:NAME, boot:NAME or a disk of the PC such as "
			 "ahci0p2, not "
			 "'%s'\n",
			 bad[i]);
		assert_vm_says(body, message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disks),
		cmocka_unit_test(bad_disks),
	};

	return cmocka_run_group_tests_name("config_disk", tests, NULL, NULL);
}
