/* The boot story, in order. Stage 2 has entered long mode and calls hv_main(). */

#include "boot/boot.h"
#include "debug/autopsy.h"
#include "debug/gdb.h"
#include "debug/insns.h"
#include "debug/monitor.h"
#include "disks.h"
#include "host/acpi.h"
#include "host/apic.h"
#include "host/console.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "host/memmap.h"
#include "host/page.h"
#include "host/paging.h"
#include "host/panic.h"
#include "host/percpu.h"
#include "host/rtc.h"
#include "host/time.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "load/load.h"
#include "vm/disk.h"
#include "vm/exits.h"
#include "vm/trace.h"
#include "vm/vm.h"

void hv_main(void);

static struct config config;
static struct guest_files files[CONFIG_MAX_VMS];

/* The memory map, our own page tables, tables of the firmware, clocks. What cannot work says why and ends. */
static void host_init(void)
{
	cpu_init(&cpus[0]);
	memcpy(host_memmap.r, boot_e820, sizeof(boot_e820));
	host_memmap.count = boot_e820_count;
	memmap_normalize(&host_memmap);
	page_init();

	unsigned violations = paging_init();

	if (violations)
		panic("%u pages are both writable and executable", violations);
	acpi_init();
	time_init();
	vm_host_init();
}

/* Whoever sits there can read the mistakes, and look around. */
static void __noreturn refuse_config(void)
{
	if (config.headless || !monitor_dead)
		host_exit(EXIT_REFUSED);
	apic_init();
	if (monitor_dead(NULL, EXIT_REFUSED))
		acpi_reset();
	host_power_off(EXIT_REFUSED);
}

static void read_config(void)
{
	config.headless = true; /* as long as the file cannot be read */
	if (boot_config(&config))
		refuse_config();
	console_set_quiet(config.quiet);
	console_monitor.attended = !config.headless;
}

static void load_file(const char *path, const u8 **data, u64 *size)
{
	if (*path && boot_load_file(path, (u8 **)data, size))
		host_exit(EXIT_REFUSED);
}

/* A disk of a VM, for as long as pxHV runs. */
static void load_disk(struct disk_config *d)
{
	u8 *data = NULL;
	u64 size = 0;

	if (d->kind != DISK_FILE)
		return;
	load_file(d->name, (const u8 **)&data, &size);
	d->disk = ram_disk_create(data, size, d->readonly, d->name);
	if (!d->disk)
		panic("no page left for a disk");
}

/* A module's file name ends at the first blank: the rest is for the guest to read. */
static void load_module(const char *module, const u8 **data, u64 *size)
{
	char path[CONFIG_PATH_MAX];
	u32 i = 0;

	while (module[i] && module[i] != ' ' && module[i] != '\t')
		i++;
	memcpy(path, module, i);
	path[i] = 0;
	load_file(path, data, size);
}

/* One for each of its vcpus; whoever reads them needs the PC's memory. */
static void create_traces(struct vm_config *c)
{
	for (u32 i = 0; c->trace && i < c->cpus; i++) {
		c->traces[i] = trace_create(c->name, i, c->trace, c->trace_insns);
		if (!c->traces[i])
			printk("vm '%s': no memory for its trace\n", c->name);
		host_stay_on();
	}
}

/* The last thing that the BIOS is needed for: once a vendor's extension is on, it is gone. */
static void load_files(void)
{
	for (u32 i = 0; i < config.vm_count; i++) {
		struct vm_config *c = &config.vms[i];
		struct guest_files *f = &files[i];

		load_file(c->image, &f->image, &f->image_size);
		load_file(c->initrd, &f->initrd, &f->initrd_size);
		load_file(c->vgabios, &f->vgabios, &f->vgabios_size);
		load_file(c->floppy, &f->floppy, &f->floppy_size);
		for (struct disk_config *d = c->disks; d < c->disks + CONFIG_MAX_DISKS && d->kind; d++)
			load_disk(d);
		for (u32 m = 0; m < c->module_count; m++)
			load_module(c->modules[m], &f->module[m].data, &f->module[m].size);
		create_traces(c);
	}
}

/* The vendor whose extension this CPU has; where it has neither, the one that can say what is missing. */
static const struct vcpu_ops *choose_vendor(void)
{
	u32 vendor = cpuid(0, 0).ecx;
	bool vmx = cpuid(1, 0).ecx & BIT(5);
	bool amd = vendor == 0x444D4163 || vendor == 0x656E6975; /* AMD, Hygon */
	const struct vcpu_ops *ops = !vmx && amd ? &svm_ops : &vmx_ops;

	if (!ops) {
		printk("pxHV: this CPU needs %s, but this pxHV was built without '%s'\n",
		       amd ? "AMD-V" : "VT-x", amd ? "svm" : "vmx");
		host_exit(EXIT_REFUSED);
	}
	if (ops->check())
		host_exit(EXIT_REFUSED);
	story("%s supported", ops->name);
	story("Long mode enabled, W^X verified"); /* by host_init(), before the config was read */
	return ops;
}

/* Runs the VM once, from power-on to its end. */
static enum vm_end run_once(const struct vm_config *c, const struct guest_files *f,
			    const struct vcpu_ops *ops, u32 *status)
{
	struct cpu_state start;
	struct vm *vm = vm_create(c, ops);

	if (!vm)
		host_exit(EXIT_REFUSED);
	story("vm '%s': %s maps %llu MiB", c->name, ops->created,
	      (unsigned long long)(vm->memory_size / MiB));
	if (load_guest(vm, f, &start))
		host_exit(EXIT_REFUSED);
	vcpu_set_state(vm->vcpus[0], &start);
	if (monitor_attach)
		monitor_attach(vm);
	if (c->gdb)
		gdb_attach(vm);
	else if (c->trace)
		insns_attach(vm);
	story("Guest loaded, entry at %#llx", (unsigned long long)start.rip);
	time_refine();
	story("%s", ops->entry);

	enum vm_end end = vm_run(vm);

	*status = vm->end_status;
	if (end == VM_DIED)
		autopsy(vm);
	if (c->gdb)
		gdb_vm_ended(vm);
	if (end == VM_DIED && !config.headless && !c->restart_on_crash && monitor_dead) {
		if (!monitor_dead(vm, EXIT_GUEST_DIED))
			host_power_off(EXIT_GUEST_DIED);
		end = VM_REBOOT;
	}
	vm_destroy(vm);
	return end;
}

void hv_main(void)
{
	console_init();
	if (monitor_init)
		monitor_init();
	host_init();
	read_config();
	story("Jumping to hypervisor...");
	story("Stage 2: Hypervisor loader");

	const struct vcpu_ops *ops = choose_vendor();

	load_files();
	apic_init();
	if (disks_open && disks_open(&config))
		host_exit(EXIT_REFUSED);
	wall_clock_base = rtc_read() - tsc_now() / tsc_hz;
	if (ops->enable())
		host_exit(EXIT_REFUSED);
	story("%s", ops->enabled);
	cpuid_policy_init();
	for (;;) {
		u32 status = 0;

		switch (run_once(&config.vms[0], &files[0], ops, &status)) {
		case VM_REBOOT:
			story("vm '%s' reboots", config.vms[0].name);
			break;
		case VM_DEBUG_EXIT:
			host_exit((int)status);
		case VM_DIED:
			if (!config.vms[0].restart_on_crash)
				host_exit(EXIT_GUEST_DIED);
			break;
		default:
			story("vm '%s' is off", config.vms[0].name);
			host_exit(EXIT_POWEROFF);
		}
	}
}
