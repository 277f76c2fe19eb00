#include "host/cpu.h"
#include "lib/string.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

/* Selectors as the Linux boot protocol asks for them (Linux boot.rst, 64-bit boot protocol). */
enum { GDT_CODE = 0x10, GDT_DATA = 0x18, GDT_TSS = 0x20, TSS_OFFSET = 0x40, TSS_LIMIT = 0x67 };

/* Access rights in the form of a VMCS. "Accessed" and "busy" are set because VM entry checks them
 * (SDM 3C 26.3.1.2). */
enum {
	ATTR_REAL = 0x0093, /* 16-bit data, read/write */
	ATTR_DATA = 0xC093,
	ATTR_CODE = 0x0008, /* makes code of either */
	ATTR_CODE32 = ATTR_DATA | ATTR_CODE,
	ATTR_CODE64 = 0xA09B,
	ATTR_TSS = 0x008B,
};

/* Page-table entries (SDM 3A 4.5): what identity-maps 4 GiB. */
#define PTE_TABLE 0x03ULL /* present, writable */
#define PTE_LARGE 0x83ULL /* and a 2 MiB page */

struct load_area *load_area(struct vm *vm)
{
	return guest_ptr(vm, LOAD_PAGE_TABLES, sizeof(struct load_area));
}

/* What all have in common: every segment is data but CS, LDTR and TR. */
static void begin(struct cpu_state *s, u16 selector, u16 attr, u32 limit)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = SEG_ES; i <= SEG_GS; i++)
		s->seg[i] = (struct segment){.selector = selector, .attr = attr, .limit = limit};
	s->seg[SEG_CS].attr |= ATTR_CODE;
	s->seg[SEG_LDTR].attr = SEG_UNUSABLE;
	s->seg[SEG_TR].attr = ATTR_TSS;
	s->seg[SEG_TR].limit = s->seg[SEG_GDTR].limit = 0xFFFF;
	s->rflags = RFLAGS_FIXED;
	s->cr0 = CR0_ET;
	s->dr7 = 0x400;
}

void start_real_mode(struct cpu_state *s, u16 cs, u16 ip)
{
	begin(s, 0, ATTR_REAL, 0xFFFF);
	s->seg[SEG_CS].selector = cs;
	s->seg[SEG_CS].base = cs << 4;
	s->seg[SEG_IDTR].limit = 0x3FF; /* the real-mode vector table at 0 */
	s->rip = ip;
}

/* A flat GDT, and the segments of it in the registers. Each code attribute is bits 40-55 of its descriptor.
 */
static void flat_segments(struct cpu_state *s, u64 *desc, u16 code)
{
	u64 tss = LOAD_GDT + TSS_OFFSET;

	memset(desc, 0, PAGE_SIZE);
	desc[GDT_CODE / 8] = 0x000F00000000FFFF | (u64)code << 40;
	desc[GDT_DATA / 8] = 0x00CF93000000FFFF;
	desc[GDT_TSS / 8] = TSS_LIMIT | tss << 16 | (u64)ATTR_TSS << 40; /* below 16 MiB */

	begin(s, GDT_DATA, ATTR_DATA, 0xFFFFFFFF);
	s->seg[SEG_CS].selector = GDT_CODE;
	s->seg[SEG_CS].attr = code;
	s->seg[SEG_TR].selector = GDT_TSS;
	s->seg[SEG_TR].limit = TSS_LIMIT;
	s->seg[SEG_TR].base = tss;
	s->seg[SEG_GDTR].base = LOAD_GDT;
	s->seg[SEG_GDTR].limit = GDT_TSS + 15;
	s->cr0 = CR0_PE | CR0_ET;
}

void start_protected_mode(struct load_area *a, struct cpu_state *s, u32 eip)
{
	flat_segments(s, a->gdt, ATTR_CODE32);
	s->rip = eip;
}

void start_long_mode(struct load_area *a, struct cpu_state *s, u64 rip)
{
	u64 *pt = a->page_tables[0];

	/* PML4, one page-directory pointer table, four page directories of 2 MiB pages: 1 GiB pages would
	 * save four of the six, but not every CPU has them. */
	memset(pt, 0, 2 * PAGE_SIZE);
	pt[0] = (LOAD_PAGE_TABLES + PAGE_SIZE) | PTE_TABLE;
	for (unsigned i = 0; i < 4; i++)
		pt[512 + i] = (LOAD_PAGE_TABLES + (2 + i) * PAGE_SIZE) | PTE_TABLE;
	for (unsigned i = 0; i < 4 * 512; i++)
		pt[1024 + i] = i * 2 * MiB | PTE_LARGE;

	flat_segments(s, a->gdt, ATTR_CODE64);
	s->rip = rip;
	s->cr0 |= CR0_NE | CR0_PG;
	s->cr3 = LOAD_PAGE_TABLES;
	s->cr4 = CR4_PAE;
	s->efer = EFER_LME | EFER_LMA;
}
