/* A VM around a device under test: bus, lines, timers, console, end. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "vm/vm.h"

/* --- bus --- */

static struct pio_range pio[BUS_MAX_PIO];
static unsigned pio_count;
static struct mmio_range mmio[BUS_MAX_MMIO];
static unsigned mmio_count;

FAKE int bus_add_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *ops, void *dev,
		     const char *name)
{
	assert_in_range(pio_count, 0, BUS_MAX_PIO - 1);
	pio[pio_count++] =
		(struct pio_range){.base = base, .count = count, .widest = 1, .ops = ops, .dev = dev};
	return 0;
}

FAKE int bus_add_wide_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *ops, void *dev,
			  const char *name)
{
	int err = bus_add_pio(vm, base, count, ops, dev, name);

	pio[pio_count - 1].widest = 4;
	return err;
}

FAKE int bus_add_mmio(struct vm *vm, u64 base, u64 size, const struct mmio_ops *ops, void *dev,
		      const char *name)
{
	assert_in_range(mmio_count, 0, BUS_MAX_MMIO - 1);
	mmio[mmio_count++] = (struct mmio_range){.base = base, .size = size, .ops = ops, .dev = dev};
	return 0;
}

FAKE int bus_add_mmio_page(struct vm *vm, u64 base, void *page, const struct mmio_ops *ops, void *dev,
			   const char *name)
{
	return bus_add_mmio(vm, base, PAGE_SIZE, ops, dev, name);
}

static const struct pio_range *find_pio(u16 port)
{
	for (unsigned i = 0; i < pio_count; i++)
		if (port >= pio[i].base && port - pio[i].base < pio[i].count)
			return &pio[i];
	return NULL;
}

static const struct mmio_range *find_mmio(u64 gpa)
{
	for (unsigned i = 0; i < mmio_count; i++)
		if (gpa >= mmio[i].base && gpa - mmio[i].base < mmio[i].size)
			return &mmio[i];
	return NULL;
}

static bool takes_whole(const struct pio_range *r, u16 port, unsigned size)
{
	return r && size <= r->widest && port + size <= r->base + r->count;
}

/* Both by bytes where nobody takes the whole access, as the bus does. */
u32 fake_in(u16 port, unsigned size)
{
	const struct pio_range *r = find_pio(port);
	u32 val = 0;

	if (size > 1 && !takes_whole(r, port, size)) {
		for (unsigned i = 0; i < size; i++)
			val |= fake_in((u16)(port + i), 1) << 8 * i;
		return val;
	}
	return r ? r->ops->read(r->dev, port, size) : 0xFF;
}

void fake_out(u16 port, unsigned size, u32 val)
{
	const struct pio_range *r = find_pio(port);

	if (size > 1 && !takes_whole(r, port, size))
		for (unsigned i = 0; i < size; i++)
			fake_out((u16)(port + i), 1, val >> 8 * i & 0xFF);
	else if (r)
		r->ops->write(r->dev, port, size, val);
}

u64 fake_mmio_read(u64 gpa, unsigned size)
{
	const struct mmio_range *r = find_mmio(gpa);

	return r ? r->ops->read(r->dev, gpa - r->base, size) : size == 8 ? ~0ULL : BIT(size * 8) - 1;
}

void fake_mmio_write(u64 gpa, unsigned size, u64 val)
{
	const struct mmio_range *r = find_mmio(gpa);

	if (r)
		r->ops->write(r->dev, gpa - r->base, size, val);
}

FAKE void *vm_zalloc(struct vm *vm, size_t size)
{
	return calloc(1, size);
}

/* --- interrupts and timers --- */

bool fake_irq[24], fake_extint, fake_apic_deaf;
unsigned fake_irq_rises[24], fake_apic_msgs;
int (*fake_extint_ack)(void *chip);
void *fake_extint_chip, *fake_irqchip, *fake_eoi_chip;
const struct irqchip_ops *fake_irqchip_ops;
struct apic_msg fake_apic_msg;
void (*fake_eoi)(void *chip, u8 vector);
static struct timer_queue fake_timers = {.next = TIMER_NEVER};

FAKE void vm_irq_set(struct vm *vm, unsigned gsi, bool level)
{
	assert_in_range(gsi, 0, 23);
	fake_irq_rises[gsi] += level && !fake_irq[gsi];
	fake_irq[gsi] = level;
}

FAKE int vm_add_irqchip(struct vm *vm, const struct irqchip_ops *ops, void *chip)
{
	fake_irqchip_ops = ops;
	fake_irqchip = chip;
	return 0;
}

FAKE void vm_extint_register(struct vm *vm, int (*ack)(void *chip), void *chip)
{
	fake_extint_ack = ack;
	fake_extint_chip = chip;
}

FAKE void vm_extint_set(struct vm *vm, bool level)
{
	fake_extint = level;
}

