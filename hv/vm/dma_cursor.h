/* A request's memory, taken piece by piece: as a drive's DMA can reach it, or copied. */
#pragma once

#include "host/drive.h"
#include "vm/memory.h"

struct dma_cursor {
	const struct guest_piece *piece; /* the next byte's */
	u32 offset;			 /* and where in it */
};

/* Fills in c's segments and blocks (of block_size bytes): as many as rules allow of the left bytes, whole
 * blocks, that the pieces still have. Moves at behind them and returns how many bytes, which may be none. */
u32 dma_take(const struct dma_rules *rules, u32 block_size, struct dma_cursor *at, u64 left,
	     struct drive_cmd *c);

/* Copies len bytes, which the pieces have, between them and buf, and moves at behind them. */
void dma_copy(struct dma_cursor *at, u8 *buf, u32 len, bool to_guest);
