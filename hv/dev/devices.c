/* The one list of the machine's devices. */

#include "dev/devices.h"
#include "lib/printf.h"
#include "lib/string.h"

static int (*const create[])(struct vm *vm) = {
	pic_create,  ioapic_create,  pit_create,   rtc_create,	    i8042_create,
	uart_create, acpi_pm_create, debug_create, vga_text_create, virtio_blk_create,
};
static const char names[] = "8259s\0IOAPIC\0008254 timer\0real-time clock\0keyboard controller\000"
			    "16550A UART\0ACPI power management\0debug ports\0VGA\0virtio disk";

int devices_create(struct vm *vm)
{
	for (unsigned i = 0; i < ARRAY_SIZE(create); i++) {
		int err = create[i] ? create[i](vm) : 0; /* some builds have not all */

		if (err) {
			printk("the guest's %s could not be made (error %d)\n", nth_string(names, i), -err);
			return err;
		}
	}
	return 0;
}