FAKE bool vm_apic_deliver(struct vm *vm, const struct apic_msg *msg)
{
	if (fake_apic_deaf)
		return false;
	fake_apic_msg = *msg;
	fake_apic_msgs++;
	return true;
}

FAKE void vm_eoi_register(struct vm *vm, void (*eoi)(void *chip, u8 vector), void *chip)
{
	fake_eoi = eoi;
	fake_eoi_chip = chip;
}

FAKE struct timer_queue *vm_timers(struct vm *vm)
{
	return &fake_timers;
}

void fake_run_timers(u64 now)
{
	while (fake_timers.next <= now) {
		fake_tsc = MAX(fake_tsc, fake_timers.next);
		timers_run(&fake_timers, fake_tsc);
	}
	fake_tsc = now;
}

/* --- guest console, end and config --- */

char fake_console_out[4096];
size_t fake_console_len;
static const char *console_input = "";
static void (*console_notify)(void *dev);
static void *console_dev;
static void (*keyboard_notify)(void *dev);
static void *keyboard_dev;
enum vm_end fake_end;
u32 fake_end_status;
u64 fake_memory_size = 256 * MiB;
bool fake_debug_exit;

FAKE void vm_console_putc(struct vm *vm, u8 c)
{
	if (fake_console_len < sizeof(fake_console_out) - 1)
		fake_console_out[fake_console_len++] = c;
	fake_console_out[fake_console_len] = 0;
}

FAKE void vm_console_input(void)
{
}

FAKE void vm_console_flush(struct vm *vm)
{
}

FAKE int vm_console_getc(struct vm *vm)
{
	return *console_input ? (u8)*console_input++ : -1;
}

FAKE void vm_console_register(struct vm *vm, void (*input)(void *dev), void *dev)
{
	console_notify = input;
	console_dev = dev;
}

void fake_console_type(const char *s)
{
	console_input = s;
	if (console_notify)
		console_notify(console_dev);
	if (keyboard_notify)
		keyboard_notify(keyboard_dev);
}

bool fake_vga, fake_uart_listens = true;
static void (*screen_leave)(void *dev);
static void *screen_dev;
u16 fake_screen[80 * 25];
u32 fake_cursor;
bool fake_has_console;

FAKE bool vm_has_vga(const struct vm *vm)
{
	return fake_vga;
}

FAKE int vm_keyboard_getc(struct vm *vm)
{
	return fake_uart_listens ? -1 : vm_console_getc(vm);
}

FAKE void vm_keyboard_register(struct vm *vm, void (*input)(void *dev), void *dev)
{
	keyboard_notify = input;
	keyboard_dev = dev;
}

FAKE void vm_console_listen(struct vm *vm, bool uart)
{
	fake_uart_listens = uart;
}

FAKE bool vm_has_console(const struct vm *vm)
{
	return fake_has_console;
}

FAKE struct console_monitor console_monitor;

FAKE void vm_screen_cells(struct vm *vm, const u16 *cells, u32 cursor)
{
	memcpy(fake_screen, cells, sizeof(fake_screen));
	fake_cursor = cursor;
}

FAKE void vm_screen_ansi(struct vm *vm, const char *s, size_t len)
{
	while (len--)
		vm_console_putc(vm, (u8)*s++);
}

FAKE void vm_screen_register(struct vm *vm, void (*leave)(void *dev), void *dev)
{
	screen_leave = leave;
	screen_dev = dev;
}

void fake_screen_leave(void)
{
	screen_leave(screen_dev);
}

FAKE void vcpu_watch(struct vcpu *v)
{
}

FAKE void vm_end(struct vm *vm, enum vm_end how, u32 status)
{
	fake_end = how;
	fake_end_status = status;
}

FAKE struct disk *vm_disk(struct vm *vm, unsigned n)
{
	return NULL;
}

FAKE u64 vm_memory_size(const struct vm *vm)
{
	return fake_memory_size;
}

FAKE bool vm_wants_debug_exit(const struct vm *vm)
{
	return fake_debug_exit;
}

FAKE void vm_died(struct vm *vm, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	printk("%s", line);
	fake_end = VM_DIED;
}

void fake_vm_reset(void)
{
	pio_count = mmio_count = 0;
	memset(fake_irq, 0, sizeof(fake_irq));
	memset(fake_irq_rises, 0, sizeof(fake_irq_rises));
	fake_extint = fake_apic_deaf = false;
	fake_extint_ack = NULL;
	fake_eoi = NULL;
	fake_irqchip_ops = NULL;
	fake_apic_msgs = 0;
	fake_timers = (struct timer_queue){.next = TIMER_NEVER};
	fake_console_out[fake_console_len = 0] = 0;
	console_input = "";
	console_notify = NULL;
	keyboard_notify = NULL;
	fake_vga = fake_has_console = false;
	fake_uart_listens = true;
	fake_end = VM_RUNNING;
	fake_end_status = 0;
	fake_memory_size = 256 * MiB;
	fake_debug_exit = false;
}
