/* What a virtual device sees of its VM: port and MMIO ranges, interrupt lines, time. */
#pragma once

#include "lib/types.h"
#include "vm/timer.h"

struct vm;

/* size is 1, 2 or 4; values are zero-extended. Devices never see an access outside their range; an access
 * that crosses the range's end, or is wider than they take, is split into bytes by the bus. */
struct pio_ops {
	u32 (*read)(void *dev, u16 port, unsigned size);
	void (*write)(void *dev, u16 port, unsigned size, u32 val);
};

/* offset is from the range's base; size is 1, 2, 4 or 8. */
struct mmio_ops {
	u64 (*read)(void *dev, u64 offset, unsigned size);
	void (*write)(void *dev, u64 offset, unsigned size, u64 val);
};

/* Claims ports [base, base+count), for accesses of bytes. Returns 0, -EEXIST when one is taken, -ENOSPC. name
 * is kept. */
int bus_add_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *ops, void *dev, const char *name);

/* The same for accesses of all sizes. */
int bus_add_wide_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *ops, void *dev,
		     const char *name);

/* Claims guest-physical [base, base+size), page-aligned. Returns 0, -EEXIST, -ENOSPC. */
int bus_add_mmio(struct vm *vm, u64 base, u64 size, const struct mmio_ops *ops, void *dev, const char *name);

/* The same for one page that the guest reads directly: only its writes and what is emulated reach ops. */
int bus_add_mmio_page(struct vm *vm, u64 base, void *page, const struct mmio_ops *ops, void *dev,
		      const char *name);

/* Is a device at gpa? */
bool bus_mmio_at(struct vm *vm, u64 gpa);

/* Memory for a device's state: zeroed, freed with the VM. NULL when memory is out. */
void *vm_zalloc(struct vm *vm, size_t size);

/* Sets interrupt line gsi (0..23; 0..15 reach the 8259s too). */
void vm_irq_set(struct vm *vm, unsigned gsi, bool level);
#define IRQ_FPU 13 /* raised by a vcpu, for x87 errors */

/* An interrupt controller that listens to the lines; at most 2 a VM. */
struct irqchip_ops {
	void (*set)(void *chip, unsigned gsi, bool level);
};
int vm_add_irqchip(struct vm *vm, const struct irqchip_ops *ops, void *chip);

/* The 8259 pair: its INT output, and how to acknowledge it (returns the vector). */
void vm_extint_register(struct vm *vm, int (*ack)(void *chip), void *chip);
void vm_extint_set(struct vm *vm, bool level);

/* An interrupt message to the LAPICs, as the IOAPIC and MSIs send it (SDM 3A 11.11): has one accepted it? */
struct apic_msg {
	u8 dest;
	u8 vector;
	u8 delivery; /* 0 fixed, 1 lowest, 2 SMI, 4 NMI, 5 INIT, 6 SIPI, 7 ExtINT */
	bool logical;
	bool level; /* level-triggered: EOI is broadcast */
};
bool vm_apic_deliver(struct vm *vm, const struct apic_msg *msg);

/* Called with the vector of each level-triggered interrupt that a LAPIC ends; and with 0 when one may accept
 * now what it did not before. */
void vm_eoi_register(struct vm *vm, void (*eoi)(void *chip, u8 vector), void *chip);

/* Timers of the VM's devices. */
struct timer_queue *vm_timers(struct vm *vm);

/* The guest's console, as the VM's 16550A and debug port see it: a byte out, and a byte in or -1. The UART
 * registers input() to be told that a byte waits. */
void vm_console_putc(struct vm *vm, u8 c);
int vm_console_getc(struct vm *vm);
void vm_console_register(struct vm *vm, void (*input)(void *dev), void *dev);

/* The same for the keyboard, which gets the input unless the UART listens: who receives from it says so. */
int vm_keyboard_getc(struct vm *vm);
void vm_keyboard_register(struct vm *vm, void (*input)(void *dev), void *dev);
void vm_console_listen(struct vm *vm, bool uart);

/* Does the host's console belong to vm now, and not to the monitor? */
bool vm_has_console(const struct vm *vm);

/* The text screen: 80 x 25 cells for the host's VGA, with the cursor's cell or a number beyond; and for the
 * serial console bytes that go nowhere else. The device registers leave(), to be called when the VM has
 * ended, or others want the console. */
void vm_screen_cells(struct vm *vm, const u16 *cells, u32 cursor);
void vm_screen_ansi(struct vm *vm, const char *s, size_t len);
void vm_screen_register(struct vm *vm, void (*leave)(void *dev), void *dev);

/* The wall clock: seconds since 1970 (UTC) at TSC 0, set once at boot before a VM is made. */
extern u64 wall_clock_base;

/* How a guest ends itself. The vcpu leaves its loop after the instruction at hand. */
enum vm_end {
	VM_RUNNING,
	VM_POWEROFF,   /* S5, or the shut-down hypercall */
	VM_REBOOT,     /* keyboard controller, port 0x92, 0xCF9, ACPI reset register */
	VM_DEBUG_EXIT, /* port 0xF4; status holds the value */
	VM_DIED,       /* triple fault, invalid state, unhandled exit */
};
void vm_end(struct vm *vm, enum vm_end how, u32 status);

/* The VM's disk number n (from 0), ready for requests of this VM; NULL past the last. */
struct disk;
struct disk *vm_disk(struct vm *vm, unsigned n);

/* The VM's RAM size in bytes, and whether its config asks for the debug-exit port. */
u64 vm_memory_size(const struct vm *vm);
bool vm_wants_debug_exit(const struct vm *vm);

/* Has the VM a VGA text screen, and with it a keyboard? Else the VGA window is a hole. */
bool vm_has_vga(const struct vm *vm);

/* Creates every device of the machine from one table (dev/devices.c). Returns 0 or the first error, which
 * it has printed with the device's name. */
int devices_create(struct vm *vm);
