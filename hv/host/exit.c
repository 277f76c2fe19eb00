#include "host/exit.h"

#include "host/acpi.h"
#include "host/console.h"
#include "host/cpu.h"
#include "lib/printf.h"

#define REPORT_PORT 0xE9 /* Bochs' and QEMU's debug console; on a PC nothing listens there */

static void report(int status)
{
	char line[24];

	cli();
	console_flush();
	ksnprintf(line, sizeof(line), "pxhv-exit %d\n", status);
	for (const char *s = line; *s; s++)
		outb(REPORT_PORT, (u8)*s);
}

void host_power_off(int status)
{
	report(status);
	acpi_power_off();
}

void host_exit(int status)
{
	if (status == EXIT_POWEROFF)
		host_power_off(status);
	report(status);
	halt_forever();
}

void halt_forever(void)
{
	printk("pxHV: halted\n");
	console_flush();
	for (;;)
		__asm__ volatile("cli; hlt");
}
