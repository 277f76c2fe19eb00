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

/* Where a field is: its offset and its size in bytes. */
#define FIELD(offset, size) ((offset) << 4 | (size))

enum { /* ACPI 6.4 5.2.5.3, 5.2.9, 5.2.12 */
       RSDP_RSDT = FIELD(16, 4),
       RSDP_XSDT = FIELD(24, 8),

       FADT_DSDT = FIELD(40, 4),
       FADT_SMI_CMD = FIELD(48, 4),
       FADT_ACPI_ENABLE = FIELD(52, 1),
       FADT_PM1A_CNT = FIELD(64, 4),
       FADT_PM1B_CNT = FIELD(68, 4),
       FADT_PM_TMR = FIELD(76, 4),
       FADT_FLAGS = FIELD(112, 4),
       FADT_RESET_SPACE = FIELD(116, 1),
       FADT_RESET_ADDR = FIELD(120, 8),
       FADT_RESET_VALUE = FIELD(128, 1),
       FADT_X_DSDT = FIELD(140, 8),
       FADT_X_PM1A_CNT = 172,
       FADT_X_PM1B_CNT = 184,
       FADT_X_PM_TMR = 208,

       MADT_LAPIC = FIELD(36, 4),
       LAPIC_ID = FIELD(3, 1),
       LAPIC_FLAGS = FIELD(4, 4),
       X2APIC_ID = FIELD(4, 4),
       X2APIC_FLAGS = FIELD(8, 4),
       IOAPIC_ADDR = FIELD(4, 4),
       IOAPIC_GSI = FIELD(8, 4),
       OVERRIDE_IRQ = FIELD(3, 1),
       OVERRIDE_GSI = FIELD(4, 4),
       OVERRIDE_FLAGS = FIELD(8, 2),
       ADDRESS_LAPIC = FIELD(4, 8),

       DMAR_FLAGS = FIELD(37, 1),
};

