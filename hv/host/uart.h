/* COM1, a 16550A: output through a ring and the FIFO, so that nobody waits for the line. */
#pragma once

#include "lib/types.h"

/* Programs it (115200 8N1, FIFO), if there is one. */
void uart_init(void);
bool uart_present(void);

/* Queues c. Waits only while the ring is full, and not for ever: a line that takes nothing loses output. */
void uart_putc(u8 c);

/* Hands as much to the FIFO as it takes now. */
void uart_pump(void);

/* Waits until everything is on the line; bounded. */
void uart_flush(void);

/* The next byte received, or -1. */
int uart_getc(void);

/* Whether its interrupt line is up. The IOAPIC takes the edge only: who handles the interrupt has to go on
 * until the line is down, or there is never another one. */
bool uart_interrupt_pending(void);

/* Lets the UART raise interrupts: on input, and while there is output to hand over. */
void uart_enable_interrupts(void);
