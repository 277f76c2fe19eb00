/* The guest's own paging, walked in software: SDM 3A 4.3 to 4.6. */
#include "host/cpu.h"
#include "lib/errno.h"
#include "vm/emulate.h"
#include "vm/vm.h"

#define PTE_P	       BIT(0)
#define PTE_W	       BIT(1)
#define PTE_U	       BIT(2)
#define PTE_A	       BIT(5)
#define PTE_D	       BIT(6)
#define PTE_PS	       BIT(7)
#define PTE_NX	       BIT(63)
#define PTE_ADDR       0x000FFFFFFFFFF000ULL
#define PDPTE_RESERVED (PTE_NX | 0x1E6ULL) /* SDM 3A table 4-8 */
#define RFLAGS_AC      BIT(18)

#define SEG_LONG BIT(13)

unsigned vcpu_code_bits(struct vcpu *v)
{
	struct segment cs;

	v->ops->get_seg(v, SEG_CS, &cs);
	if ((cs.attr & SEG_LONG) && (v->ops->get(v, VREG_EFER) & EFER_LMA))
		return 64;
	return cs.attr & SEG_BIG ? 32 : 16;
}

unsigned vcpu_cpl(struct vcpu *v)
{
	struct segment ss;

	if (!(v->ops->get(v, VREG_CR0) & CR0_PE))
		return 0;
	if (v->ops->get(v, VREG_RFLAGS) & RFLAGS_VM)
		return 3;
	v->ops->get_seg(v, SEG_SS, &ss);
	return ss.attr >> 5 & 3;
}

/* PDPTEs of PAE paging have no rights, and no accessed bit. */
static bool is_pdpte(const struct page_walk *w, unsigned level)
{
	return w->levels == 3 && level == 3;
}

static bool is_large(const struct page_walk *w, u64 entry, unsigned level)
{
	if (!(entry & PTE_PS) || level == 1 || is_pdpte(w, level))
		return false;
	return w->levels == 2 ? (w->cr4 & CR4_PSE) != 0 : level <= 3;
}

/* Bits that have to be 0; offset are those of the address within what the entry maps. Those beyond MAXPHYADDR
 * are not looked at: such memory is not there anyway. */
static bool reserved_set(const struct page_walk *w, u64 entry, unsigned level, u64 offset)
{
	bool large = is_large(w, entry, level);

	if (w->levels == 2)
		return large && (entry & BIT(21));
	if (is_pdpte(w, level))
		return entry & PDPTE_RESERVED;
	if ((entry & PTE_NX) && !(w->efer & EFER_NXE))
		return true;
	return large ? entry & offset & PAGE_MASK & ~BIT(12) /* PAT */ : level > 3 && (entry & PTE_PS);
}

static int fails(struct page_walk *w, u32 error, const char *problem)
{
	w->error = error;
	w->problem = problem;
	return -EFAULT;
}

/* Reads the entries down to the leaf, w->last. */
static int read_entries(struct vcpu *v, u64 gva, struct page_walk *w)
{
	u64 table = w->cr3 & (w->levels == 2 ? 0xFFFFF000 : w->levels == 3 ? 0xFFFFFFE0 : PTE_ADDR);
	unsigned bits = w->levels == 2 ? 10 : 9, size = w->levels == 2 ? 4 : 8;

	for (unsigned level = w->levels;; level--) {
		unsigned shift = 12 + (level - 1) * bits;
		u64 where = table + (gva >> shift & (BIT(bits) - 1)) * size, offset = BIT(shift) - 1, entry;
		const void *p = guest_ptr(v->vm, where, size);

		if (!p) /* what is not there reads as ones */
			return fails(w, PF_PRESENT | PF_RSVD, "the next table is not in RAM");
		entry = size == 4 ? __atomic_load_n((const u32 *)p, __ATOMIC_RELAXED)
				  : __atomic_load_n((const u64 *)p, __ATOMIC_RELAXED);
		w->where[level] = where;
		w->entry[level] = entry;
		w->last = level;
		if (!(entry & PTE_P))
			return fails(w, 0, "not present");
		if (reserved_set(w, entry, level, offset))
			return fails(w, PF_PRESENT | PF_RSVD, "a reserved bit is set");
		table = entry & PTE_ADDR;
		if (level > 1 && !is_large(w, entry, level))
			continue;
		if (size == 4 && level == 2) /* PSE-36: bits 13-20 are address bits 32-39 */
			table |= (entry >> 13 & 0xFF) << 32;
		w->gpa = (table & ~offset) | (gva & offset);
		return 0;
	}
}

