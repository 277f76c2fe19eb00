/* The host's console: everything goes to COM1 and to the screen, and comes from COM1 and the keyboard. */
#include "host/console.h"

#include "host/keyboard.h"
#include "host/time.h"
#include "host/uart.h"
#include "host/vga.h"
#include "lib/printf.h"
#include "lib/spinlock.h"
#include "lib/string.h"

#define INPUT_SIZE 256
#define LINE_SIZE  256 /* the longest text of one printk() */

static struct {
	struct spinlock lock;
	bool quiet;
	char last; /* the character written last */
	u32 head, tail;
	u8 input[INPUT_SIZE];
} console;

void console_init(void)
{
	uart_init(&com1, COM1_PORT);
	vga_init();
}

bool console_has_uart(void)
{
	return uart_present(&com1);
}

static void serial(const char *s, size_t len, bool raw)
{
	for (; len--; s++) {
		if (*s == '\n' && console.last != '\r' && !raw)
			uart_putc(&com1, '\r');
		uart_putc(&com1, (u8)(console.last = *s));
	}
	uart_pump(&com1);
}

void console_write(const char *s, size_t len)
{
	spin_lock(&console.lock);
	vga_write(s, len);
	serial(s, len, false);
	spin_unlock(&console.lock);
}

void console_write_raw(const char *s, size_t len, bool screen)
{
	spin_lock(&console.lock);
	if (screen)
		vga_write(s, len);
	serial(s, len, true);
	spin_unlock(&console.lock);
}

void console_cells(const u16 *cells, u32 cursor)
{
	spin_lock(&console.lock);
	vga_cells(cells, cursor);
	spin_unlock(&console.lock);
}

static void put_input(u8 c)
{
	if (console.head - console.tail < INPUT_SIZE)
		console.input[console.head++ % INPUT_SIZE] = c;
}

void console_poll(void)
{
	unsigned budget = INPUT_SIZE; /* nothing that the line or a broken UART does holds us here */
	int c;

	spin_lock(&console.lock);
	do {
		while (budget && (c = uart_getc(&com1)) >= 0) {
			put_input((u8)c);
			budget--;
		}
		uart_pump(&com1);
	} while (uart_interrupt_pending(&com1) && budget && budget--);
	keyboard_poll(put_input);
	spin_unlock(&console.lock);
}

int console_getc(void)
{
	int c = -1;

	spin_lock(&console.lock);
	if (console.head != console.tail)
		c = console.input[console.tail++ % INPUT_SIZE];
	spin_unlock(&console.lock);
	return c;
}

void console_flush(void)
{
	spin_lock(&console.lock);
	uart_flush(&com1);
	spin_unlock(&console.lock);
}

void console_break_lock(void)
{
	spin_unlock(&console.lock);
}

void console_set_quiet(bool quiet)
{
	console.quiet = quiet;
}

static void vprint(const char *fmt, va_list ap)
{
	char buf[LINE_SIZE];
	int len = kvsnprintf(buf, sizeof(buf), fmt, ap);

	console_write(buf, MIN((size_t)len, sizeof(buf) - 1));
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}

void story(const char *fmt, ...)
{
	va_list ap;

	if (console.quiet)
		return;
	if (tsc_hz)
		printk("[%6lu ms] ", time_ms());
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	printk("\n");
}
