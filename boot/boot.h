/* What boot/ offers to C: the BIOS, files of the boot partition, the config. All of it ends with the last
 * file loaded: once VMX or SVM is on, the BIOS is gone. */
#pragma once

#include "host/memmap.h"
#include "lib/types.h"
#include "vm/config.h"

/* Filled by stage 2 before hv_main(); the first two lie in text and are not written later. */
extern u8 boot_drive;
extern u64 boot_tsc; /* TSC at stage 2's first instruction */
extern u32 boot_e820_count;
extern struct mem_region boot_e820[MEMMAP_MAX];

/* Registers of a BIOS call, in and out. ds and es are real-mode segments. */
struct bios_regs {
	u32 eax, ebx, ecx, edx, esi, edi, ebp;
	u16 ds, es;
	u32 eflags; /* out; bit 0 is carry */
} __packed;

/* Calls interrupt intno in real mode with interrupts on, and comes back to long mode. */
void bios_call(u8 intno, struct bios_regs *r);

/* The same with these registers, DS:SI = BIOS_PACKET, and all others 0. What it gave holds until the next
 * call. */
const struct bios_regs *bios(u8 intno, u32 eax, u32 ebx, u32 ecx, u32 edx, u16 es);

static inline bool bios_failed(const struct bios_regs *r)
{
	return r->eflags & 1;
}

/* Fills boot_e820 from the BIOS; stage 2 calls it before hv_main(). INT 15h E820h, else E801h, else 88h. */
void e820_read(void);

/* 64 KiB below 1 MiB, 64 KiB-aligned, for the BIOS to put data into. */
#define BIOS_BUFFER	 0x70000ULL
#define BIOS_BUFFER_SIZE 0x10000ULL
#define BIOS_BUFFER_SEG	 (BIOS_BUFFER >> 4)
#define BIOS_PACKET	 (BIOS_BUFFER + 0xFE00) /* its last sector, for disk.c */

/* The BIOS says that the boot disk is on USB: not all do. Filled by disk_init(). */
extern bool boot_from_usb;

/* The boot disk by INT 13h (EDD, else CHS). Each returns 0 or -EIO having said which sector and what code. */
int disk_init(void);
int disk_read(u64 lba, u32 count, void *buf); /* 512-byte sectors, any length, any memory */

/* A FAT32 volume, read through a sector function: pure code, also run by the unit tests and the fuzzer. */
struct fat {
	int (*read)(void *ctx, u64 lba, u32 count, void *buf);
	void *ctx;
	u64 start; /* LBA of the volume */
	u32 sectors_per_cluster, fat_start, fat_sectors, data_start, clusters, root_cluster;
	u32 cached_fat_sector;
	u8 fat_cache[512];
};

struct fat_file {
	u32 cluster;
	u32 size;
	bool directory;
};

/* Reads the MBR and the boot sector of the first FAT32 partition. 0, -ENODEV no such partition, -EINVAL a
 * damaged one, -EIO; all having said what is wrong. */
int fat_mount(struct fat *f, int (*read)(void *ctx, u64 lba, u32 count, void *buf), void *ctx);

/* Finds "dir/name" without regard to case, by long or short name. 0, -ENOENT (not said: the caller
 * knows what for), -EIO, -EINVAL (damage). "" is the root directory. */
int fat_open(struct fat *f, const char *path, struct fat_file *out);

/* Reads the whole file into buf (room for size rounded up to 512). progress (may be NULL) is called with the
 * bytes done. 0, -EIO, -EINVAL when the cluster chain is damaged. */
int fat_read(struct fat *f, const struct fat_file *file, void *buf, void (*progress)(u64 done, u64 total));

/* Where the file, which is not empty, lies on the disk: its whole sectors, in one piece. 0, -ESPIPE when it
 * is in several (not said), -EIO, -EINVAL (damage). */
int fat_extent(struct fat *f, const struct fat_file *file, u64 *lba, u64 *sectors);

/* Parses an INI text of len bytes (CRLF or LF, BOM accepted). Every mistake is printed as "name:LINE: ..."
 * with a suggestion where one is near; returns the number of mistakes, so 0 is good. Pure code. */
unsigned config_parse(struct config *c, const char *name, const char *text, size_t len);

/* Prints progress of loading name: a bar once it takes longer than a second. */
void progress_begin(const char *name);
void progress_update(u64 done, u64 total);
void progress_end(void); /* of the bar, if there is one: what is printed next begins a line */

/* The boot disk's first sector, once the config is read: by it the disk is found again without the BIOS. */
extern u8 boot_mbr[512];

/* Reads pxhv.conf and parses it; loads a file of the partition into fresh host memory. 0 or an error, said.
 */
int boot_config(struct config *c);
int boot_load_file(const char *path, u8 **data, u64 *size);
