#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/acpi_tables.h"
#include "lib/errno.h"

/* Physical memory from BASE on: everything else cannot be reached. A table is handed out as a heap block of
 * just the size asked for, so that ASan sees every read beyond it. */
#define BASE 0x1000ULL
#define SIZE 0x4000ULL

static u8 memory[SIZE];
static u64 end; /* where the next table goes */
static void *blocks[4096];
static unsigned nblocks;

static const void *map(u64 pa, u64 size)
{
	void *p;

	if (pa < BASE || size > SIZE || pa - BASE > SIZE - size || nblocks == 4096)
		return NULL;
	p = malloc(size);
	memcpy(p, memory + (pa - BASE), size);
	blocks[nblocks++] = p;
	return p;
}

static void fix_sum(u8 *p, size_t len, size_t at)
{
	u8 sum = 0;

	p[at] = 0;
	for (size_t i = 0; i < len; i++)
		sum = (u8)(sum + p[i]);
	p[at] = (u8)-sum;
}

static u64 add_table(const char *name, const void *body, u32 len)
{
	u8 *p = memory + end;
	u64 pa = BASE + end;
	u32 total = 36 + len;

	memcpy(p, name, 4);
	memcpy(p + 4, &total, 4);
	memcpy(p + 36, body, len);
	fix_sum(p, total, 9);
	end += ALIGN_UP(total, 16);
	return pa;
}

static const u8 madt_body[] = {
	0, 0,  0xE0, 0xFE, 1, 0, 0,    0,			       /* LAPIC address, flags */
	0, 8,  0,    4,	   1, 0, 0,    0,			       /* CPU with APIC ID 4 */
	0, 8,  1,    5,	   0, 0, 0,    0,			       /* one that is not enabled */
	9, 16, 0,    0,	   4, 0, 0,    0,    1,	  0, 0, 0, 0, 0, 0, 0, /* the first again, as x2APIC */
	9, 16, 0,    0,	   0, 1, 0,    0,    1,	  0, 0, 0, 0, 0, 0, 0, /* ID 256 */
	1, 12, 0,    0,	   0, 0, 0xC1, 0xFE, 24,  0, 0, 0,	       /* the second IOAPIC */
	1, 12, 0,    0,	   0, 0, 0xC0, 0xFE, 0,	  0, 0, 0,	       /* the first */
	2, 10, 0,    0,	   2, 0, 0,    0,    0,	  0,		       /* IRQ 0 is GSI 2 */
	2, 10, 0,    9,	   9, 0, 0,    0,    0xF, 0,		       /* IRQ 9 is level, low */
	2, 10, 0,    200,  9, 0, 0,    0,    0xF, 0,		       /* no such IRQ */
	5, 12, 0,    0,	   0, 0, 0xE1, 0xFE, 0,	  0, 0, 0,	       /* LAPIC address */
};

static const u8 dsdt_body[] = {
	'x',  '_', 'S', '5', '_', 0x12, /* no name */
	0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0A, 0x05, 0x01, 0x00, 0x00, 0x00,
};

static const u8 mcfg_body[] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xB0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0,
};

static void put(u8 *p, u32 at, u64 val, unsigned size)
{
	memcpy(p + at - 36, &val, size);
}

static u64 add_fadt(u64 dsdt, u32 len)
{
	u8 f[244 - 36] = {0};

	put(f, 40, dsdt, 4);
	put(f, 48, 0xB2, 4);
	put(f, 52, 0xF1, 1);
	put(f, 64, 0x604, 4);
	put(f, 76, 0x608, 4);
	put(f, 112, BIT(8) | BIT(10), 4);
	put(f, 116, 1, 1);
	put(f, 120, 0xCF9, 8);
	put(f, 128, 0xE, 1);
	put(f, 208, 1, 1);
	put(f, 212, 0x1808, 8); /* X_PM_TMR_BLK wins */
	return add_table("FACP", f, len);
}

static u8 rsdp[36];

/* Builds everything; returns where the RSDP's tables end. */
static void build(bool v2)
{
	u64 tables[4];
	u32 short_ptrs[4];

	memset(memory, 0, sizeof(memory));
	end = 0;
	tables[0] = add_table("APIC", madt_body, sizeof(madt_body));
	tables[1] = add_fadt(add_table("DSDT", dsdt_body, sizeof(dsdt_body)), 244 - 36);
	tables[2] = add_table("MCFG", mcfg_body, sizeof(mcfg_body));
	tables[3] = add_table("DMAR", "\x26\x03\0\0\0\0\0\0\0\0\0\0", 12);
	for (int i = 0; i < 4; i++)
		short_ptrs[i] = (u32)tables[i];
	u32 rsdt = (u32)add_table("RSDT", short_ptrs, sizeof(short_ptrs));
	u64 xsdt = add_table("XSDT", tables, sizeof(tables));

	memset(rsdp, 0, sizeof(rsdp));
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 16, &rsdt, 4);
	if (v2) {
		rsdp[15] = 2;
		rsdp[20] = 36;
		memset(rsdp + 16, 0, 4); /* must not be needed */
		memcpy(rsdp + 24, &xsdt, 8);
	}
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
}

