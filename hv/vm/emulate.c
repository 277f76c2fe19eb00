/* Operands of emulated instructions. */
#include "vm/emulate.h"

#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/vm.h"

u64 reg_read(struct vcpu *v, unsigned n, unsigned size, bool rex)
{
	u64 val;

	if (size == 1 && !rex && (n & ~3u) == 4)
		return (u8)(v->regs[n & 3] >> 8);
	val = n == RSP ? v->ops->get(v, VREG_RSP) : v->regs[n];
	return val & size_mask(size);
}

void reg_write(struct vcpu *v, unsigned n, unsigned size, bool rex, u64 val)
{
	u64 mask = size_mask(size);
	unsigned shift = 0;

	if (size == 1 && !rex && (n & ~3u) == 4) {
		n &= 3;
		shift = 8;
	}
	val = (val & mask) << shift;
	if (size < 4)
		val |= (n == RSP ? v->ops->get(v, VREG_RSP) : v->regs[n]) & ~(mask << shift);
	if (n == RSP)
		v->ops->set(v, VREG_RSP, val);
	else
		v->regs[n] = val;
}

u64 seg_linear(struct vcpu *v, enum seg seg, u64 offset, unsigned bits)
{
	struct segment s;

	if (bits == 64 && seg != SEG_FS && seg != SEG_GS)
		return offset;
	v->ops->get_seg(v, seg, &s);
	return bits == 64 ? s.base + offset : (u32)(s.base + offset);
}

static bool in_lapic(const struct vcpu *v, u64 gpa)
{
	u64 base = v->lapic.base;

	return (gpa ^ base) < PAGE_SIZE && (base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN;
}

/* The slot that has all of the access, or NULL: what crosses its end is the bus's to split. No RAM is where
 * the last device was found. */
static struct memslot *slot_at(struct vm *vm, u64 gpa, unsigned size)
{
	const struct mmio_range *r = &vm->mmio[vm->mmio_last];
	struct memslot *s;

	if (likely(gpa - r->base < r->size))
		return NULL;
	s = memslot_find(vm, gpa);
	return s && size <= s->size - (gpa - s->gpa) ? s : NULL;
}

u64 gpa_load(struct vcpu *v, u64 gpa, unsigned size)
{
	const struct memslot *slot;
	u64 val = 0;

	if (in_lapic(v, gpa)) /* four-byte registers (SDM 3A 11.4.1); parts of one are read as such */
		return lapic_read(v, gpa & 0xFFC) >> 8 * (gpa & 3) & size_mask(size);
	slot = slot_at(v->vm, gpa, size);
	if (!slot)
		return bus_mmio_read(v->vm, gpa, size) & size_mask(size);
	memcpy(&val, slot->host + (gpa - slot->gpa), size);
	return val;
}

void gpa_store(struct vcpu *v, u64 gpa, unsigned size, u64 val)
{
	const struct memslot *slot;

	if (in_lapic(v, gpa)) {
		if (size == 4 && !(gpa & 3)) /* others are undefined (SDM 3A 11.4.1): dropped */
			lapic_write(v, gpa & 0xFFC, val);
		return;
	}
	slot = slot_at(v->vm, gpa, size);
	if (!slot)
		bus_mmio_write(v->vm, gpa, size, val & size_mask(size));
	else if (!slot->readonly)
		memcpy(slot->host + (gpa - slot->gpa), &val, size);
}
