#include "host/exit.h"

#include "host/acpi.h"
#include "host/console.h"
#include "host/cpu.h"
#include "lib/printf.h"

#define REPORT_PORT 0xE9 /* Bochs' and QEMU's debug console; on a PC nothing listens there */

static bool stays_on;

void host_report(const char *fmt, ...)
{
	char line[64];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (const char *s = line; *s; s++)
		outb(REPORT_PORT, (u8)*s);
	outb(REPORT_PORT, '\n');
}

void host_stay_on(void)
{
	stays_on = true;
}

static void end(int status)
{
	cli();
	console_flush();
	host_report("pxhv-exit %d", status);
}

void host_power_off(int status)
{
	end(status);
	if (!stays_on)
		acpi_power_off();
	halt_forever();
}

void host_exit(int status)
{
	if (status == EXIT_POWEROFF)
		host_power_off(status);
	end(status);
	halt_forever();
}

void halt_forever(void)
{
	printk("pxHV: halted\n");
	console_flush();
	for (;;)
		__asm__ volatile("cli; hlt");
}
