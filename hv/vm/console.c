/* A VM's end of the host's console: output in batches, since a real UART takes long for a byte; input with
 * the Ctrl-A escapes taken out, also while the guest is not listening. */
#include "host/console.h"
#include "host/acpi.h"
#include "lib/printf.h"
#include "vm/vm.h"

#define CTRL_A	 1
#define FLUSH_HZ 200 /* output is at most 5 ms late */
#define POLL_HZ	 50

/* The host has one console, so one VM has it. */
static struct vm *active;
static bool escape; /* the last byte was Ctrl-A */

struct console_monitor console_monitor;

bool vm_has_console(const struct vm *vm)
{
	return vm == active && !console_monitor.open;
}

void vm_screen_cells(struct vm *vm, const u16 *cells, u32 cursor)
{
	vm->screen_used = true;
	console_cells(cells, cursor);
}

void vm_screen_ansi(struct vm *vm, const char *s, size_t len)
{
	console_write_raw(s, len, false);
}

void vm_screen_register(struct vm *vm, void (*leave)(void *dev), void *dev)
{
	vm->screen_leave = leave;
	vm->screen_dev = dev;
}

void vm_console_activate(struct vm *vm)
{
	active = vm;
}

struct vm *vm_console_active(void)
{
	return active;
}

void vm_console_release(struct vm *vm)
{
	if (active == vm)
		active = NULL;
}

/* When the timer is due with nothing to flush: never, unless the console has no interrupt to tell of input.
 */
static u64 idle_deadline(void)
{
	return acpi.ioapic_base ? TIMER_NEVER : tsc_now() + tsc_hz / POLL_HZ;
}

void vm_console_flush(struct vm *vm)
{
	if (!vm->console_len)
		return;
	console_write_raw(vm->console_out, vm->console_len,
			  !vm->own_line || !vm->screen_used || !console_has_uart());
	vm->console_len = 0;
	vtimer_arm(&vm->console_timer, idle_deadline());
}

void vm_console_leave(struct vm *vm)
{
	vm_console_flush(vm);
	if (vm->screen_leave)
		vm->screen_leave(vm->screen_dev);
}

/* Who uses the serial port has the line for that, as on a PC. */
static __cold void take_line(struct vm *vm)
{
	vm->own_line = true;
	if (vm->screen_leave)
		vm->screen_leave(vm->screen_dev);
}

static void put(struct vm *vm, char c)
{
	if (vm->console_len == 0)
		vtimer_arm(&vm->console_timer, tsc_now() + tsc_hz / FLUSH_HZ);
	vm->console_out[vm->console_len++] = c;
	if (c == '\n' || vm->console_len == sizeof(vm->console_out))
		vm_console_flush(vm);
}

void vm_console_putc(struct vm *vm, u8 c)
{
	/* A firmware guest is at its screen unless it listens to the port. */
	if (unlikely(!vm->own_line) && !vm->config->console_vga &&
	    (vm->config->kind != GUEST_FIRMWARE || vm->uart_listens))
		take_line(vm);
	/* Many a small kernel ends lines by LF alone. What others send goes as it is. */
	if (c == '\n' && vm->console_last == '\r')
		vm->console_crlf = true;
	else if (c == '\n' && !vm->console_crlf)
		put(vm, '\r');
	vm->console_last = (char)c;
	put(vm, (char)c);
}

static int next_input(struct vm *vm, bool uart)
{
	if (vm->console_head == vm->console_tail || uart == (vm->keyboard_input && !vm->uart_listens))
		return -1;
	return vm->console_in[vm->console_tail++];
}

int vm_console_getc(struct vm *vm)
{
	return next_input(vm, true);
}

int vm_keyboard_getc(struct vm *vm)
{
	return next_input(vm, false);
}

void vm_keyboard_register(struct vm *vm, void (*input)(void *dev), void *dev)
{
	vm->keyboard_input = input;
	vm->keyboard_dev = dev;
}

void vm_console_listen(struct vm *vm, bool uart)
{
	vm->uart_listens = uart;
}

void vm_console_register(struct vm *vm, void (*input)(void *dev), void *dev)
{
	vm->console_input = input;
	vm->console_dev = dev;
}

static void push(struct vm *vm, u8 c)
{
	if (console_monitor.open) {
		console_monitor.key(c);
		return;
	}
	if (!vm)
		return;
	/* A full ring drops the byte, as an overrun UART does: the escapes must work even so. */
	if ((u8)(vm->console_head + 1) != vm->console_tail)
		vm->console_in[vm->console_head++] = c;
}

static void toggle_monitor(struct vm *vm)
{
	if (!vm || vm->end != VM_RUNNING)
		return;
	if (!console_monitor.toggle) {
		printk("\nthis pxHV was built without 'monitor'\n");
		return;
	}
	console_monitor.open = !console_monitor.open;
	console_monitor.toggle(vm, console_monitor.open);
}

static void escape_key(struct vm *vm, int c)
{
	if (c == 'a' || c == CTRL_A) {
		push(vm, CTRL_A);
		return;
	}
	if (vm)
		vm_console_leave(vm);
	switch (c) {
	case 'c':
		toggle_monitor(vm);
		break;
	case 'x':
		console_monitor.quit = true;
		if (!vm)
			break;
		printk("\nvm '%s': powered off from the console\n", vm->config->name);
		vm_end(vm, VM_POWEROFF, 0);
		break;
	case 'h':
		printk("\nCtrl-A c  monitor\nCtrl-A x  power the VM off\nCtrl-A a  send Ctrl-A\nCtrl-A h  "
		       "this help\n");
		break;
	default:
		printk("\nCtrl-A h lists the keys\n");
	}
}

static void take_input(struct vm *vm)
{
	bool any = false;
	int c;

	while ((c = console_getc()) >= 0) {
		any = true;
		if (escape) {
			escape = false;
			escape_key(vm, c);
		} else if (c == CTRL_A) {
			escape = true;
		} else {
			push(vm, (u8)c);
		}
	}
	if (!vm)
		return;
	if (any && console_monitor.open)
		vcpu_kick(vm->vcpus[0], EV_MONITOR);
	if (vm->console_head == vm->console_tail)
		return;
	if (vm->console_input)
		vm->console_input(vm->console_dev);
	if (vm->keyboard_input)
		vm->keyboard_input(vm->keyboard_dev);
}

void vm_console_input(void)
{
	struct vm *vm = active;

	if (!vm) {
		take_input(NULL);
		return;
	}
	spin_lock(&vm->lock);
	take_input(vm);
	spin_unlock(&vm->lock);
}

/* Runs with the VM's lock held, as all its timers do. */
static void tick(void *dev, u64 deadline)
{
	struct vm *vm = dev;

	vm_console_flush(vm);
	if (acpi.ioapic_base)
		return;
	console_poll();
	if (vm == active)
		take_input(vm);
	vtimer_arm(&vm->console_timer, idle_deadline());
}

void vm_console_create(struct vm *vm)
{
	vtimer_init(&vm->console_timer, vm_timers(vm), tick, vm);
	vtimer_arm(&vm->console_timer, idle_deadline());
}
