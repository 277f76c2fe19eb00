/* The interrupt lines of the machine: from devices to whichever controllers listen. */
#include "vm/bus.h"

#include "lib/errno.h"
#include "vm/vm.h"

#define GSI_COUNT 24

void vm_irq_set(struct vm *vm, unsigned gsi, bool level)
{
	if (gsi >= GSI_COUNT)
		return;
	for (u32 i = 0; i < vm->irqchip_count; i++)
		vm->irqchips[i].ops->set(vm->irqchips[i].chip, gsi, level);
}

int vm_add_irqchip(struct vm *vm, const struct irqchip_ops *ops, void *chip)
{
	if (vm->irqchip_count == ARRAY_SIZE(vm->irqchips))
		return -ENOSPC;
	vm->irqchips[vm->irqchip_count].ops = ops;
	vm->irqchips[vm->irqchip_count++].chip = chip;
	return 0;
}

void vm_extint_register(struct vm *vm, int (*ack)(void *chip), void *chip)
{
	vm->extint_ack = ack;
	vm->extint_chip = chip;
}

void vm_extint_set(struct vm *vm, bool level)
{
	if (vm->extint == level)
		return;
	vm->extint = level;
	if (level)
		vcpu_kick(vm->vcpus[0], EV_INTERRUPT); /* the INTR pin is the boot CPU's */
}

void vm_eoi_register(struct vm *vm, void (*eoi)(void *chip, u8 vector), void *chip)
{
	vm->eoi = eoi;
	vm->eoi_chip = chip;
}
