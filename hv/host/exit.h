/* How a run of pxHV ends, told to whoever started it. */
#pragma once

#include "lib/types.h"

enum exit_status { /* tools/pxhv gives these back */
	EXIT_POWEROFF = 0,
	EXIT_GUEST_DIED = 3,
	EXIT_REFUSED = 4,
};

/* Ends the run: flushes the console, tells the harness the status (a line "pxhv-exit N" on port 0xE9, only
 * when the config has "[pxhv] report = e9"), then powers the PC off, or halts it with a message when
 * it is for a person to read. */
void __attribute__((noreturn)) host_exit(int status);

/* Set from the config. */
extern bool exit_report_e9;
