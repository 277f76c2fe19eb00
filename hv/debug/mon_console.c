/* How all that sits at the host speaks and waits: monitor, GDB stub, autopsy. */
#include "debug/monitor.h"
#include "host/console.h"
#include "host/cpu.h"
#include "lib/string.h"
#include "vm/vm.h"

void monitor_out(const char *s)
{
	console_write(s, strlen(s));
}

void monitor_wait(bool interrupts)
{
	if (interrupts) {
		wait_for_interrupt();
	} else {
		console_poll();
		vm_console_input();
		cpu_relax();
	}
}
