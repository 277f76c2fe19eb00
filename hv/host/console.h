/* The host's console: COM1 and the VGA text screen for output, COM1 and the PS/2 keyboard for input. */
#pragma once

#include "lib/types.h"

/* Programs COM1 (115200 8N1, FIFO) if there is one and finds the VGA text screen's cursor, going on below
 * what the boot sector wrote. */
void console_init(void);

bool console_has_uart(void);

/* Writes len bytes to every output. '\n' becomes CR LF unless a CR is there already. COM1 gets it through a
 * ring, which each console call and COM1's interrupt drain: only when the ring is full does this wait for the
 * line. */
void console_write(const char *s, size_t len);

/* The same for bytes that COM1 gets as they are, and the screen if it is to. */
void console_write_raw(const char *s, size_t len, bool screen);

/* Shows 80 x 25 cells (attribute and character) on the screen alone, with its cursor on one of them or,
 * beyond, hidden. */
void console_cells(const u16 *cells, u32 cursor);

/* One byte of the input ring, or -1 when it is empty. Never waits. The console's interrupts fill the ring;
 * without an IOAPIC, or before apic_init(), console_poll() must be called for that. */
int console_getc(void);

/* Interrupt handlers' entry: takes what COM1 and the keyboard have into the input ring. */
void console_poll(void);

/* Waits until the UART has sent all; bounded. */
void console_flush(void);

/* For a panic alone: whoever holds the console will not give it back. */
void console_break_lock(void);

/* Turns the boot story on or off: story() prints a line with the milliseconds since power-on unless quiet. */
void console_set_quiet(bool quiet);
void story(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
