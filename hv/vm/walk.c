/* The guest's own paging, walked in software: SDM 3A 4.3 to 4.6. */
#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
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
#define MAX_LEVELS     5

#define SEG_LONG BIT(13)
#define SEG_BIG	 BIT(14)

struct walk {
	struct vcpu *v;
	u64 cr0, cr4, efer;
	unsigned levels, bits, size; /* of paging; index bits a level; bytes an entry */
	bool long_mode;
	u64 entry[MAX_LEVELS + 1]; /* as read, by level; and where */
	void *where[MAX_LEVELS + 1];
};

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

static void paging_mode(struct walk *w)
{
	w->long_mode = w->efer & EFER_LMA;
	if (w->long_mode)
		w->levels = w->cr4 & CR4_LA57 ? 5 : 4;
	else
		w->levels = w->cr4 & CR4_PAE ? 3 : 2;
	w->bits = w->levels == 2 ? 10 : 9;
	w->size = w->levels == 2 ? 4 : 8;
}

/* PDPTEs of PAE paging have no rights, and no accessed bit. */
static bool is_pdpte(const struct walk *w, unsigned level)
{
	return w->levels == 3 && level == 3;
}

static bool is_large(const struct walk *w, u64 entry, unsigned level)
{
	if (!(entry & PTE_PS) || level == 1 || is_pdpte(w, level))
		return false;
	return w->size == 4 ? (w->cr4 & CR4_PSE) != 0 : level <= 3;
}

static unsigned shift_of(const struct walk *w, unsigned level)
{
	return 12 + (level - 1) * w->bits;
}

/* Bits that have to be 0. Those beyond MAXPHYADDR are not looked at: such memory is not there anyway. */
static bool reserved_set(const struct walk *w, u64 entry, unsigned level)
{
	if (w->size == 4)
		return is_large(w, entry, level) && (entry & BIT(21));
	if (is_pdpte(w, level))
		return entry & PDPTE_RESERVED;
	if ((entry & PTE_NX) && !(w->efer & EFER_NXE))
		return true;
	if (is_large(w, entry, level)) /* bit 12 is PAT */
		return entry & PTE_ADDR & (BIT(shift_of(w, level)) - 1) & ~BIT(12);
	return level > 3 && (entry & PTE_PS);
}

/* The root table that CR3 names. */
static u64 table_of(const struct walk *w, u64 cr3)
{
	return w->levels == 3 ? cr3 & 0xFFFFFFE0 : w->size == 4 ? cr3 & 0xFFFFF000 : cr3 & PTE_ADDR;
}

/* Reads the entries down to the leaf, whose level it returns; 0 with *error set. */
static unsigned read_entries(struct walk *w, u64 gva, u32 *error)
{
	u64 table = table_of(w, w->v->ops->get(w->v, VREG_CR3));

	for (unsigned level = w->levels;; level--) {
		u64 index = gva >> shift_of(w, level) & (BIT(w->bits) - 1), entry;
		void *p = guest_ptr(w->v->vm, table + index * w->size, w->size);

		if (!p) { /* what is not there reads as ones */
			*error = PF_PRESENT | PF_RSVD;
			return 0;
		}
		entry = w->size == 4 ? __atomic_load_n((u32 *)p, __ATOMIC_RELAXED)
				     : __atomic_load_n((u64 *)p, __ATOMIC_RELAXED);
		w->where[level] = p;
		w->entry[level] = entry;
		if (!(entry & PTE_P)) {
			*error = 0;
			return 0;
		}
		if (reserved_set(w, entry, level)) {
			*error = PF_PRESENT | PF_RSVD;
			return 0;
		}
		if (level == 1 || is_large(w, entry, level))
			return level;
		table = entry & (w->size == 4 ? 0xFFFFF000 : PTE_ADDR);
	}
}

/* SDM 3A 4.6.1. */
static bool allowed(const struct walk *w, unsigned leaf, u32 access)
{
	u64 rights = PTE_W | PTE_U, nx = 0;
	bool user_page;

	for (unsigned level = w->levels; level >= leaf; level--) {
		if (!is_pdpte(w, level)) {
			rights &= w->entry[level];
			nx |= w->entry[level];
		}
	}
	user_page = rights & PTE_U;
	if ((access & PF_FETCH) && w->size == 8 && (nx & PTE_NX))
		return false;
	if (access & PF_USER)
		return user_page && (!(access & PF_WRITE) || (rights & PTE_W));
	if (user_page && (access & PF_FETCH))
		return !(w->cr4 & CR4_SMEP);
	if (user_page && (w->cr4 & CR4_SMAP) && !(w->v->ops->get(w->v, VREG_RFLAGS) & RFLAGS_AC))
		return false;
	return !(access & PF_WRITE) || (rights & PTE_W) || !(w->cr0 & CR0_WP);
}

/* As the CPU does it: by a locked OR, and without writing what is set already. */
static void set_accessed(struct walk *w, unsigned leaf, u32 access)
{
	for (unsigned level = w->levels; level >= leaf; level--) {
		u32 bits = PTE_A | (level == leaf && (access & PF_WRITE) ? PTE_D : 0);

		if (!is_pdpte(w, level) && (w->entry[level] & bits) != bits)
			__atomic_or_fetch((u32 *)w->where[level], bits, __ATOMIC_RELAXED);
	}
}

