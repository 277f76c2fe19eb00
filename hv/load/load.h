/* How a guest gets started: files of the config turned into guest memory and a start state. */
#pragma once

#include "lib/types.h"
#include "vm/config.h"

struct vm;
struct cpu_state;

struct guest_files { /* in host memory from a page's start, kept for reboots */
	const u8 *image;
	u64 image_size;
	const u8 *initrd;
	u64 initrd_size;
	const u8 *vgabios;
	u64 vgabios_size;
	const u8 *floppy;
	u64 floppy_size;
	struct {
		const u8 *data;
		u64 size;
	} module[MODULES_MAX];
};

/* Loads by vm->config->kind and fills in the start state of vcpu 0. Returns 0, or a negative error having
 * said why. Called again for each reboot. */
int load_guest(struct vm *vm, const struct guest_files *f, struct cpu_state *start);

/* One function a kind, same contract. */
int load_linux(struct vm *vm, const struct guest_files *f, struct cpu_state *start);
int load_flat(struct vm *vm, const struct guest_files *f, struct cpu_state *start);
int load_firmware(struct vm *vm, const struct guest_files *f, struct cpu_state *start);
int load_multiboot(struct vm *vm, const struct guest_files *f, struct cpu_state *start);

/* Each is left out by WITHOUT= its kind; then no config has such a guest. */
#pragma weak load_linux
#pragma weak load_flat
#pragma weak load_firmware
#pragma weak load_multiboot

/* Fills the real-mode vector table so that a call to a BIOS that is not there ends the VM with a message.
 * Returns 0 or a negative error. */
int load_no_bios(struct vm *vm);

/* Writes RSDP, RSDT, FADT, MADT, DSDT, FACS into guest memory from at on, which is a multiple of 64 below 4
 * GiB with LOAD_ACPI_SIZE bytes of RAM. The RSDP comes first. Returns at, 0 on failure. */
u64 load_acpi(struct vm *vm, u64 at);

/* The guest's E820 map, as its loaders tell it: LOAD_E820_MAX of struct mem_region at most, stride bytes from
 * one to the next, what is between them left alone. Returns their number. */
#define LOAD_E820_MAX 4
unsigned load_e820(const struct vm *vm, void *to, size_t stride);

/* The loaders' memory below 1 MiB, which VMs of 1 MiB and more have; else NULL. */
struct load_area *load_area(struct vm *vm);

/* Start states: real mode at cs:ip, flat 32-bit protected mode without paging (Multiboot 3.2), and 64-bit
 * long mode with an identity map of 4 GiB; the latter two with a GDT. */
void start_real_mode(struct cpu_state *s, u16 cs, u16 ip);
void start_protected_mode(struct load_area *a, struct cpu_state *s, u32 eip);
void start_long_mode(struct load_area *a, struct cpu_state *s, u64 rip);
