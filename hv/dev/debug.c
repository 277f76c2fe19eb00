/* Ports for people who debug a guest: E9h prints a byte (as Bochs and QEMU have it), F4h ends the VM with a
 * status, 80h holds the last POST code. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "lib/errno.h"

struct debug {
	struct vm *vm;
	u8 post;
};

/* Reading back its own number tells that the port is there. */
static u32 console_read(void *dev, u16 port, unsigned size)
{
	return PORT_DEBUG_CONSOLE;
}

static void console_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct debug *d = dev;

	vm_console_putc(d->vm, (u8)val);
}

static const struct pio_ops console_ops = {console_read, console_write};

static u32 exit_read(void *dev, u16 port, unsigned size)
{
	return 0;
}

static void exit_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct debug *d = dev;

	vm_end(d->vm, VM_DEBUG_EXIT, val);
}

static const struct pio_ops exit_ops = {exit_read, exit_write};

static u32 post_read(void *dev, u16 port, unsigned size)
{
	struct debug *d = dev;

	return d->post;
}

static void post_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct debug *d = dev;

	d->post = (u8)val;
}

static const struct pio_ops post_ops = {post_read, post_write};

int debug_create(struct vm *vm)
{
	struct debug *d = vm_zalloc(vm, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->vm = vm;
	err = bus_add_pio(vm, PORT_DEBUG_CONSOLE, 1, &console_ops, d, "debug console");
	if (!err)
		err = bus_add_pio(vm, PORT_POST, 1, &post_ops, d, "POST code");
	if (!err && vm_wants_debug_exit(vm))
		err = bus_add_pio(vm, PORT_DEBUG_EXIT, 1, &exit_ops, d, "debug exit");
	return err;
}
