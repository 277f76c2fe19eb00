/* The one list of the machine's devices. */

#include "dev/devices.h"
#include "lib/printf.h"

static const struct {
	const char *name;
	int (*create)(struct vm *vm);
} devices[] = {
	{"8259 interrupt controllers", pic_create},
	{"IOAPIC", ioapic_create},
	{"8254 timer", pit_create},
	{"real-time clock", rtc_create},
	{"keyboard controller", i8042_create},
	{"16550A UART", uart_create},
	{"ACPI power management", acpi_pm_create},
	{"debug ports", debug_create},
	{"VGA", vga_text_create},
	{"virtio disk", virtio_blk_create},
};

int devices_create(struct vm *vm)
{
	for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
		int err = devices[i].create ? devices[i].create(vm) : 0;

		if (err) {
			printk("the guest's %s could not be made (error %d)\n", devices[i].name, -err);
			return err;
		}
	}
	return 0;
}
