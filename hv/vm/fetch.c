/* Fetches the instruction at RIP. A walk of the guest's page tables takes some hundred instructions, and a
 * driver's register accesses come from few places: so in long mode the last walk is remembered, with where
 * its entries are and what they were. While CR3 and all of them are the same, so is its result. */
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/emulate.h"
#include "vm/vm.h"

#define PTE_P  BIT(0)
#define PTE_PS BIT(7)

/* The CPU has just fetched from there, so that rights need no look. */
static bool remembered(struct vcpu *v, u64 linear)
{
	const struct code_page *c = &v->code_page;

	if (c->linear != (linear & PAGE_MASK) || c->cr3 != v->ops->get(v, VREG_CR3))
		return false;
	for (unsigned n = 0; n < c->levels; n++)
		if (__atomic_load_n(c->where[n], __ATOMIC_RELAXED) != c->entry[n])
			return false;
	return c->levels;
}

/* Remembers the walk to linear, a page of long mode's whose contents are at host. */
static void remember(struct vcpu *v, u64 linear, u8 *host)
{
	struct code_page *c = &v->code_page;
	u64 table;

	*c = (struct code_page){.linear = linear & PAGE_MASK, .cr3 = v->ops->get(v, VREG_CR3), .host = host};
	table = c->cr3;
	for (unsigned n = 0; n < 4; n++) {
		u64 *p = guest_ptr(v->vm, (table & 0xFFFFFFFFFF000) | (linear >> (39 - 9 * n) & 511) << 3, 8);

		if (!p)
			return;
		table = __atomic_load_n(p, __ATOMIC_RELAXED);
		c->where[n] = p;
		c->entry[n] = table;
		if (!(table & PTE_P))
			return;
		if (n == 3 || (n && table & PTE_PS)) {
			c->levels = n + 1;
			return;
		}
	}
}

/* Copies the code at linear to buf, up to the end of its page or INSN_MAX bytes; returns how many, or 0 when
 * that ended in a fault or the VM's death. */
static size_t fetch_page(struct vcpu *v, u64 linear, unsigned bits, u8 *buf)
{
	u64 offset = linear & ~PAGE_MASK, n = MIN(PAGE_SIZE - offset, (u64)INSN_MAX), gpa;
	u8 *page;

	if (bits == 64 && remembered(v, linear)) {
		page = v->code_page.host;
	} else {
		if (!linear_translate(v, linear, PF_FETCH, &gpa))
			return 0;
		page = guest_ptr(v->vm, gpa & PAGE_MASK, PAGE_SIZE);
		if (!page) {
			vm_died(v->vm, "code at 0x%llx is not in RAM", (unsigned long long)gpa);
			return 0;
		}
		if (bits == 64)
			remember(v, linear, page);
	}
	if (likely(n == INSN_MAX))
		__builtin_memcpy(buf, page + offset, INSN_MAX);
	else
		memcpy(buf, page + offset, n);
	return n;
}

bool fetch_insn(struct vcpu *v, unsigned bits, u8 buf[2 * INSN_MAX], struct insn *i)
{
	u64 linear = seg_linear(v, SEG_CS, v->rip, bits);
	size_t n = fetch_page(v, linear, bits, buf), more;
	int err;

	if (!n)
		return false;
	err = decode_insn(buf, n, bits, i);
	if (unlikely(err == -ERANGE)) {
		linear += n;
		more = fetch_page(v, bits == 64 ? linear : (u32)linear, bits, buf + n);
		if (!more)
			return false;
		err = decode_insn(buf, n + more, bits, i);
	}
	if (err)
		i->len = 0;
	return true;
}
