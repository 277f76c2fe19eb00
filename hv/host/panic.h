/* The end of the line, for our own bugs alone. */
#pragma once

#include "lib/types.h"

struct trap_frame;

/* Prints the message, a stack trace with symbols and the last exits, then stops the PC (under an emulator's
 * harness with status 4). */
void __attribute__((noreturn, format(printf, 1, 2))) panic(const char *fmt, ...);
void __attribute__((noreturn)) panic_trap(const struct trap_frame *f);

/* Prints an address of the hypervisor's text and what it is there: "00012345 function+0x12". */
void symbol_print(u64 addr);

/* Prints up to 16 return addresses from the stack at sp up. */
void backtrace(u64 sp);
