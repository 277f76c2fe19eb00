/* Partition tables: MBR with logical partitions, GPT (UEFI 2.10 5.3). */
#pragma once

#include "lib/types.h"

struct drive;

struct partition {
	u8 active, chs_first[3], type, chs_last[3];
	u32 start, sectors;
} __packed;

struct mbr {
	u8 code[446];
	struct partition part[4];
	u16 signature;
} __packed;

#define MBR_SIGNATURE 0xAA55

/* The first block and the length of d's partition number (from 1; logical ones from 5), which lies on the
 * drive and is not empty. page, below 4 GiB, is for what is read. 0, -ENOENT or -EIO. */
int partition_find(struct drive *d, u32 number, u8 *page, u64 *first, u64 *count);
