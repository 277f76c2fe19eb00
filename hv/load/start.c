#include "host/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "load/load.h"
#include "vm/vm.h"

/* Selectors as the Linux boot protocol asks for them (Linux boot.rst, 64-bit boot protocol). */
enum { GDT_CODE = 0x10, GDT_DATA = 0x18, GDT_TSS = 0x20, TSS_OFFSET = 0x40, TSS_LIMIT = 0x67 };

/* Access rights in the form of a VMCS. "Accessed" and "busy" are set because VM entry checks them
 * (SDM 3C 26.3.1.2). */
enum {
	ATTR_REAL = 0x0093,    /* 16-bit data, read/write */
	ATTR_REAL_CS = 0x009B, /* 16-bit code, execute/read */
	ATTR_CODE64 = 0xA09B,
	ATTR_CODE32 = 0xC09B,
	ATTR_DATA = 0xC093,
	ATTR_TSS = 0x008B,
};

/* Page-table entries (SDM 3A 4.5): what identity-maps 4 GiB. */
#define PTE_TABLE 0x03ULL /* present, writable */
#define PTE_LARGE 0x83ULL /* and a 2 MiB page */

static void set_all_data(struct cpu_state *s, u16 selector, u16 attr, u32 limit)
{
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		s->seg[i] = (struct segment){.selector = selector, .attr = attr, .limit = limit};
	s->seg[SEG_LDTR] = (struct segment){.attr = SEG_UNUSABLE};
}

void start_real_mode(struct cpu_state *s, u16 cs, u16 ip)
{
	memset(s, 0, sizeof(*s));
	set_all_data(s, 0, ATTR_REAL, 0xFFFF);
	s->seg[SEG_CS] =
		(struct segment){.selector = cs, .attr = ATTR_REAL_CS, .limit = 0xFFFF, .base = (u64)cs << 4};
	s->seg[SEG_TR] = (struct segment){.attr = ATTR_TSS, .limit = 0xFFFF};
	s->seg[SEG_GDTR].limit = 0xFFFF;
	s->seg[SEG_IDTR].limit = 0x3FF; /* the real-mode vector table at 0 */
	s->rip = ip;
	s->rflags = RFLAGS_FIXED;
	s->cr0 = CR0_ET;
	s->dr7 = 0x400;
}

/* A flat GDT, and the segments of it in the registers. Each code attribute is bits 40-55 of its descriptor.
 */
static void flat_segments(struct cpu_state *s, u64 *desc, u64 gdt, u16 code)
{
	u64 tss = gdt + TSS_OFFSET;

	memset(desc, 0, PAGE_SIZE);
	desc[GDT_CODE / 8] = 0x000F00000000FFFF | (u64)code << 40;
	desc[GDT_DATA / 8] = 0x00CF93000000FFFF;
	desc[GDT_TSS / 8] =
		TSS_LIMIT | (tss & 0xFFFFFF) << 16 | (u64)ATTR_TSS << 40 | (tss >> 24 & 0xFF) << 56;
	desc[GDT_TSS / 8 + 1] = tss >> 32;

	memset(s, 0, sizeof(*s));
	set_all_data(s, GDT_DATA, ATTR_DATA, 0xFFFFFFFF);
	s->seg[SEG_CS] = (struct segment){.selector = GDT_CODE, .attr = code, .limit = 0xFFFFFFFF};
	s->seg[SEG_TR] =
		(struct segment){.selector = GDT_TSS, .attr = ATTR_TSS, .limit = TSS_LIMIT, .base = tss};
	s->seg[SEG_GDTR].base = gdt;
	s->seg[SEG_GDTR].limit = GDT_TSS + 15;
	s->rflags = RFLAGS_FIXED;
	s->dr7 = 0x400;
}

int start_protected_mode(struct vm *vm, struct cpu_state *s, u32 eip, u64 gdt)
{
	u64 *desc = guest_ptr(vm, gdt, PAGE_SIZE);

	if (!desc)
		return -EFAULT;
	flat_segments(s, desc, gdt, ATTR_CODE32);
	s->rip = eip;
	s->cr0 = CR0_PE | CR0_ET;
	return 0;
}

int start_long_mode(struct vm *vm, struct cpu_state *s, u64 rip, u64 page_tables, u64 gdt)
{
	u64 *pt = guest_ptr(vm, page_tables, 6 * PAGE_SIZE);
	u64 *desc = guest_ptr(vm, gdt, PAGE_SIZE);

	if (!pt || !desc)
		return -EFAULT;

	/* PML4, one page-directory pointer table, four page directories of 2 MiB pages: 1 GiB pages would
	 * save four of the six, but not every CPU has them. */
	memset(pt, 0, 2 * PAGE_SIZE);
	pt[0] = (page_tables + PAGE_SIZE) | PTE_TABLE;
	for (unsigned i = 0; i < 4; i++)
		pt[512 + i] = (page_tables + (2 + i) * PAGE_SIZE) | PTE_TABLE;
	for (unsigned i = 0; i < 4 * 512; i++)
		pt[1024 + i] = i * 2 * MiB | PTE_LARGE;

	flat_segments(s, desc, gdt, ATTR_CODE64);
	s->rip = rip;
	s->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	s->cr3 = page_tables;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LME | EFER_LMA;
	return 0;
}
