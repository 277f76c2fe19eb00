#include "host/pic.h"

#include "host/cpu.h"

enum { MASTER = 0x20, SLAVE = 0xA0 };
#define ICW1_INIT   0x11 /* edge-triggered, cascaded, ICW4 follows */
#define ICW4_8086   0x01
#define CASCADE_IRQ 2
#define VECTORS	    0x20

void pic_disable(void)
{
	outb(MASTER, ICW1_INIT);
	outb(SLAVE, ICW1_INIT);
	outb(MASTER + 1, VECTORS);
	outb(SLAVE + 1, VECTORS + 8);
	outb(MASTER + 1, BIT(CASCADE_IRQ));
	outb(SLAVE + 1, CASCADE_IRQ);
	outb(MASTER + 1, ICW4_8086);
	outb(SLAVE + 1, ICW4_8086);
	outb(MASTER + 1, 0xFF);
	outb(SLAVE + 1, 0xFF);
}
