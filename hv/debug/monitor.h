/* The monitor's commands, for whoever has a line and a place for the answer: the console, GDB's `monitor`. */
#pragma once

/* Runs one command line on the active VM, whose vcpus are stopped or on this CPU; every piece of the answer
 * goes to out as a C string. 0, or a negative error that the answer has explained. */
int monitor_command(const char *line, void (*out)(const char *s));
