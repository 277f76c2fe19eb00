/* INS and OUTS. */
#include "host/cpu.h"
#include "vm/emulate.h"
#include "vm/exits.h"
#include "vm/vm.h"

/* The page of the last element: most are all in one. */
struct window {
	u64 page, gpa;
};

/* Where linear is; false with the fault queued. */
static bool translate(struct vcpu *v, struct window *w, u64 linear, bool write, u64 *gpa)
{
	if ((linear & PAGE_MASK) != w->page) {
		if (!linear_translate(v, linear, write ? PF_WRITE : 0, gpa))
			return false;
		w->page = linear & PAGE_MASK;
		w->gpa = *gpa & PAGE_MASK;
	}
	*gpa = w->gpa | (linear & ~PAGE_MASK);
	return true;
}

/* One element between port and linear; false with the fault queued, which must come before the port sees
 * anything: so everything is translated first. */
static bool transfer(struct vcpu *v, struct window *w, u16 port, unsigned size, bool in, u64 linear)
{
	bool crosses = (linear & ~PAGE_MASK) + size > PAGE_SIZE;
	unsigned step = crosses ? 1 : size;
	u64 gpa;
	u32 val = 0;

	if (!translate(v, w, linear, in, &gpa) || (crosses && !translate(v, w, linear + size - 1, in, &gpa)))
		return false;
	if (in)
		val = bus_pio_read(v->vm, port, size);
	for (unsigned n = 0; n < size; n += step) {
		if (crosses && !translate(v, w, linear + n, in, &gpa))
			return false;
		if (in)
			gpa_store(v, gpa, step, val >> 8 * n);
		else
			val |= (u32)gpa_load(v, gpa, step) << 8 * n;
	}
	if (!in)
		bus_pio_write(v->vm, port, size, val);
	return true;
}

void exit_io_string(struct vcpu *v, u16 port, unsigned size, bool in, bool rep, unsigned addr_size,
		    enum seg seg)
{
	unsigned bits = vcpu_code_bits(v), left = PAGE_SIZE / size;
	u64 mask = ~0ULL >> (64 - 8 * addr_size), base = seg_linear(v, in ? SEG_ES : seg, 0, bits), linear;
	u64 delta = v->ops->get(v, VREG_RFLAGS) & RFLAGS_DF ? -(u64)size : size;
	enum gpr index = in ? RDI : RSI;
	struct window w = {.page = ~0ULL};

	while (!rep || v->regs[RCX] & mask) {
		if (!left--)
			return; /* the guest stands before the rest of it */
		linear = base + (v->regs[index] & mask);
		if (!transfer(v, &w, port, size, in, bits == 64 ? linear : (u32)linear))
			return;
		reg_advance(v, index, addr_size, delta);
		if (!rep)
			break;
		reg_advance(v, RCX, addr_size, -1ULL);
	}
	v->ops->skip(v, 0);
}
