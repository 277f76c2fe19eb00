/* The monitor: commands on the host's console (Ctrl-A c), or for whoever else has a line and a place for the
 * answer. */
#pragma once

#include "lib/types.h"

struct vm;

/* Runs one command line on the active VM, whose vcpus are stopped or on this CPU; every piece of the answer
 * goes to out as a C string. 0, or a negative error that the answer has explained. */
int monitor_command(const char *line, void (*out)(const char *s));

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

/* Left out by WITHOUT=monitor. */
#pragma weak monitor_command
#pragma weak monitor_poll
#pragma weak monitor_init
#pragma weak monitor_attach
#pragma weak monitor_dead
