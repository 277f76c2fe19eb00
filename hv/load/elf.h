/* ELF executables (System V ABI, chapters 4 and 5): what the loaders need of them. */
#pragma once

#include "lib/types.h"

struct vm;

struct elf {
	const u8 *image;
	u64 size;
	bool wide;   /* ELFCLASS64 */
	u32 headers; /* program headers, all inside the file */
	u64 header_at, header_size;
	u64 entry; /* as the file says */
	u64 end;   /* by elf_load(): past the highest byte loaded */
	u64 start; /* of what there is no room for, if the reason is */
};
extern const char elf_no_room[]; /* ... up to end */

/* An x86 executable? 0, or -ENOEXEC with *why saying what is wrong as the rest of a sentence. */
int elf_open(struct elf *e, const u8 *image, u64 size, const char **why);

/* Copies the segments to their physical addresses and clears what follows each up to its size in memory.
 * e->entry, when it is a virtual address of a segment, becomes the physical one. 0, or -ENOEXEC or -ENOMEM
 * with *why. */
int elf_load(struct vm *vm, struct elf *e, const char **why);

/* The 32-bit physical entry of a Xen PVH kernel (note 18 of "Xen"), 0 for none. */
u32 elf_pvh_entry(const struct elf *e);

/* Puts filled bytes at addr, and zeros behind them up to size. 0 or -ENOMEM. */
int load_segment(struct vm *vm, u64 addr, const u8 *data, u64 filled, u64 size);

/* Guest memory that a kernel may be put into: RAM outside what load/layout.h has below 1 MiB. */
bool load_range_ok(const struct vm *vm, u64 addr, u64 size);
