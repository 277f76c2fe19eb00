/* Messages between LAPICs and from the IOAPIC: who is meant, and what it does to them (SDM 3A 11.6). */

#include "vm/lapic_internal.h"
#include "vm/vm.h"

#define EVERYONE 0xFFFFFFFFU

enum { FIXED, LOWEST, SMI, RESERVED, NMI, INIT, SIPI, EXTINT };
enum { NO_SHORTHAND, SELF, ALL, OTHERS };

#define ICR_LOGICAL BIT(11)
#define ICR_ASSERT  BIT(14)
#define ICR_LEVEL   BIT(15)

bool lapic_matches(struct vcpu *v, u32 dest, bool logical)
{
	const struct lapic *l = &v->lapic;
	u32 ldr = *lapic_reg(l, LAPIC_LDR);

	if (!(l->base & APIC_BASE_EN))
		return false;
	if (dest == EVERYONE)
		return true;
	if (!logical)
		return dest == v->index;
	if (lapic_is_x2apic(l))
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xFFFF);
	ldr >>= 24;
	if (*lapic_reg(l, LAPIC_DFR) >> 28 == 0xF) /* flat */
		return ldr & dest;
	return ldr >> 4 == dest >> 4 && (ldr & dest & 0x0F);
}

/* Has v accepted it? */
static bool deliver_to(struct vcpu *v, u8 delivery, u8 vector, bool level)
{
	switch (delivery) {
	case FIXED:
	case LOWEST:
		return lapic_set_irr(v, vector, level);
	case NMI:
		v->nmi_pending = true;
		vcpu_kick(v, EV_NMI);
		break;
	case INIT:
		v->lapic.init_received = true;
		v->lapic.sipi_received = false;
		break;
	case SIPI: /* the first counts */
		if (!v->lapic.sipi_received)
			v->lapic.sipi_vector = vector;
		v->lapic.sipi_received = true;
		break;
	}
	return true;
}

/* Lowest priority: of those who match, the first with the lowest PPR gets it. Has anyone? */
static bool deliver(struct vm *vm, const struct vcpu *except, const struct apic_msg *msg, u32 dest)
{
	struct vcpu *lowest = NULL;
	bool accepted = false;

	for (u32 i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *v = vm->vcpus[i];

		if (v == except || !lapic_matches(v, dest, msg->logical))
			continue;
		if (msg->delivery != LOWEST)
			accepted |= deliver_to(v, msg->delivery, msg->vector, msg->level);
		else if (!lowest || *lapic_reg(&v->lapic, LAPIC_PPR) < *lapic_reg(&lowest->lapic, LAPIC_PPR))
			lowest = v;
	}
	return lowest ? lapic_set_irr(lowest, msg->vector, msg->level) : accepted;
}

bool vm_apic_deliver(struct vm *vm, const struct apic_msg *msg)
{
	return deliver(vm, NULL, msg, msg->dest == 0xFF ? EVERYONE : msg->dest);
}

void lapic_send_ipi(struct vcpu *v, u32 icr, u32 dest)
{
	struct apic_msg msg = {.vector = (u8)icr, .delivery = icr >> 8 & 7, .logical = icr & ICR_LOGICAL};
	unsigned shorthand = icr >> 18 & 3;

	if (msg.delivery <= LOWEST && msg.vector < 16) {
		lapic_error(v, ESR_SEND_VECTOR);
		return;
	}
	/* INIT level de-assert only synchronizes arbitration IDs, which there are none of. */
	if (msg.delivery == INIT && (icr & (ICR_LEVEL | ICR_ASSERT)) == ICR_LEVEL)
		return;
	switch (shorthand) {
	case SELF: /* of fixed interrupts only (SDM 3A table 11-3) */
		if (msg.delivery == FIXED)
			lapic_set_irr(v, msg.vector, false);
		return;
	case ALL:
	case OTHERS:
		dest = EVERYONE;
		break;
	case NO_SHORTHAND:
		if (!lapic_is_x2apic(&v->lapic) && dest == 0xFF)
			dest = EVERYONE;
		break;
	}
	deliver(v->vm, shorthand == OTHERS ? v : NULL, &msg, dest);
}

void lapic_broadcast_eoi(struct vcpu *v, u8 vector)
{
	struct vm *vm = v->vm;

	if (!vm->eoi)
		return;
	spin_lock(&vm->lock);
	vm->eoi(vm->eoi_chip, vector);
	spin_unlock(&vm->lock);
}
