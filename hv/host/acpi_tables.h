/* Reading ACPI tables: pure code, also run by the unit tests. Nothing in a table is trusted. */
#pragma once

#include "host/acpi.h"

/* Gives a pointer to size bytes of physical memory, or NULL when they cannot be reached. */
typedef const void *(*acpi_map_t)(u64 pa, u64 size);

/* The offset of a valid RSDP (16-byte-aligned) in area, or -ENOENT. */
long acpi_find_rsdp(const u8 *area, size_t size);

/* Fills info from the tables that the RSDP of rsdp_size readable bytes leads to. info holds the defaults
 * before. A bad table is named on the console and left out. */
void acpi_parse(struct acpi_info *info, const u8 *rsdp, size_t rsdp_size, acpi_map_t map);
