/* A virtual machine. */
#pragma once

#include "lib/spinlock.h"
#include "lib/types.h"
#include "vm/bus.h"
#include "vm/config.h"
#include "vm/memory.h"
#include "vm/slat.h"
#include "vm/vcpu.h"

#define VM_MAX_VCPUS	 CONFIG_MAX_CPUS
#define BUS_MAX_PIO	 48
#define BUS_MAX_MMIO	 16
#define VM_MAX_HEAP_RUNS 32

struct pio_range {
	u16 base, count;
	u32 widest; /* access for ops */
	const struct pio_ops *ops;
	void *dev;
	const char *name;
	u64 accesses;
};

struct mmio_range {
	u64 base, size;
	const struct mmio_ops *ops;
	void *dev;
	const char *name;
	u64 accesses;
};

struct vm_debugger;

/* Who has the console's input while it is open: debug/monitor.c. */
struct console_monitor {
	bool open;
	bool quit;				  /* Ctrl-A x */
	bool attended;				  /* somebody can look at what hangs */
	void (*toggle)(struct vm *vm, bool open); /* NULL: there is no monitor */
	void (*key)(u8 c);
	void (*serve)(struct vcpu *v); /* EV_MONITOR */
};
extern struct console_monitor console_monitor;

/* What is used most lies in the first 128 bytes, which instructions reach with a short displacement. */
struct vm {
	const struct vm_config *config;
	struct spinlock lock; /* of the devices and lines */
	bool extint;
	u8 console_head, console_tail; /* of console_in; they wrap with its size */
	enum vm_end end;
	u32 end_status;
	u32 slot_count;
	u64 memory_size;
	struct slat slat;
	u8 *port_owner;			    /* 65536 entries: index into pio[] + 1, 0 for none */
	const struct vm_debugger *debugger; /* NULL for none */
	u32 console_len;
	u32 mmio_last; /* index of the last hit */
	u8 pio_count, mmio_count, irqchip_count, heap_count;
	u32 vcpu_count;
	struct vcpu *vcpus[VM_MAX_VCPUS];

	struct memslot slots[MEMSLOTS_MAX];
	struct pio_range pio[BUS_MAX_PIO];
	struct mmio_range mmio[BUS_MAX_MMIO];
	u64 unclaimed_reads, unclaimed_writes; /* ports and MMIO */
	u16 last_unclaimed_port;
	bool log_unclaimed; /* tell of each such access */
	bool debug64;	    /* show debuggers 64-bit registers even while the guest runs 32-bit code */
	bool uart_listens;
	bool own_line;	  /* the serial line is the guest's UART's, and shows no screen */
	bool screen_used; /* the guest has shown one */
	u32 last_unknown_msr;
	u64 unknown_msrs;

	struct {
		const struct irqchip_ops *ops;
		void *chip;
	} irqchips[2];
	int (*extint_ack)(void *chip);
	void *extint_chip;
	void (*eoi)(void *chip, u8 vector);
	void *eoi_chip;

	void (*console_input)(void *dev);
	void *console_dev;
	void (*keyboard_input)(void *dev); /* NULL: no keyboard */
	void *keyboard_dev;
	void (*screen_leave)(void *dev);
	void *screen_dev;
	struct vtimer console_timer; /* flushes console_out, and polls where the console has no interrupt */
	char console_out[64], console_last;
	bool console_crlf; /* the guest ends its lines itself, as its terminal wants them */
	u8 console_in[256];

	const struct vm_debugger *next_debugger; /* when this one is through (debug/insns.c) */
	char end_reason[160];			 /* for VM_DIED: a sentence */
	u32 id;

	struct {
		u8 *base;
		u64 size;
	} heap[VM_MAX_HEAP_RUNS]; /* vm_zalloc's runs of pages */
	u8 *heap_next;		  /* what is left of the run for small things */
	size_t heap_left;
};

/* Makes a VM by config: memory, vcpus, devices; nothing loaded yet. Returns NULL having said why. */
struct vm *vm_create(const struct vm_config *config, const struct vcpu_ops *ops);
void vm_destroy(struct vm *vm);

/* Runs vm, which vm_create() left in its power-on state and into which a guest has been loaded, on this CPU
 * until it ends. A reboot is a vm_destroy() and a vm_create(). */
enum vm_end vm_run(struct vm *vm);

/* Once at boot: the host's interrupts that VMs live by (timer, console, kick). */
void vm_host_init(void);

/* Sends out what vm's guest has written; called with vm->lock held. */
void vm_console_flush(struct vm *vm);

/* The same, and the guest's text screen gives the terminal to somebody else until it changes or, if that is
 * the monitor, has gone. */
void vm_console_leave(struct vm *vm);

/* Makes vm the one that the host's console belongs to; and takes it away again if vm has it. */
void vm_console_activate(struct vm *vm);
void vm_console_release(struct vm *vm);

/* The VM that has the console, or NULL. */
struct vm *vm_console_active(void);

/* Prepares vm's side of the console; its vcpu 0 exists. */
void vm_console_create(struct vm *vm);

/* Takes the host console's input for the active VM, Ctrl-A escapes excepted. Call it after console_poll(),
 * with no VM's lock held. */
void vm_console_input(void);

/* Ends vm as VM_DIED with a reason. */
void vm_died(struct vm *vm, const char *fmt, ...) __printf(2, 3);

/* Port and MMIO access by a vcpu. bus_pio_read gives all ones for unclaimed ports, and counts them. */
u32 bus_pio_read(struct vm *vm, u16 port, unsigned size);
void bus_pio_write(struct vm *vm, u16 port, unsigned size, u32 val);
u64 bus_mmio_read(struct vm *vm, u64 gpa, unsigned size);
void bus_mmio_write(struct vm *vm, u64 gpa, unsigned size, u64 val);
