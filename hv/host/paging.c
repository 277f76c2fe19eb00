/* The host's address space: physical addresses as they are, with the access that each needs and no more. */
#include "host/paging.h"

#include "host/cpu.h"
#include "host/gdt.h"
#include "host/memmap.h"
#include "host/mtrr.h"
#include "host/page.h"
#include "host/panic.h"
#include "host/percpu.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/spinlock.h"

enum { /* SDM 3A 4.5.4 */
       PTE_P = BIT(0),
       PTE_W = BIT(1),
       PTE_PWT = BIT(3),
       PTE_PCD = BIT(4),
       PTE_A = BIT(5),
       PTE_D = BIT(6),
       PTE_PS = BIT(7),
};
#define PTE_NX	  BIT(63)
#define PTE_ADDR  0x000FFFFFFFFFF000ULL
#define PTE_FLAGS (~PTE_ADDR)

/* Kinds of mapping. A and D are set from the start, so that the CPU need not. */
#define MAP_TEXT   (PTE_P | PTE_A | PTE_D)
#define MAP_RODATA (MAP_TEXT | PTE_NX)
#define MAP_DATA   (MAP_RODATA | PTE_W)
#define MAP_DEVICE (MAP_DATA | PTE_PCD | PTE_PWT) /* PAT entry 3: UC as the CPU's reset leaves it */

#define MSR_EFER	       0xC0000080
#define MSR_MISC_ENABLE	       0x1A0
#define MISC_ENABLE_XD_DISABLE BIT(34)
#define CPUID_EXT_EDX_NX       BIT(20)
#define CPUID_EXT_EDX_PAGE1GB  BIT(26)
#define LEVELS		       4
#define LEVEL_SHIFT(level)     (12 + 9 * ((level)-1))
#define LEVEL_SIZE(level)      (1ULL << LEVEL_SHIFT(level))
#define INDEX(va, level)       ((va) >> LEVEL_SHIFT(level) & 511)
#define LOW_END		       0xA0000ULL
#define VGA_END		       0xC0000ULL

extern u8 __image_start[], __text_end[], __rodata_end[];

static u64 *root;
static unsigned max_level = 2; /* of a leaf: 2 MiB, or 1 GiB where the CPU can */
static u64 pa_limit;
static struct spinlock lock;

static u64 *table_of(u64 entry)
{
	return (u64 *)(entry & PTE_ADDR);
}

/* Puts a table in the place of an absent entry or of a large page, which it maps as before. */
static u64 *make_table(u64 *e, unsigned level)
{
	u64 *t = page_alloc();

	if (!t)
		return NULL;
	if (*e & PTE_P) {
		u64 leaf = level == 2 ? *e & ~PTE_PS : *e;

		for (u64 i = 0; i < 512; i++)
			t[i] = leaf + i * LEVEL_SIZE(level - 1);
	}
	*e = (u64)t | PTE_P | PTE_W | PTE_A;
	return t;
}

/* The largest page that may begin at pa. One that the MTRRs would give two memory types is undefined
 * behaviour (SDM 3A 12.11.9), so that only smaller ones remain where the types are mixed. */
static unsigned leaf_level(u64 pa, u64 end, bool mixed)
{
	unsigned level = max_level;

	while (level > 1 && (pa & (LEVEL_SIZE(level) - 1) || end - pa < LEVEL_SIZE(level) ||
			     (mixed && mtrr_type(pa, LEVEL_SIZE(level)) < 0)))
		level--;
	return level;
}

/* Maps [pa, end) where nothing is mapped yet; what is mapped stays as it is. */
static int map(u64 pa, u64 end, u64 flags)
{
	bool mixed;

	pa &= PAGE_MASK;
	end = ALIGN_UP(end, PAGE_SIZE);
	if (pa >= end || end > pa_limit)
		return -EINVAL;
	mixed = end - pa >= LEVEL_SIZE(2) && mtrr_type(pa, end - pa) < 0;
	while (pa < end) {
		unsigned want = leaf_level(pa, end, mixed), level = LEVELS;
		u64 *t = root, *e;

		for (;; level--) {
			e = &t[INDEX(pa, level)];
			if (level <= want && !(*e & PTE_P)) {
				*e = pa | flags | (level > 1 ? PTE_PS : 0);
				break;
			}
			if (level == 1 || *e & PTE_PS)
				break;
			t = *e & PTE_P ? table_of(*e) : make_table(e, level);
			if (!t)
				return -ENOMEM;
		}
		pa = (pa & ~(LEVEL_SIZE(level) - 1)) + LEVEL_SIZE(level);
		/* The rest of a table of 4 KiB pages needs no walks. */
		for (e++; level == 1 && want == 1 && pa < end && pa & (LEVEL_SIZE(2) - 1);
		     e++, pa += PAGE_SIZE)
			if (!(*e & PTE_P))
				*e = pa | flags;
	}
	return 0;
}

static void map_or_panic(u64 pa, u64 end, u64 flags)
{
	if (pa < end && map(pa, end, flags))
		panic("paging: cannot map 0x%lx-0x%lx", pa, end);
}

