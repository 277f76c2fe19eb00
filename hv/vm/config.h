/* What the user asked for in pxhv.conf. boot/config.c fills it in; see docs/config.md for the keys. */
#pragma once

#include "lib/types.h"

#define CONFIG_MAX_VMS 8
#define CONFIG_PATH_MAX 128
#define CONFIG_CMDLINE_MAX 2048
#define MODULES_MAX 8

enum guest_kind {
	GUEST_NONE,
	GUEST_LINUX,	 /* kernel = */
	GUEST_MULTIBOOT, /* multiboot = */
	GUEST_FLAT,	 /* flat = FILE@ADDR:16|64 */
	GUEST_FIRMWARE,	 /* firmware = */
};

struct vm_config {
	char name[32];
	enum guest_kind kind;
	char image[CONFIG_PATH_MAX];
	char initrd[CONFIG_PATH_MAX]; /* "" for none */
	char cmdline[CONFIG_CMDLINE_MAX];
	char modules[MODULES_MAX][CONFIG_PATH_MAX]; /* each "FILE", or "FILE ARGUMENTS" */
	u32 module_count;
	u64 memory; /* bytes */
	u32 cpus;
	u64 flat_addr;
	u8 flat_bits;	  /* 16 or 64 */
	bool console_vga; /* console = vga; else serial. Both carry the active VM */
	bool debug_exit;  /* port 0xF4 ends the VM with its value */
	bool restart_on_crash;
	bool gdb; /* gdb = com2: wait there for GDB before the first instruction */
	u32 line; /* of the section's header, for messages */
};

struct config {
	bool quiet;	/* [pxhv] quiet = yes: no boot story */
	bool report_e9; /* [pxhv] report = e9 */
	bool headless;	/* [pxhv] headless = yes: nobody sits there for the monitor to wait for */
	u32 vm_count;
	struct vm_config vms[CONFIG_MAX_VMS];
};
