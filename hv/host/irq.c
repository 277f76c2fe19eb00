#include "host/irq.h"

#include "host/apic.h"
#include "host/percpu.h"

static irq_handler_t handlers[256];

void irq_set_handler(u8 vector, irq_handler_t fn)
{
	handlers[vector] = fn;
}

void irq_handle(u8 vector)
{
	struct cpu *c = this_cpu();

	c->interrupts++;
	if (vector == VEC_SPURIOUS) /* sets no in-service bit, so takes no EOI (SDM 3A 10.9) */
		return;
	if (vector == VEC_TIMER)
		c->timer_deadline = ~0ULL;
	if (handlers[vector])
		handlers[vector]();
	apic_eoi();
}
