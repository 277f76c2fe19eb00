/* The guest machine's devices. Each create() makes its device in vm, claims its ports and lines, and returns
 * 0 or the bus's error. The numbers are in machine.h. */
#pragma once

#include "lib/types.h"
#include "vm/bus.h"

int pic_create(struct vm *vm);	      /* two 8259As */
int ioapic_create(struct vm *vm);     /* 82093AA */
int pit_create(struct vm *vm);	      /* 8254 and port 61h */
int rtc_create(struct vm *vm);	      /* MC146818 with 128 bytes */
int i8042_create(struct vm *vm);      /* keyboard controller, its keyboard, port 92h */
int uart_create(struct vm *vm);	      /* 16550A at COM1 */
int acpi_pm_create(struct vm *vm);    /* PM1 registers, PM timer, reset port */
int debug_create(struct vm *vm);      /* ports E9h, F4h, 80h */
int vga_text_create(struct vm *vm);   /* the text screen, in VMs that have one */
int virtio_blk_create(struct vm *vm); /* every disk of the VM */

/* Left out by WITHOUT=vga, WITHOUT=disks. */
#pragma weak vga_text_create
#pragma weak virtio_blk_create

/* The guest pressed or released keys: bytes in scan code set 1 (up to 58h, F12), dropped when the keyboard's
 * buffer is full or its scanning is off. dev is the i8042's. */
void i8042_key(void *dev, const u8 *codes, unsigned count);