static struct acpi_info parse(void)
{
	struct acpi_info info = {.lapic_base = 1, .cpu_count = 1};

	captured_reset();
	acpi_parse(&info, rsdp, sizeof(rsdp), map);
	while (nblocks)
		free(blocks[--nblocks]);
	return info;
}

static void check_all(struct acpi_info i)
{
	assert_true(i.present);
	assert_int_equal(i.lapic_base, 0xFEE10000);
	assert_int_equal(i.ioapic_base, 0xFEC00000);
	assert_int_equal(i.ioapic_gsi_base, 0);
	assert_int_equal(i.cpu_count, 2);
	assert_int_equal(i.apic_ids[0], 4);
	assert_int_equal(i.apic_ids[1], 256);
	assert_int_equal(i.isa_irq[0].gsi, 2);
	assert_false(i.isa_irq[0].level);
	assert_int_equal(i.isa_irq[9].gsi, 9);
	assert_true(i.isa_irq[9].level && i.isa_irq[9].low);
	assert_int_equal(i.pm_timer_port, 0x1808);
	assert_true(i.pm_timer_32);
	assert_int_equal(i.pm1a_cnt, 0x604);
	assert_int_equal(i.pm1b_cnt, 0);
	assert_int_equal(i.smi_cmd, 0xB2);
	assert_int_equal(i.acpi_enable, 0xF1);
	assert_true(i.s5_valid);
	assert_int_equal(i.s5_typ_a, 5);
	assert_int_equal(i.s5_typ_b, 1);
	assert_true(i.reset_valid);
	assert_int_equal(i.reset_space, 1);
	assert_int_equal(i.reset_addr, 0xCF9);
	assert_int_equal(i.reset_value, 0xE);
	assert_int_equal(i.mcfg_base, 0xB0000000);
	assert_int_equal(i.mcfg_bus_end, 255);
	assert_true(i.x2apic_opt_out);
	assert_string_equal(captured(), "");
}

static void good(void **state)
{
	build(false);
	check_all(parse());
	build(true);
	check_all(parse());
}

static void finds_rsdp(void **state)
{
	u8 area[128] = {0};

	build(false);
	assert_int_equal(acpi_find_rsdp(area, sizeof(area)), -ENOENT);
	memcpy(area + 24, rsdp, 20); /* not aligned */
	assert_int_equal(acpi_find_rsdp(area, sizeof(area)), -ENOENT);
	memcpy(area + 48, rsdp, 20);
	area[48 + 10] ^= 1;
	assert_int_equal(acpi_find_rsdp(area, sizeof(area)), -ENOENT);
	memcpy(area + 96, rsdp, 20);
	assert_int_equal(acpi_find_rsdp(area, sizeof(area)), 96);
	assert_int_equal(acpi_find_rsdp(area, 96 + 19), -ENOENT);
}

/* A table whose sum is wrong is named and left out; the others count. */
static void bad_sum(void **state)
{
	struct acpi_info i;

	build(false);
	memory[40] ^= 1; /* in the MADT */
	i = parse();
	assert_int_equal(i.lapic_base, 1);
	assert_int_equal(i.cpu_count, 1);
	assert_int_equal(i.pm_timer_port, 0x1808);
	assert_non_null(strstr(captured(), "APIC"));
}

static void short_fadt(void **state)
{
	u64 table;
	struct acpi_info i;

	build(false);
	table = add_fadt(0, 80 - 36); /* as long as it may be to have a PM timer and nothing behind */
	table = add_table("RSDT", &table, 4);
	memcpy(rsdp + 16, &table, 4);
	i = parse();
	assert_int_equal(i.pm_timer_port, 0x608);
	assert_false(i.reset_valid);
	assert_false(i.s5_valid);
}

/* Damage of every kind that a byte can do, with sums that are right: nothing may be read outside the tables.
 */
static void damaged(void **state)
{
	static const u8 values[] = {0, 1, 2, 7, 0x7F, 0x80, 0xFF};

	srand(1);
	build(true);
	u64 size = end;

	for (u64 at = 0; at < size; at++) {
		for (unsigned v = 0; v < sizeof(values) + 2; v++) {
			build(true);
			memory[at] = v < sizeof(values) ? values[v] : (u8)rand();
			/* Mend the sum of the table that the byte is in. */
			for (u64 t = 0; t < size;) {
				u32 len;

				memcpy(&len, memory + t + 4, 4);
				if (len >= 36 && len <= SIZE - t)
					fix_sum(memory + t, len, 9);
				if (len < 36 || len > size - t)
					break;
				t += ALIGN_UP(len, 16);
			}
			parse();
		}
	}
	for (unsigned at = 0; at < sizeof(rsdp); at++) {
		build(true);
		rsdp[at] = 0xFF;
		parse();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),	      cmocka_unit_test(finds_rsdp), cmocka_unit_test(bad_sum),
		cmocka_unit_test(short_fadt), cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
