/* Port and MMIO dispatch. A port finds its owner by a table of one byte a port, MMIO by a short search that
 * begins with the last hit: both are on the path of every device access. */
#include "vm/bus.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "vm/vm.h"

#define PORTS 0x10000u

__cold int bus_add_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *ops, void *dev,
		       const char *name)
{
	struct pio_range *r;

	if (count == 0 || base + count > PORTS)
		return -EINVAL;
	if (vm->pio_count == BUS_MAX_PIO)
		return -ENOSPC;
	for (unsigned i = 0; i < count; i++)
		if (vm->port_owner[base + i])
			return -EEXIST;
	r = &vm->pio[vm->pio_count++];
	*r = (struct pio_range){
		.base = base, .count = count, .widest = 1, .ops = ops, .dev = dev, .name = name};
	for (unsigned i = 0; i < count; i++)
		vm->port_owner[base + i] = (u8)vm->pio_count;
	return 0;
}

int bus_add_wide_pio(struct vm *vm, u16 base, u16 count, const struct pio_ops *ops, void *dev,
		     const char *name)
{
	int err = bus_add_pio(vm, base, count, ops, dev, name);

	if (!err)
		vm->pio[vm->pio_count - 1].widest = 4;
	return err;
}

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

__cold int bus_add_mmio(struct vm *vm, u64 base, u64 size, const struct mmio_ops *ops, void *dev,
			const char *name)
{
	if (size == 0 || ((base | size) & ~PAGE_MASK) || base + size < base)
		return -EINVAL;
	if (vm->mmio_count == BUS_MAX_MMIO)
		return -ENOSPC;
	for (u32 i = 0; i < vm->mmio_count; i++)
		if (overlap(base, size, vm->mmio[i].base, vm->mmio[i].size))
			return -EEXIST;
	for (u32 i = 0; i < vm->slot_count; i++)
		if (overlap(base, size, vm->slots[i].gpa, vm->slots[i].size))
			return -EEXIST;
	vm->mmio[vm->mmio_count++] =
		(struct mmio_range){.base = base, .size = size, .ops = ops, .dev = dev, .name = name};
	return 0;
}

__cold int bus_add_mmio_page(struct vm *vm, u64 base, void *page, const struct mmio_ops *ops, void *dev,
			     const char *name)
{
	int err = bus_add_mmio(vm, base, PAGE_SIZE, ops, dev, name);

	return err ? err : slat_map(&vm->slat, base, (u64)page, PAGE_SIZE, SLAT_R);
}

/* The range that takes the whole access, or NULL. */
static inline struct pio_range *pio_find(struct vm *vm, u16 port, unsigned size)
{
	unsigned n = vm->port_owner[port];
	struct pio_range *r;

	if (unlikely(n == 0))
		return NULL;
	r = &vm->pio[n - 1];
	return likely(size <= r->widest && (unsigned)(port - r->base) + size <= r->count) ? r : NULL;
}

/* Nobody has any of the access's ports? Ports wrap at 64 KiB. */
static bool pio_unclaimed(struct vm *vm, u16 port, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		if (vm->port_owner[(u16)(port + i)])
			return false;
	return true;
}

static u64 unclaimed(struct vm *vm, unsigned size, bool write)
{
	if (write)
		vm->unclaimed_writes++;
	else
		vm->unclaimed_reads++;
	return size == 8 ? ~0ULL : BIT(8 * size) - 1;
}

/* An access that is nobody's, or by bytes that of several. Out of line, so that the common path saves no
 * registers for it. */
static __cold __noinline u32 pio_slow(struct vm *vm, u16 port, unsigned size, u32 val, bool write)
{
	u32 in = 0;

	if (pio_unclaimed(vm, port, size)) {
		vm->last_unclaimed_port = port;
		if (unlikely(vm->log_unclaimed))
			printk("vm '%s': nobody has port %04x (%u bytes)\n", vm->config->name, port, size);
		return unclaimed(vm, size, write);
	}
	for (unsigned i = 0; i < size; i++) {
		if (write)
			bus_pio_write(vm, (u16)(port + i), 1, val >> (8 * i) & 0xFF);
		else
			in |= bus_pio_read(vm, (u16)(port + i), 1) << (8 * i);
	}
	return in;
}

u32 bus_pio_read(struct vm *vm, u16 port, unsigned size)
{
	struct pio_range *r = pio_find(vm, port, size);
	u32 val;

	if (unlikely(!r))
		return pio_slow(vm, port, size, 0, false);
	spin_lock(&vm->lock);
	r->accesses++;
	val = r->ops->read(r->dev, port, size);
	spin_unlock(&vm->lock);
	return val;
}

void bus_pio_write(struct vm *vm, u16 port, unsigned size, u32 val)
{
	struct pio_range *r = pio_find(vm, port, size);

	if (unlikely(!r)) {
		pio_slow(vm, port, size, val, true);
		return;
	}
	spin_lock(&vm->lock);
	r->accesses++;
	r->ops->write(r->dev, port, size, val);
	spin_unlock(&vm->lock);
}

/* The range that holds gpa's byte, or NULL. */
static struct mmio_range *mmio_find(struct vm *vm, u64 gpa)
{
	struct mmio_range *r = &vm->mmio[vm->mmio_last];

	if (likely(gpa - r->base < r->size))
		return r;
	for (u32 i = 0; i < vm->mmio_count; i++) {
		r = &vm->mmio[i];
		if (gpa - r->base < r->size) {
			vm->mmio_last = i;
			return r;
		}
	}
	return NULL;
}

bool bus_mmio_at(struct vm *vm, u64 gpa)
{
	return mmio_find(vm, gpa);
}

/* The same. Ranges begin at pages, so that an access in one page that is nobody's to begin with is nobody's.
 */
static __cold __noinline u64 mmio_slow(struct vm *vm, u64 gpa, unsigned size, u64 val, bool write)
{
	u64 in = 0;

	if (!mmio_find(vm, gpa) && (gpa & ~PAGE_MASK) + size <= PAGE_SIZE) {
		if (unlikely(vm->log_unclaimed))
			printk("vm '%s': nobody is at %llx (%u bytes)\n", vm->config->name,
			       (unsigned long long)gpa, size);
		return unclaimed(vm, size, write);
	}
	for (unsigned i = 0; i < size; i++) {
		if (write)
			bus_mmio_write(vm, gpa + i, 1, val >> (8 * i) & 0xFF);
		else
			in |= bus_mmio_read(vm, gpa + i, 1) << (8 * i);
	}
	return in;
}

u64 bus_mmio_read(struct vm *vm, u64 gpa, unsigned size)
{
	struct mmio_range *r = mmio_find(vm, gpa);
	u64 val;

	if (unlikely(!r || r->size - (gpa - r->base) < size))
		return mmio_slow(vm, gpa, size, 0, false);
	spin_lock(&vm->lock);
	r->accesses++;
	val = r->ops->read(r->dev, gpa - r->base, size);
	spin_unlock(&vm->lock);
	return val;
}

void bus_mmio_write(struct vm *vm, u64 gpa, unsigned size, u64 val)
{
	struct mmio_range *r = mmio_find(vm, gpa);

	if (unlikely(!r || r->size - (gpa - r->base) < size)) {
		mmio_slow(vm, gpa, size, val, true);
		return;
	}
	spin_lock(&vm->lock);
	r->accesses++;
	r->ops->write(r->dev, gpa - r->base, size, val);
	spin_unlock(&vm->lock);
}
