/* What the user asked for in pxhv.conf. boot/config.c fills it in; see docs/config.md for the keys. */
#pragma once

#include "lib/types.h"

#define CONFIG_MAX_VMS	   8
#define CONFIG_PATH_MAX	   128
#define CONFIG_CMDLINE_MAX 2048
#define MODULES_MAX	   8
#define CONFIG_MAX_CPUS	   8 /* a VM */

enum guest_kind {
	GUEST_NONE,
	GUEST_LINUX,	 /* kernel = */
	GUEST_MULTIBOOT, /* multiboot = */
	GUEST_FLAT,	 /* flat = FILE@ADDR:16|64 */
	GUEST_FIRMWARE,	 /* firmware = */
	GUEST_KINDS
};

#define CONFIG_MAX_DISKS 4 /* a VM */

enum disk_kind {
	DISK_NONE,
	DISK_FILE, /* file:PATH: of the boot partition, loaded into RAM */
	DISK_BOOT, /* boot:PATH: of the boot partition, in place */
	DISK_HOST, /* ata0, ahci0p2: a disk of the PC or a partition of it */
};

struct disk;
struct trace;

struct disk_config {
	enum disk_kind kind;
	u32 partition;		    /* of a DISK_HOST: from 1; 0 for all of it */
	char name[CONFIG_PATH_MAX]; /* the path, or the PC's disk without the partition ("ahci0") */
	bool readonly;
	bool boot_too;	   /* the whole of a DISK_HOST may be the one that pxHV was booted from */
	struct disk *disk; /* what it was opened as; it outlives reboots */
};

struct vm_config {
	char name[32];
	enum guest_kind kind;
	char image[CONFIG_PATH_MAX];
	char initrd[CONFIG_PATH_MAX];  /* "" for none */
	char vgabios[CONFIG_PATH_MAX]; /* the firmware's option ROM for the screen; "" for none */
	char floppy[CONFIG_PATH_MAX];  /* what the firmware finds in drive A:; "" for none */
	char cmdline[CONFIG_CMDLINE_MAX];
	struct disk_config disks[CONFIG_MAX_DISKS]; /* disk =; ended by a DISK_NONE */
	char modules[MODULES_MAX][CONFIG_PATH_MAX]; /* each "FILE", or "FILE ARGUMENTS" */
	u32 module_count;
	u64 memory; /* bytes */
	u32 cpus;
	u32 trace_insns; /* how many instructions each vcpu's trace begins with */
	u64 trace;	 /* bytes of memory for each vcpu's exits; 0: they are not traced */
	struct trace *traces[CONFIG_MAX_CPUS]; /* what hv/main.c made for it; they outlive reboots */
	u64 flat_addr;
	u8 flat_bits;	  /* 16 or 64 */
	bool console_vga; /* console = vga; else serial. Both carry the active VM */
	bool debug_exit;  /* port 0xF4 ends the VM with its value */
	bool restart_on_crash;
	bool gdb; /* gdb = com2: wait there for GDB before the first instruction */
	u32 line; /* of the section's header, for messages */
};

struct config {
	bool quiet;    /* [pxhv] quiet = yes: no boot story */
	bool headless; /* [pxhv] headless = yes: nobody sits there for the monitor to wait for */
	u32 vm_count;
	struct vm_config vms[CONFIG_MAX_VMS];
};