static u64 leaf_base(const struct walk *w, unsigned leaf)
{
	u64 entry = w->entry[leaf], mask = ~(BIT(shift_of(w, leaf)) - 1);

	if (w->size == 8)
		return entry & PTE_ADDR & mask;
	if (leaf == 2) /* PSE-36: bits 13-20 are address bits 32-39 */
		return (entry & 0xFFC00000) | (entry >> 13 & 0xFF) << 32;
	return entry & 0xFFFFF000;
}

static bool canonical(const struct walk *w, u64 gva)
{
	unsigned unused = w->levels == 5 ? 7 : 16;

	return (u64)((s64)(gva << unused) >> unused) == gva;
}

int vcpu_translate(struct vcpu *v, u64 gva, u32 access, u64 *gpa, u32 *fault_error)
{
	struct walk w = {.v = v, .cr0 = v->ops->get(v, VREG_CR0)};
	unsigned leaf;

	if (!(w.cr0 & CR0_PG)) {
		*gpa = (u32)gva;
		return 0;
	}
	w.cr4 = v->ops->get(v, VREG_CR4);
	w.efer = v->ops->get(v, VREG_EFER);
	paging_mode(&w);
	if (!w.long_mode)
		gva = (u32)gva;
	else if (!canonical(&w, gva)) {
		*fault_error = 0;
		return -EINVAL;
	}
	leaf = read_entries(&w, gva, fault_error);
	if (leaf && allowed(&w, leaf, access)) {
		set_accessed(&w, leaf, access);
		*gpa = leaf_base(&w, leaf) | (gva & (BIT(shift_of(&w, leaf)) - 1));
		return 0;
	}
	if (leaf)
		*fault_error = PF_PRESENT;
	*fault_error |= access & (PF_WRITE | PF_USER);
	/* The fetch bit exists only where fetches are told apart (SDM 3A 4.7). */
	if ((w.cr4 & CR4_SMEP) || (w.size == 8 && (w.efer & EFER_NXE)))
		*fault_error |= access & PF_FETCH;
	return -EFAULT;
}

void vcpu_walk(struct vcpu *v, u64 gva, struct page_walk *out)
{
	struct walk w = {.v = v, .cr0 = v->ops->get(v, VREG_CR0)};
	u32 error;

	*out = (struct page_walk){.cr3 = v->ops->get(v, VREG_CR3), .gpa = (u32)gva, .last = 1};
	if (!(w.cr0 & CR0_PG))
		return;
	w.cr4 = v->ops->get(v, VREG_CR4);
	w.efer = v->ops->get(v, VREG_EFER);
	paging_mode(&w);
	out->levels = w.levels;
	out->last = w.levels + 1;
	if (!w.long_mode) {
		gva = (u32)gva;
	} else if (!canonical(&w, gva)) {
		out->problem = "not canonical";
		return;
	}
	unsigned leaf = read_entries(&w, gva, &error);
	u64 table = table_of(&w, out->cr3);

	for (unsigned level = w.levels; level && w.where[level]; level--) {
		out->where[level] = table + (gva >> shift_of(&w, level) & (BIT(w.bits) - 1)) * w.size;
		table = (out->entry[level] = w.entry[level]) & (w.size == 4 ? 0xFFFFF000 : PTE_ADDR);
		out->last = level;
	}
	if (leaf)
		out->gpa = leaf_base(&w, leaf) | (gva & (BIT(shift_of(&w, leaf)) - 1));
	else if (out->last > w.levels ||
		 ((out->entry[out->last] & PTE_P) && !reserved_set(&w, out->entry[out->last], out->last)))
		out->problem = "the next table is not in RAM";
	else
		out->problem = error ? "a reserved bit is set" : "not present";
}

/* [gpa, gpa+len) lies in one page: RAM, or device memory by bytes. */
static void copy_page(struct vm *vm, u64 gpa, u8 *buf, size_t len, bool write)
{
	struct memslot *s = memslot_find(vm, gpa);

	if (!s) {
		for (size_t i = 0; i < len; i++) {
			if (write)
				bus_mmio_write(vm, gpa + i, 1, buf[i]);
			else
				buf[i] = (u8)bus_mmio_read(vm, gpa + i, 1);
		}
	} else if (!write) {
		memcpy(buf, s->host + (gpa - s->gpa), len);
	} else if (!s->readonly) {
		memcpy(s->host + (gpa - s->gpa), buf, len);
	}
}

static int copy(struct vcpu *v, u64 gva, u8 *buf, size_t len, u32 access, bool write, u64 *fault_addr,
		u32 *fault_error)
{
	while (len) {
		size_t n = MIN(len, PAGE_SIZE - (gva & ~PAGE_MASK));
		u64 gpa;
		int err = vcpu_translate(v, gva, access, &gpa, fault_error);

		if (err) {
			*fault_addr = gva;
			return err;
		}
		copy_page(v->vm, gpa, buf, n, write);
		gva += n;
		buf += n;
		len -= n;
	}
	return 0;
}

int vcpu_read(struct vcpu *v, u64 gva, void *buf, size_t len, u32 access, u64 *fault_addr, u32 *fault_error)
{
	return copy(v, gva, buf, len, access, false, fault_addr, fault_error);
}

int vcpu_write(struct vcpu *v, u64 gva, const void *buf, size_t len, u32 access, u64 *fault_addr,
	       u32 *fault_error)
{
	return copy(v, gva, (u8 *)buf, len, access | PF_WRITE, true, fault_addr, fault_error);
}