/* A field, 0 where the table is too short to have it. */
static __noinline u64 field(const struct table *t, u32 where)
{
	u64 val = 0;

	if ((where >> 4) + (where & 15) <= t->len)
		memcpy(&val, t->p + (where >> 4), where & 15);
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
	char name[4];

	if (!h)
		return false;
	memcpy(&t->len, h + 4, 4);
	t->p = t->len >= HEADER_SIZE && t->len <= TABLE_MAX ? map(pa, t->len) : NULL;
	if (t->p && sums_to_zero(t->p, t->len))
		return true;
	for (u32 i = 0; i < 4; i++)
		name[i] = (char)(h[i] < ' ' || h[i] > '~' ? '?' : h[i]);
	printk("ACPI: table %.4s at 0x%lx is damaged, leaving it out\n", name, pa);
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
static void parse_madt(struct acpi_info *info, const struct table *t, acpi_map_t map)
{
	enum { LAPIC, IOAPIC, OVERRIDE, ADDRESS = 5, X2APIC = 9 };
	u32 cpus = 0;
	struct table e;

	info->lapic_base = field(t, MADT_LAPIC);
	for (u32 at = 44; at + 2 <= t->len; at += e.len) {
		u32 irq, flags;

		e = (struct table){t->p + at, t->p[at + 1]};
		if (e.len < 2 || at + e.len > t->len) {
			printk("ACPI: MADT entry at %u is damaged, leaving out the rest\n", at);
			return;
		}
		switch (*e.p) {
		case LAPIC:
			add_cpu(info, &cpus, (u32)field(&e, LAPIC_ID), (u32)field(&e, LAPIC_FLAGS));
			break;
		case X2APIC:
			add_cpu(info, &cpus, (u32)field(&e, X2APIC_ID), (u32)field(&e, X2APIC_FLAGS));
			break;
		case IOAPIC: /* the one with the ISA IRQs */
			if (!info->ioapic_base || field(&e, IOAPIC_GSI) < info->ioapic_gsi_base) {
				info->ioapic_base = (u32)field(&e, IOAPIC_ADDR);
				info->ioapic_gsi_base = (u32)field(&e, IOAPIC_GSI);
			}
			break;
		case OVERRIDE:
			irq = (u32)field(&e, OVERRIDE_IRQ);
			flags = (u32)field(&e, OVERRIDE_FLAGS);
			if (irq >= ARRAY_SIZE(info->isa_irq) || e.len < 10)
				break;
			info->isa_irq[irq].gsi = (u32)field(&e, OVERRIDE_GSI);
			info->isa_irq[irq].low = (flags & 3) == 3;
			info->isa_irq[irq].level = (flags >> 2 & 3) == 3;
			break;
		case ADDRESS:
			if (e.len >= 12)
				info->lapic_base = field(&e, ADDRESS_LAPIC);
			break;
		}
	}
}

/* An I/O port block: the extended form (ACPI 6.4 5.2.3.2) where it is there and in I/O space, else the old
 * one. */
static u16 port_of(const struct table *t, u32 gas, u32 legacy)
{
	u64 addr = field(t, FIELD(gas, 1)) == 1 ? field(t, FIELD(gas + 4, 8)) : 0;

	if (!addr || addr > 0xFFFF)
		addr = field(t, legacy);
	return addr <= 0xFFFF ? (u16)addr : 0;
}

/* One element of the package \_S5: a small integer. Moves *at behind it. */
static bool aml_byte(const struct table *t, u32 *at, u8 *val)
{
	enum { ZERO, ONE, BYTE_PREFIX = 0x0A };

	if (*at + 2 > t->len)
		return false;
	*val = t->p[(*at)++];
	if (*val == BYTE_PREFIX)
		*val = t->p[(*at)++];
	else if (*val > ONE)
		return false;
	return true;
}

/* Name (_S5, Package (){SLP_TYPa, SLP_TYPb, ..}) (ACPI 6.4 7.4.2, 20.2): found by its bytes, since an AML
 * interpreter for two numbers would be out of proportion. */
static void parse_dsdt(struct acpi_info *info, const struct table *t)
{
	enum { NAME = 0x08, ROOT = '\\', PACKAGE = 0x12 };

	for (u32 at = HEADER_SIZE; at + 8 < t->len; at++) {
		const u8 *p = t->p + at;
		u32 e = at + 5;

		if (memcmp(p, "_S5_\x12", 5) || (p[-1] != NAME && (p[-1] != ROOT || p[-2] != NAME)))
			continue;
		e += 1 + (t->p[e] >> 6); /* PkgLength */
		e += 1;			 /* NumElements */
		if (aml_byte(t, &e, &info->s5_typ_a) && aml_byte(t, &e, &info->s5_typ_b)) {
			info->s5_valid = true;
			return;
		}
	}
}

/* ACPI 6.4 5.2.9. */
static void parse_fadt(struct acpi_info *info, const struct table *t, acpi_map_t map)
{
	u32 flags = (u32)field(t, FADT_FLAGS);
	struct table dsdt;

	if (!(flags & BIT(20))) { /* not hardware-reduced */
		info->pm_timer_port = port_of(t, FADT_X_PM_TMR, FADT_PM_TMR);
		info->pm_timer_32 = flags & BIT(8);
		info->pm1a_cnt = port_of(t, FADT_X_PM1A_CNT, FADT_PM1A_CNT);
		info->pm1b_cnt = port_of(t, FADT_X_PM1B_CNT, FADT_PM1B_CNT);
		info->smi_cmd = (u16)field(t, FADT_SMI_CMD);
		info->acpi_enable = (u8)field(t, FADT_ACPI_ENABLE);
	}
	info->reset_space = (u8)field(t, FADT_RESET_SPACE);
	info->reset_addr = field(t, FADT_RESET_ADDR);
	info->reset_value = (u8)field(t, FADT_RESET_VALUE);
	info->reset_valid = flags & BIT(10) && t->len >= 129 && info->reset_space <= 1 && info->reset_addr;
	if (open_table(field(t, FADT_X_DSDT) ?: field(t, FADT_DSDT), map, &dsdt))
		parse_dsdt(info, &dsdt);
}

/* PCI firmware specification 4.1.2. */
static void parse_mcfg(struct acpi_info *info, const struct table *t, acpi_map_t map)
{
	for (u32 at = 44; at + 16 <= t->len; at += 16) {
		struct table e = {t->p + at, 16};

		if (field(&e, FIELD(8, 3))) /* segment and first bus */
			continue;
		info->mcfg_base = field(&e, FIELD(0, 8));
		info->mcfg_bus_end = e.p[11];
	}
}

static void parse_dmar(struct acpi_info *info, const struct table *t, acpi_map_t map)
{
	info->x2apic_opt_out = field(t, DMAR_FLAGS) & BIT(1);
}

static void parse_table(struct acpi_info *info, u64 pa, acpi_map_t map)
{
	static const struct {
		char name[4];
		void (*parse)(struct acpi_info *info, const struct table *t, acpi_map_t map);
	} parsers[] = {
		{"APIC", parse_madt}, {"FACP", parse_fadt}, {"MCFG", parse_mcfg}, {"DMAR", parse_dmar}};
	const char *name = pa ? map(pa, HEADER_SIZE) : NULL;
	struct table t;

	for (u32 i = 0; name && i < ARRAY_SIZE(parsers); i++)
		if (!memcmp(name, parsers[i].name, 4) && open_table(pa, map, &t))
			parsers[i].parse(info, &t, map);
}

void acpi_parse(struct acpi_info *info, const u8 *rsdp, size_t rsdp_size, acpi_map_t map)
{
	struct table r = {rsdp, (u32)rsdp_size}, root;
	bool v2 = rsdp_size >= RSDP_V2 && rsdp[15] >= 2 && sums_to_zero(rsdp, RSDP_V2);
	u32 entry = 8;

	info->present = true;
	if (!v2 || !open_table(field(&r, RSDP_XSDT), map, &root)) {
		entry = 4;
		if (!open_table(field(&r, RSDP_RSDT), map, &root))
			return;
	}
	for (u32 at = HEADER_SIZE; at + entry <= root.len; at += entry)
		parse_table(info, field(&root, FIELD(at, entry)), map);
}
