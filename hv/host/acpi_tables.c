#include "host/acpi_tables.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define HEADER_SIZE    36U
#define TABLE_MAX      MiB		     /* longer than any firmware's DSDT */
#define RSDP_SIGNATURE 0x2052545020445352ULL /* "RSD PTR " */
#define RSDP_V1	       20
#define RSDP_V2	       36

/* A table that passed its checks. */
struct table {
	const u8 *p;
	u32 len;
};

static bool sums_to_zero(const u8 *p, size_t len)
{
	u8 sum = 0;

	while (len--)
		sum = (u8)(sum + *p++);
	return !sum;
}

/* The little-endian field of size bytes at offset; 0 where the table is too short to have it. */
static __attribute__((noinline)) u64 field(struct table t, u32 offset, u32 size)
{
	u64 val = 0;

	if (offset + size <= t.len)
		memcpy(&val, t.p + offset, size);
	return val;
}

long acpi_find_rsdp(const u8 *area, size_t size)
{
	for (size_t i = 0; i + RSDP_V1 <= size; i += 16) {
		u64 word;

		__builtin_memcpy(&word, area + i, sizeof(word));
		if (word == RSDP_SIGNATURE && sums_to_zero(area + i, RSDP_V1))
			return (long)i;
	}
	return -ENOENT;
}

