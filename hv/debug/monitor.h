/* The monitor: commands on the host's console (Ctrl-A c), or for whoever else has a line and a place for the
 * answer. */
#pragma once

#include "lib/types.h"

struct vm;

/* Runs one command line, which is cut up, on the active VM, whose vcpus are stopped or on this CPU; every
 * piece of the answer goes to out as a C string. */
void monitor_command(char *line, void (*out)(const char *s));

/* For those who hold the VM and wait: answers what was typed to the monitor. */
void monitor_poll(void);

/* Once at boot. */
void monitor_init(void);

/* Before vm runs: its stops are the monitor's unless GDB takes them afterwards. */
void monitor_attach(struct vm *vm);

/* Nothing runs any more: vm has died, or there is none (NULL) because the config has mistakes. Serves the
 * console until `poweroff` or `reset`; true for the latter. status is what the run ends with if nobody sits
 * there: whoever watches the PC from outside is told. */
bool monitor_dead(struct vm *vm, int status);

/* mon_console.c, in every build: waits for the next interrupt or, without interrupts for them, looks at the
 * consoles' lines; console output of all that sits at the host. */
void monitor_wait(bool interrupts);
void monitor_out(const char *s);

/* The others are left out by WITHOUT=monitor. */
#pragma weak monitor_command
#pragma weak monitor_poll
#pragma weak monitor_init
#pragma weak monitor_attach
#pragma weak monitor_dead
