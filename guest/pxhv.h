/* What a guest written for pxHV may know of it: how to detect it, its hypercalls, and the boot-information
 * block of flat 64-bit guests. Guests and hypervisor share this file; it needs nothing but <stdint.h>. */
#pragma once

#include <stdint.h>

/* CPUID leaf 40000100h: EAX is the highest leaf of the family, EBX-ECX-EDX spell the signature; leaf
 * 40000101h: EAX is the version (major << 16 | minor), EBX the features below. (Leaf 40000000h carries KVM's
 * signature, for the paravirtual clock that existing kernels know.) */
#define PXHV_CPUID_SIGNATURE   0x40000100u
#define PXHV_CPUID_FEATURES    0x40000101u
#define PXHV_SIGNATURE	       "pxHVpxHVpxHV"
#define PXHV_VERSION	       0x00000001u
#define PXHV_FEATURE_HYPERCALL (1u << 0)

/* Hypercalls: VMCALL on Intel, VMMCALL on AMD, in any mode. EAX holds the number and EBX the argument; the
 * result comes back in RAX, 0 or more, or one of the errors below. All other registers are kept. Numbers
 * outside this list give PXHV_ENOSYS; calls marked (0) give PXHV_EPERM outside privilege level 0. */
#define PXHV_HC_VERSION	 0x70780000u /* returns PXHV_VERSION */
#define PXHV_HC_PUTC	 0x70780001u /* (0) prints the character in BL on the guest's console */
#define PXHV_HC_YIELD	 0x70780002u /* (0) lets other vCPUs that share this CPU run */
#define PXHV_HC_SHUTDOWN 0x70780003u /* (0) powers the guest off; does not return */
#define PXHV_HC_NOP	 0x70780004u /* does nothing: what a round trip costs */

#define PXHV_EPERM  (-1)
#define PXHV_ENOSYS (-38)

/* RDI points to this at the entry of a flat 64-bit guest. All pointers are guest-physical, and
 * identity-mapped. */
#define PXHV_BOOT_MAGIC	  0x56487870u /* "pxHV" */
#define PXHV_BOOT_VERSION 1u

struct pxhv_memory {
	uint64_t base;
	uint64_t size;
	uint32_t type; /* as E820: 1 RAM, 2 reserved, 3 ACPI, 4 NVS */
	uint32_t reserved;
};

struct pxhv_boot_info {
	uint32_t magic;
	uint32_t version;
	uint64_t tsc_hz;
	uint64_t cmdline;     /* of a zero-terminated string */
	uint32_t cmdline_len; /* without the zero */
	uint32_t memory_count;
	uint64_t memory; /* of memory_count struct pxhv_memory, sorted by base */
	uint64_t rsdp;	 /* ACPI's root pointer, 0 when there is none */
};