/* 0: gva leads to w->gpa, by no entries when paging is off. */
static int walk(struct vcpu *v, u64 gva, struct page_walk *w)
{
	unsigned unused;

	w->cr3 = v->ops->get(v, VREG_CR3);
	w->cr4 = v->ops->get(v, VREG_CR4);
	w->efer = v->ops->get(v, VREG_EFER);
	w->gpa = (u32)gva;
	w->levels = 0;
	w->last = 1;
	w->problem = NULL;
	if (!(v->ops->get(v, VREG_CR0) & CR0_PG))
		return 0;
	w->levels = w->efer & EFER_LMA ? w->cr4 & CR4_LA57 ? 5 : 4 : w->cr4 & CR4_PAE ? 3 : 2;
	w->last = w->levels + 1;
	if (w->levels <= 3)
		return read_entries(v, (u32)gva, w);
	unused = w->levels == 5 ? 7 : 16;
	if ((u64)((s64)(gva << unused) >> unused) == gva)
		return read_entries(v, gva, w);
	w->problem = "not canonical";
	return -EINVAL;
}

void vcpu_walk(struct vcpu *v, u64 gva, struct page_walk *out)
{
	walk(v, gva, out);
}

/* SDM 3A 4.6.1. */
static bool allowed(struct vcpu *v, const struct page_walk *w, u32 access)
{
	u64 rights = PTE_W | PTE_U, nx = 0;

	for (unsigned level = w->levels; level >= w->last; level--) {
		if (!is_pdpte(w, level)) {
			rights &= w->entry[level];
			nx |= w->entry[level];
		}
	}
	if ((access & PF_FETCH) && (nx & PTE_NX))
		return false;
	if (access & PF_USER)
		return (rights & PTE_U) && (!(access & PF_WRITE) || (rights & PTE_W));
	if (rights & PTE_U) {
		if (access & PF_FETCH)
			return !(w->cr4 & CR4_SMEP);
		if ((w->cr4 & CR4_SMAP) && !(v->ops->get(v, VREG_RFLAGS) & RFLAGS_AC))
			return false;
	}
	return !(access & PF_WRITE) || (rights & PTE_W) || !(v->ops->get(v, VREG_CR0) & CR0_WP);
}

/* As the CPU does it: by a locked OR, and without writing what is set already. */
static void set_accessed(struct vcpu *v, struct page_walk *w, u32 access)
{
	for (unsigned level = w->levels; level >= w->last; level--) {
		u32 bits = PTE_A | (level == w->last && (access & PF_WRITE) ? PTE_D : 0);

		if (is_pdpte(w, level) || (w->entry[level] & bits) == bits)
			continue;
		w->entry[level] |= bits;
		u64 size = sizeof(bits);
		u32 *entry = (u32 *)guest_chunk(v->vm, w->where[level], &size, true);

		if (entry) /* not ROM */
			__atomic_or_fetch(entry, bits, __ATOMIC_RELAXED);
	}
}

int vcpu_translate(struct vcpu *v, u64 gva, u32 access, struct page_walk *w)
{
	int err = walk(v, gva, w);

	if (err == -EINVAL || (!err && !w->levels))
		return err;
	if (!err) {
		if (allowed(v, w, access)) {
			set_accessed(v, w, access);
			return 0;
		}
		w->error = PF_PRESENT;
	}
	/* The fetch bit exists only where fetches are told apart (SDM 3A 4.7). */
	if (!(w->cr4 & CR4_SMEP) && (w->levels == 2 || !(w->efer & EFER_NXE)))
		access &= ~(u32)PF_FETCH;
	w->error |= access & (PF_WRITE | PF_USER | PF_FETCH);
	return -EFAULT;
}

bool linear_translate(struct vcpu *v, u64 linear, u32 access, struct page_walk *w)
{
	int err = vcpu_translate(v, linear, access | (vcpu_cpl(v) == 3 ? PF_USER : 0), w);

	if (err == -EFAULT)
		vcpu_page_fault(v, linear, w->error);
	else if (err)
		vcpu_gp(v);
	return !err;
}
