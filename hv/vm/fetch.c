/* Fetches the instruction at RIP. A walk of the guest's page tables takes some hundred instructions, and
 * drivers reach their registers from few places: so in long mode some walks and instructions are remembered.
 * While CR3 and all entries of a walk are the same, so is its result; while the bytes are, so is the
 * instruction. */
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "vm/emulate.h"
#include "vm/vm.h"

#define NOWHERE (~0ULL) /* no instruction of 16 bytes begins there */

/* The CPU has just fetched from there, so that rights need no look. */
static bool walk_holds(struct vcpu *v, u64 linear)
{
	const struct fetch *f = v->fetch;
	unsigned levels = f->levels;

	if (f->page != (linear & PAGE_MASK) || f->cr3 != v->ops->get(v, VREG_CR3))
		return false;
	for (unsigned n = 0; n < levels; n++)
		if (__atomic_load_n(f->where[n], __ATOMIC_RELAXED) != f->entry[n])
			return false;
	return levels;
}

/* The host's pointer to the page of code at linear; NULL when that ended in a fault or the VM's death. */
static __cold __noinline u8 *find_page(struct vcpu *v, u64 linear, unsigned bits)
{
	struct fetch *f = v->fetch;
	struct page_walk w;

	f->levels = 0;
	if (!linear_translate(v, linear, PF_FETCH, &w))
		return NULL;
	f->host = guest_ptr(v->vm, w.gpa & PAGE_MASK, PAGE_SIZE);
	if (!f->host) {
		vm_died(v->vm, "code at 0x%llx is not in RAM", (unsigned long long)w.gpa);
		return NULL;
	}
	f->page = linear & PAGE_MASK;
	f->cr3 = w.cr3;
	for (unsigned level = w.levels; bits == 64 && level >= w.last; level--) {
		f->where[f->levels] = guest_ptr(v->vm, w.where[level], 8);
		f->entry[f->levels++] = w.entry[level];
	}
	return f->host;
}

static u8 *code_page(struct vcpu *v, u64 linear, unsigned bits)
{
	return likely(bits == 64 && walk_holds(v, linear)) ? v->fetch->host : find_page(v, linear, bits);
}

/* Decodes what begins in the last bytes of a page, perhaps going on in the next. */
static __cold int decode_at_end(struct vcpu *v, u64 linear, unsigned bits, const u8 *code, size_t n)
{
	struct fetch *f = v->fetch;
	const u8 *next;
	int err;

	memset(f->bytes, 0, sizeof(f->bytes));
	memcpy(f->bytes, code, n);
	err = decode_insn(f->bytes, n, bits, &f->insn);
	if (err != -ERANGE)
		return err;
	next = code_page(v, bits == 64 ? linear + n : (u32)(linear + n), bits);
	if (!next)
		return -EFAULT;
	memcpy(f->bytes + n, next, INSN_MAX);
	return decode_insn(f->bytes, n + INSN_MAX, bits, &f->insn);
}

unsigned fetch_insn(struct vcpu *v)
{
	unsigned bits = vcpu_code_bits(v);
	u64 linear = seg_linear(v, SEG_CS, v->rip, bits), offset = linear & ~PAGE_MASK, now[2];
	struct fetch *f = v->fetch = &v->fetches[linear % FETCHES];
	const u8 *code = code_page(v, linear, bits);
	int err;

	if (!code)
		return 0;
	code += offset;
	if (likely(offset <= PAGE_SIZE - sizeof(now))) {
		__builtin_memcpy(&now[0], code, 8); /* two loads */
		__builtin_memcpy(&now[1], code + 8, 8);
		if (likely(bits == 64 && f->rip == linear && f->insn.len && f->now[0] == now[0] &&
			   f->now[1] == now[1]))
			return bits;
		f->now[0] = now[0];
		f->now[1] = now[1];
		err = decode_insn(f->bytes, INSN_MAX, bits, &f->insn);
		f->rip = bits == 64 ? linear : NOWHERE;
	} else {
		f->rip = NOWHERE;
		err = decode_at_end(v, linear, bits, code, PAGE_SIZE - offset);
	}
	if (err == -EFAULT)
		return 0;
	if (err)
		f->insn.len = 0;
	return bits;
}
