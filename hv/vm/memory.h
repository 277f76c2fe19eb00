/* A VM's RAM: guest-physical ranges backed by host memory, reached through bounds-checked accessors. */
#pragma once

#include "lib/types.h"

struct vm;

#define MEMSLOTS_MAX 16

struct memslot {
	u64 gpa;
	u64 size;
	u8 *host;
	bool readonly; /* ROM: guest writes are dropped */
};

/* The PCI hole: RAM goes from 0 to at most here, and on from 4 GiB. */
#define GUEST_HOLE_START 0xC0000000ULL

/* Allocates bytes of RAM (a multiple of 4 KiB) as vm's memory, in as few and as aligned runs as it can,
 * and maps it in the VM's second-level tables. The VGA window A0000h-BFFFFh stays unmapped, unless the VM has
 * a VGA: then it is RAM. The RAM is not cleared (on a PC it is not either). Returns 0, -EINVAL or -ENOMEM,
 * having printed what is wrong. */
int vm_memory_create(struct vm *vm, u64 bytes);

/* Maps host memory, which stays the caller's, as ROM at gpa: the guest's writes are dropped. All of it in
 * whole pages. Returns 0, -ENOSPC or slat_map()'s error. */
int vm_memory_rom(struct vm *vm, u64 gpa, const void *host, u64 size);

/* Gives the RAM back, cleared, so that nothing of one guest reaches another. */
void vm_memory_destroy(struct vm *vm);

/* The slot that gpa lies in, or NULL. */
struct memslot *memslot_find(struct vm *vm, u64 gpa);

/* A host pointer to [gpa, gpa+len), or NULL when that is not all in one RAM slot. ROM counts: who writes for
 * the guest asks memslot_find() first. */
void *guest_ptr(struct vm *vm, u64 gpa, u64 len);

/* Copies; slots may be crossed. Return 0, or -EFAULT (nothing guaranteed of the buffer) outside RAM; for
 * writes ROM is outside. */
int guest_read(struct vm *vm, u64 gpa, void *buf, u64 len);
int guest_write(struct vm *vm, u64 gpa, const void *buf, u64 len);
int guest_zero(struct vm *vm, u64 gpa, u64 len);

/* A piece of guest RAM as the hypervisor sees it, which is its physical address too. */
struct guest_piece {
	u8 *p;
	u32 len;
};

/* A host pointer to gpa, and *len cut to what follows it in the same slot. NULL outside RAM; ROM counts
 * unless it is to be written. */
u8 *guest_chunk(struct vm *vm, u64 gpa, u64 *len, bool write);
