/* What every unit test gets: cmocka, and fakes of the machine and of a VM around the code under test. Each
 * fake function is weak: a test that defines the function itself gets its own. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/percpu.h"
#include "host/tsc.h"
#include "lib/printf.h"
#include "lib/types.h"
#include "vm/bus.h"

#define FAKE __attribute__((weak))

/* Puts every fake below into its first state; also a cmocka setup function. */
int fake_reset(void **state);
void fake_vm_reset(void); /* its part in fake_vm.c */

/* What printk() and story() printed since the last captured_reset(). */
const char *captured(void);
void captured_reset(void);

/* Time (host/tsc.h): fake_tsc starts at 0, tsc_hz at 1 GHz, so that a tick is a nanosecond. fake_run_timers
 * moves time to now, firing vm_timers() on the way, each at its own deadline. */
extern u64 fake_tsc;
void fake_run_timers(u64 now);

/* The running CPU (host/percpu.h). */
extern struct cpu fake_cpu;

/* Pages handed out and not given back (host/page.h); page_alloc() fails once fake_pages_left is 0. */
extern u64 fake_pages_used, fake_pages_left;

/* The bus: what devices registered, reached as the guest would. Unclaimed reads give all ones. */
u32 fake_in(u16 port, unsigned size);
void fake_out(u16 port, unsigned size, u32 val);
u64 fake_mmio_read(u64 gpa, unsigned size);
void fake_mmio_write(u64 gpa, unsigned size, u64 val);

/* Interrupt lines, as vm_irq_set() left them, and how often each rose. */
extern bool fake_irq[24];
extern unsigned fake_irq_rises[24];
extern bool fake_extint;
extern int (*fake_extint_ack)(void *chip);
extern void *fake_extint_chip;
extern const struct irqchip_ops *fake_irqchip_ops;
extern void *fake_irqchip;
extern bool fake_apic_deaf;	      /* no LAPIC accepts it */
extern struct apic_msg fake_apic_msg; /* the last that vm_apic_deliver() took, and their number */
extern unsigned fake_apic_msgs;
extern void (*fake_eoi)(void *chip, u8 vector);
extern void *fake_eoi_chip;

/* The guest's console: what it wrote, and what waits for it. fake_console_type() tells the device. */
extern char fake_console_out[4096];
extern size_t fake_console_len;
void fake_console_type(const char *s);

/* Has the VM a VGA and the host's console; what its screen shows there; who gets typed bytes.
 * fake_screen_leave() tells the device that the VM has ended. */
extern bool fake_vga, fake_has_console, fake_uart_listens;
extern u16 fake_screen[80 * 25];
extern u32 fake_cursor;
void fake_screen_leave(void);

/* The VM's end and its config. */
extern enum vm_end fake_end;
extern u32 fake_end_status;
extern u64 fake_memory_size;
extern bool fake_debug_exit;
