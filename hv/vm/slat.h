/* Second-level address translation tables, EPT and NPT alike: guest-physical to host-physical. */
#pragma once

#include "lib/types.h"

enum { SLAT_R = 1, SLAT_W = 2, SLAT_X = 4 };
enum memtype { MT_UC = 0, MT_WC = 1, MT_WT = 4, MT_WP = 5, MT_WB = 6 }; /* SDM 3A 12.3 */

/* How a leaf is spelled; vmx/ept.c and svm/npt.c supply one each. Both have bit 7 set in a large page, bits
 * 0-2 in an entry that names a table, and nothing in an absent one. */
struct slat_format {
	u64 (*leaf)(u64 hpa, unsigned prot, enum memtype mt, unsigned level); /* level 1: 4K, 2: 2M, 3: 1G */
	unsigned (*prot)(u64 leaf);
};

struct slat {
	const struct slat_format *fmt;
	u64 *root;
	unsigned max_level; /* largest leaf level: 1, 2 or 3 */
	u64 table_pages;
};

/* An empty table. Returns 0 or -ENOMEM. */
int slat_init(struct slat *s, const struct slat_format *fmt, unsigned max_level);
void slat_destroy(struct slat *s);

/* Maps [gpa, gpa+size) (page-aligned) to hpa with the largest pages that fit and that have one memory type,
 * splitting larger pages that are in the way; prot 0 unmaps. The caller invalidates. Returns 0, -EINVAL
 * (unaligned, or beyond 48 bits) or -ENOMEM. */
int slat_map(struct slat *s, u64 gpa, u64 hpa, u64 size, unsigned prot);

/* One step of a walk, for dumps: the entry of level (4..1) that gpa goes through. Returns the level at which
 * the walk ends, entries[level-1] filled from 4 down to it; the last is 0 where nothing is mapped. */
unsigned slat_walk(const struct slat *s, u64 gpa, u64 entries[4]);
