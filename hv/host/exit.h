/* How a run of pxHV ends, told to whoever started it. */
#pragma once

#include "lib/types.h"

enum exit_status { /* tools/pxhv gives these back */
		   EXIT_POWEROFF = 0,
		   EXIT_GUEST_DIED = 3,
		   EXIT_REFUSED = 4,
};

/* Tells whoever watches port 0xE9 a line, of up to 63 characters, without its newline. */
void host_report(const char *fmt, ...) __printf(1, 2);

/* Tells it the status that the run would end with (a line "pxhv-monitor N"): it stays for a person to look,
 * and is ended where there is none. */
static inline void host_would_exit(int status)
{
	host_report("pxhv-monitor %d", status);
}

/* From now on a clean end leaves the PC on: its memory holds what whoever watches wants to read. */
void host_stay_on(void);

/* Ends the run: flushes the console, tells whoever watches port 0xE9 the status (a line "pxhv-exit N"), then
 * powers the PC off after a clean end, or halts it so that a person can read why. */
void __attribute__((noreturn)) host_exit(int status);

/* Likewise, but powers the PC off whatever the status: the person has read it. */
void __attribute__((noreturn)) host_power_off(int status);

/* Says that nothing more will come, and stops this CPU. */
void __attribute__((noreturn)) halt_forever(void);
