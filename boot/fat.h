/* Between the two halves of the FAT reader: volume and cluster chains (fat.c), directories (fat_dir.c).
 * Layouts are those of Microsoft's "FAT32 File System Specification" 1.03. */
#pragma once

#include "boot/boot.h"

#define FAT_SECTOR 512

/* Says that the volume is damaged, how, and the number that shows it; returns -EINVAL. */
int fat_damaged(const char *what, u32 number);

/* The first sector of a cluster (2..clusters + 1). */
u64 fat_cluster_lba(const struct fat *f, u32 cluster);

/* Follows the chain from *cluster: 1, 0 at its end, or an error, said. steps starts at 0 and counts the way,
 * which in a chain without a circle is never longer than the volume has clusters. */
int fat_next_cluster(struct fat *f, u32 *cluster, u32 *steps);