static void map_everything(void)
{
	u64 text = (u64)__image_start, rodata = (u64)__text_end, data = (u64)__rodata_end;

	map_or_panic(PAGE_SIZE, text, MAP_DATA);
	map_or_panic(text, rodata, MAP_TEXT);
	map_or_panic(rodata, data, MAP_RODATA);
	map_or_panic(data, LOW_END, MAP_DATA);
	map_or_panic(LOW_END, VGA_END, MAP_DEVICE);
	map_or_panic(VGA_END, MiB, MAP_RODATA);

	for (u32 i = 0; i < host_memmap.count; i++) {
		const struct mem_region *m = &host_memmap.r[i];
		u64 base = MAX(m->base, MiB), end = MIN(m->base + m->size, pa_limit);

		/* A page that RAM shares with something else is not for writing. */
		if (m->type == MEM_RAM)
			map_or_panic(ALIGN_UP(base, PAGE_SIZE), ALIGN_DOWN(end, PAGE_SIZE), MAP_DATA);
		else if (m->type == MEM_ACPI || m->type == MEM_NVS)
			map_or_panic(base, end, MAP_RODATA);
	}
}

/* The most that a page may be allowed: PTE_W as its entry may have it, PTE_NX as its entry must. */
static u64 rights_of(u64 va, u64 size)
{
	if (va >= MiB)
		return PTE_W | PTE_NX;
	if (va + size > (u64)__image_start && va < (u64)__rodata_end)
		return va >= (u64)__image_start && va + size <= (u64)__text_end ? 0 : PTE_NX;
	return va + size <= VGA_END ? PTE_W | PTE_NX : PTE_NX;
}

/* Counts the leaves under t that break W^X, or page 0. The entries above leave all to them. */
static unsigned verify(const u64 *t, unsigned level, u64 va)
{
	u64 size = LEVEL_SIZE(level);
	unsigned bad = 0;

	for (const u64 *e = t; e < t + 512; e++, va += size) {
		if (!(*e & PTE_P))
			continue;
		if (level > 1 && !(*e & PTE_PS)) {
			bad += verify(table_of(*e), level - 1, va);
			continue;
		}
		u64 rights = rights_of(va, size);

		if ((*e ^ rights) & PTE_NX || *e & ~rights & PTE_W || !va) {
			printk("paging: the entry for 0x%lx breaks W^X: 0x%lx\n", va, *e);
			bad++;
		}
	}
	return bad;
}

static void use_no_execute(void)
{
	u64 misc;

	/* Firmware can hide NX on Intel CPUs. */
	if (!(cpuid(0x80000001, 0).edx & CPUID_EXT_EDX_NX) && !rdmsr_safe(MSR_MISC_ENABLE, &misc))
		wrmsr_safe(MSR_MISC_ENABLE, misc & ~MISC_ENABLE_XD_DISABLE);
	if (wrmsr_safe(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE))
		panic("this CPU has no execute-disable (CPUID.80000001h:EDX.20)");
}

void paging_load(void)
{
	use_no_execute();
	write_cr3((u64)root);
	write_cr0(read_cr0() | CR0_WP);
}

unsigned paging_init(void)
{
	pa_limit =
		BIT(MIN(cpuid(0x80000008, 0).eax & 0xFF, 47)); /* the half of a 48-bit space that is plain */
	if (cpuid(0x80000001, 0).edx & CPUID_EXT_EDX_PAGE1GB)
		max_level = 3;
	root = page_alloc();
	if (!root)
		panic("paging: no memory");
	map_everything();
	paging_load();
	cpu_for_each_guard(this_cpu(), paging_guard);
	return verify(root, LEVELS, 0);
}

static void *map_more(u64 pa, u64 size, u64 flags)
{
	int err;

	if (!size || pa + size < pa)
		return NULL;
	spin_lock(&lock);
	err = map(pa, pa + size, flags);
	spin_unlock(&lock);
	return err ? NULL : (void *)pa;
}

volatile void *mmio_map(u64 pa, u64 size)
{
	return map_more(pa, size, MAP_DEVICE);
}

const void *rom_map(u64 pa, u64 size)
{
	return map_more(pa, size, MAP_RODATA);
}

void paging_guard(void *va)
{
	u64 *t = root, *e;

	spin_lock(&lock);
	for (unsigned level = LEVELS;; level--) {
		e = &t[INDEX((u64)va, level)];
		if (level == 1 || !(*e & PTE_P))
			break;
		t = *e & PTE_PS ? make_table(e, level) : table_of(*e);
		if (!t)
			panic("paging: no memory for a guard page");
	}
	*e = 0;
	spin_unlock(&lock);
	invlpg((u64)va);
}

/* Through the tables that the CPU uses, so that it also works before paging_init(). */
bool paging_writable(u64 va)
{
	const u64 *t = (const u64 *)(read_cr3() & PTE_ADDR);

	if (va >> 47)
		return false;
	for (unsigned level = LEVELS;; level--) {
		u64 e = t[INDEX(va, level)];

		if (!(e & PTE_P))
			return false;
		if (level == 1 || e & PTE_PS)
			return e & PTE_W;
		t = table_of(e);
	}
}
