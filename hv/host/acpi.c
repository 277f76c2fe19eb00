#include "host/acpi.h"

#include "host/acpi_tables.h"
#include "host/cpu.h"
#include "host/memmap.h"
#include "host/paging.h"

#define LOW_END	      0xA0000ULL
#define EBDA_MIN      0x80000ULL
#define BIOS_START    0xE0000ULL
#define LAPIC_DEFAULT 0xFEE00000ULL

struct acpi_info acpi;

/* The EBDA lies between the RAM that firmware lists and the VGA: the map says so without a look into page 0.
 */
static u64 ebda_start(void)
{
	u64 start = LOW_END;

	for (u32 i = 0; i < host_memmap.count; i++) {
		const struct mem_region *m = &host_memmap.r[i];

		if (m->type == MEM_RAM && m->base + m->size <= LOW_END)
			start = m->base + m->size;
	}
	return MAX(ALIGN_DOWN(start, 16), EBDA_MIN);
}

static const u8 *find_rsdp(u64 start, u64 end)
{
	long at = acpi_find_rsdp((const u8 *)start, end - start);

	return at < 0 ? NULL : (const u8 *)start + at;
}

void acpi_init(void)
{
	const u8 *rsdp = find_rsdp(ebda_start(), LOW_END);
	u64 end = LOW_END;

	acpi.lapic_base = LAPIC_DEFAULT;
	acpi.cpu_count = 1;
	acpi.apic_ids[0] = cpuid(1, 0).ebx >> 24;
	for (u32 i = 0; i < ARRAY_SIZE(acpi.isa_irq); i++)
		acpi.isa_irq[i].gsi = i;
	if (!rsdp) {
		rsdp = find_rsdp(BIOS_START, MiB);
		end = MiB;
	}
	if (rsdp)
		acpi_parse(&acpi, rsdp, end - (u64)rsdp, rom_map);
}
