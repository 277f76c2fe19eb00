#include <stdio.h>

#include "guest_memory.h"
#include "load/layout.h"
#include "load/load.h"

static u64 get(u64 at, unsigned size)
{
	u64 val = 0;

	memcpy(&val, test_ram + at, size);
	return val;
}

static u8 sum(u64 at, u64 len)
{
	u8 s = 0;

	while (len--)
		s += test_ram[at++];
	return s;
}

/* Checks a table's frame and, when PXHV_ACPI_DIR is set, writes it there for iasl -d. */
static void check_table(u64 at, const char *signature)
{
	const char *dir = getenv("PXHV_ACPI_DIR");
	u32 len = get(at + 4, 4);

	assert_memory_equal(test_ram + at, signature, 4);
	assert_in_range(len, 36, 4096);
	assert_int_equal(sum(at, len), 0);
	if (dir) {
		char path[256];
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s.dat", dir, signature);
		f = fopen(path, "wb");
		assert_non_null(f);
		assert_int_equal(fwrite(test_ram + at, 1, len, f), len);
		fclose(f);
	}
}

static u64 fresh(unsigned vcpus)
{
	u64 rsdp;

	make_vm(GUEST_LINUX, 2 * MiB);
	test_vm.vcpu_count = vcpus;
	rsdp = load_acpi(&test_vm, LOAD_ACPI);
	assert_in_range(rsdp, 0xE0000, 0xFFFFF);
	assert_int_equal(rsdp % 16, 0);
	return rsdp;
}

static void tables_hang_together(void **state)
{
	u64 rsdp = fresh(1), rsdt = get(rsdp + 16, 4), fadt = get(rsdt + 36, 4);

	assert_memory_equal(test_ram + rsdp, "RSD PTR ", 8);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(test_ram[rsdp + 15], 0); /* ACPI 1.0: there is no XSDT */
	check_table(rsdt, "RSDT");
	assert_int_equal(get(rsdt + 4, 4), 36 + 2 * 4);
	check_table(fadt, "FACP");
	check_table(get(rsdt + 40, 4), "APIC");
	check_table(get(fadt + 40, 4), "DSDT");
	assert_memory_equal(test_ram + get(fadt + 36, 4), "FACS", 4);
	assert_int_equal(get(fadt + 36, 4) % 64, 0);
}

static u64 table(unsigned vcpus, unsigned n)
{
	return get(get(fresh(vcpus) + 16, 4) + 36 + 4 * n, 4);
}

static void fadt_has_the_registers(void **state)
{
	u64 fadt = table(1, 0);

	assert_int_equal(get(fadt + 56, 4), 0x600);	   /* PM1a event */
	assert_int_equal(get(fadt + 64, 4), 0x604);	   /* PM1a control */
	assert_int_equal(get(fadt + 76, 4), 0x608);	   /* PM timer */
	assert_int_equal(get(fadt + 48, 4), 0);		   /* no SMI command */
	assert_int_equal(get(fadt + 112, 4) >> 20 & 1, 0); /* not hardware-reduced */
	assert_int_equal(get(fadt + 109, 2) & 4, 4);	   /* no VGA */
	assert_int_equal(get(fadt + 116, 4), 0x01000801);  /* the reset register: a byte of a port */
	assert_int_equal(get(fadt + 120, 8), 0xCF9);
	for (unsigned i = 132; i < 244; i++) /* what would have to agree with the above */
		assert_int_equal(test_ram[fadt + i], 0);
}

static void madt_lists_every_vcpu(void **state)
{
	for (unsigned n = 1; n <= VM_MAX_VCPUS; n++) {
		u64 madt = table(n, 1), at = madt + 44;
		unsigned seen[256] = {0};

		for (; at < madt + get(madt + 4, 4); at += test_ram[at + 1]) {
			assert_in_range(test_ram[at + 1], 6, 12);
			if (test_ram[at] == 0)
				assert_int_equal(test_ram[at + 3], seen[0]);
			seen[test_ram[at]]++;
		}
		assert_int_equal(at, madt + get(madt + 4, 4));
		assert_int_equal(seen[0], n);
		assert_int_equal(seen[1], 1);
		assert_int_equal(seen[2], 2);
		assert_int_equal(seen[4], 1);
	}
}

static u8 some_disk;
static unsigned disk_count;

struct disk *vm_disk(struct vm *vm, unsigned n)
{
	return n < disk_count ? (struct disk *)&some_disk : NULL;
}

/* As many virtio slots as there are disks, and the DSDT is valid with each number of them. */
static void dsdt_has_the_disks(void **state)
{
	static const char hid[] = "LNRO0005";

	for (disk_count = 0; disk_count <= 4; disk_count++) {
		u64 dsdt = get(table(1, 0) + 40, 4), found = 0;

		check_table(dsdt, "DSDT");
		for (u64 p = dsdt; p < dsdt + get(dsdt + 4, 4); p++) {
			if (memcmp(test_ram + p, hid, sizeof(hid)))
				continue;
			p = (u64)((u8 *)memchr(test_ram + p, 0x86, 64) - test_ram);
			assert_int_equal(get(p + 4, 4), 0xD0000000 + found * 4096);
			assert_int_equal(get(p + 8, 4), 4096);
			assert_int_equal(get(p + 17, 4), 16 + found);
			found++;
		}
		assert_int_equal(found, disk_count);
	}
	disk_count = 0;
}

static void fails_without_memory_there(void **state)
{
	make_vm(GUEST_LINUX, 512 * KiB);
	assert_int_equal(load_acpi(&test_vm, LOAD_ACPI), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_hang_together),	      cmocka_unit_test(fadt_has_the_registers),
		cmocka_unit_test(madt_lists_every_vcpu),      cmocka_unit_test(dsdt_has_the_disks),
		cmocka_unit_test(fails_without_memory_there),
	};

	return cmocka_run_group_tests_name("acpi_tables", tests, NULL, NULL);
}
