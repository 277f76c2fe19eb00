/* COM1 and COM2, 16550As: output through a ring and the FIFO, so that nobody waits for the line. */
#pragma once

#include "lib/types.h"

struct uart;
extern struct uart com1, com2;

enum { COM1_PORT = 0x3F8, COM2_PORT = 0x2F8 };

/* Programs the one at port (115200 8N1, FIFO), if there is one. */
void uart_init(struct uart *u, u16 port);
bool uart_present(const struct uart *u);

/* Queues c. Waits only while the ring is full, and not for ever: a line that takes nothing loses output. */
void uart_putc(struct uart *u, u8 c);

/* Hands as much to the FIFO as it takes now. */
void uart_pump(struct uart *u);

/* Waits until everything is on the line; bounded. */
void uart_flush(struct uart *u);

/* The next byte received, or -1. */
int uart_getc(struct uart *u);

/* Whether its interrupt line is up. The IOAPIC takes the edge only: who handles the interrupt has to go on
 * until the line is down, or there is never another one. */
bool uart_interrupt_pending(struct uart *u);

/* Lets the UART raise interrupts: on input, and while there is output to hand over. */
void uart_enable_interrupts(struct uart *u);