/* Maps the table at pa if it is one. */
static bool open_table(u64 pa, acpi_map_t map, struct table *t)
{
	const u8 *h = pa ? map(pa, HEADER_SIZE) : NULL;
	char name[5] = "";

	if (!h)
		return false;
	memcpy(name, h, 4);
	memcpy(&t->len, h + 4, 4);
	t->p = t->len >= HEADER_SIZE && t->len <= TABLE_MAX ? map(pa, t->len) : NULL;
	if (t->p && sums_to_zero(t->p, t->len))
		return true;
	for (char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	printk("ACPI: table %s at 0x%lx is damaged, leaving it out\n", name, pa);
	return false;
}

static void add_cpu(struct acpi_info *info, u32 *n, u32 id, u32 flags)
{
	if (!(flags & 1) || *n == MAX_CPUS)
		return;
	for (u32 i = 0; i < *n; i++) /* firmware may list a CPU as LAPIC and as x2APIC */
		if (info->apic_ids[i] == id)
			return;
	info->apic_ids[(*n)++] = id;
	info->cpu_count = *n;
}

/* ACPI 6.4 5.2.12. */
static void parse_madt(struct acpi_info *info, struct table t)
{
	enum { LAPIC, IOAPIC, OVERRIDE, ADDRESS = 5, X2APIC = 9 };
	u32 cpus = 0;
	u32 len;

	info->lapic_base = field(t, 36, 4);
	for (u32 at = 44; at + 2 <= t.len; at += len) {
		struct table e = {t.p + at, 0};
		u32 irq, flags;

		len = t.p[at + 1];
		if (len < 2 || at + len > t.len) {
			printk("ACPI: MADT entry at %u is damaged, leaving out the rest\n", at);
			return;
		}
		e.len = len;
		switch (t.p[at]) {
		case LAPIC:
			add_cpu(info, &cpus, (u32)field(e, 3, 1), (u32)field(e, 4, 4));
			break;
		case X2APIC:
			add_cpu(info, &cpus, (u32)field(e, 4, 4), (u32)field(e, 8, 4));
			break;
		case IOAPIC: /* the one with the ISA IRQs */
			if (!info->ioapic_base || field(e, 8, 4) < info->ioapic_gsi_base) {
				info->ioapic_base = (u32)field(e, 4, 4);
				info->ioapic_gsi_base = (u32)field(e, 8, 4);
			}
			break;
		case OVERRIDE:
			irq = (u32)field(e, 3, 1);
			flags = (u32)field(e, 8, 2);
			if (irq >= ARRAY_SIZE(info->isa_irq) || len < 10)
				break;
			info->isa_irq[irq].gsi = (u32)field(e, 4, 4);
			info->isa_irq[irq].low = (flags & 3) == 3;
			info->isa_irq[irq].level = (flags >> 2 & 3) == 3;
			break;
		case ADDRESS:
			if (len >= 12)
				info->lapic_base = field(e, 4, 8);
			break;
		}
	}
}

/* An I/O port block: the extended form where it is there and in I/O space, else the old one. */
static u16 port_of(struct table t, u32 gas, u32 legacy)
{
	u64 addr = field(t, gas, 1) == 1 ? field(t, gas + 4, 8) : 0;

	if (!addr || addr > 0xFFFF)
		addr = field(t, legacy, 4);
	return addr <= 0xFFFF ? (u16)addr : 0;
}

/* One element of the package \_S5: a small integer. Moves *at behind it. */
static bool aml_byte(struct table t, u32 *at, u8 *val)
{
	enum { ZERO, ONE, BYTE_PREFIX = 0x0A };
	u32 op = (u32)field(t, *at, 1);

	if (*at + 2 > t.len || (op > ONE && op != BYTE_PREFIX))
		return false;
	*val = op == BYTE_PREFIX ? t.p[*at + 1] : (u8)op;
	*at += op == BYTE_PREFIX ? 2 : 1;
	return true;
}

/* Name (_S5, Package (){SLP_TYPa, SLP_TYPb, ..}) (ACPI 6.4 7.4.2, 20.2): found by its bytes, since an AML
 * interpreter for two numbers would be out of proportion. */
static void parse_dsdt(struct acpi_info *info, struct table t)
{
	enum { NAME = 0x08, ROOT = '\\', PACKAGE = 0x12 };

	for (u32 at = HEADER_SIZE; at + 8 < t.len; at++) {
		u32 e = at + 5;

		if (t.p[at] != '_' || memcmp(t.p + at, "_S5_\x12", 5) ||
		    (t.p[at - 1] != NAME && (t.p[at - 1] != ROOT || t.p[at - 2] != NAME)))
			continue;
		e += 1 + (t.p[e] >> 6); /* PkgLength */
		e += 1;			/* NumElements */
		if (aml_byte(t, &e, &info->s5_typ_a) && aml_byte(t, &e, &info->s5_typ_b)) {
			info->s5_valid = true;
			return;
		}
	}
}

/* ACPI 6.4 5.2.9. */
static void parse_fadt(struct acpi_info *info, struct table t, acpi_map_t map)
{
	u32 flags = (u32)field(t, 112, 4);
	u64 dsdt = field(t, 140, 8);
	struct table d;

	if (!(flags & BIT(20))) { /* not hardware-reduced */
		info->pm_timer_port = port_of(t, 208, 76);
		info->pm_timer_32 = flags & BIT(8);
		info->pm1a_cnt = port_of(t, 172, 64);
		info->pm1b_cnt = port_of(t, 184, 68);
		info->smi_cmd = (u16)field(t, 48, 4);
		info->acpi_enable = (u8)field(t, 52, 1);
	}
	if (flags & BIT(10) && t.len >= 129 && field(t, 116, 1) <= 1 && field(t, 120, 8)) {
		info->reset_valid = true;
		info->reset_space = (u8)field(t, 116, 1);
		info->reset_addr = field(t, 120, 8);
		info->reset_value = (u8)field(t, 128, 1);
	}
	if (open_table(dsdt ? dsdt : field(t, 40, 4), map, &d))
		parse_dsdt(info, d);
}

/* PCI firmware specification 4.1.2. */
static void parse_mcfg(struct acpi_info *info, struct table t)
{
	for (u32 at = 44; at + 16 <= t.len; at += 16) {
		if (!field(t, at + 8, 2) && !field(t, at + 10, 1)) {
			info->mcfg_base = field(t, at, 8);
			info->mcfg_bus_end = (u8)field(t, at + 11, 1);
		}
	}
}

static void parse_table(struct acpi_info *info, u64 pa, acpi_map_t map)
{
	const char *name = pa ? map(pa, HEADER_SIZE) : NULL;
	struct table t;

	if (!name)
		return;
	if (!memcmp(name, "APIC", 4) && open_table(pa, map, &t))
		parse_madt(info, t);
	else if (!memcmp(name, "FACP", 4) && open_table(pa, map, &t))
		parse_fadt(info, t, map);
	else if (!memcmp(name, "MCFG", 4) && open_table(pa, map, &t))
		parse_mcfg(info, t);
	else if (!memcmp(name, "DMAR", 4) && open_table(pa, map, &t))
		info->x2apic_opt_out = field(t, 37, 1) & BIT(1);
}

void acpi_parse(struct acpi_info *info, const u8 *rsdp, size_t rsdp_size, acpi_map_t map)
{
	struct table r = {rsdp, (u32)rsdp_size}, root;
	bool v2 = rsdp_size >= RSDP_V2 && rsdp[15] >= 2 && sums_to_zero(rsdp, RSDP_V2);
	u64 xsdt = v2 ? field(r, 24, 8) : 0;
	u32 entry = 8;

	info->present = true;
	if (!xsdt || !open_table(xsdt, map, &root)) {
		entry = 4;
		if (!open_table(field(r, 16, 4), map, &root))
			return;
	}
	for (u32 at = HEADER_SIZE; at + entry <= root.len; at += entry)
		parse_table(info, field(root, at, entry), map);
}
