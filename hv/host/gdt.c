/* Per-CPU descriptor tables: a flat GDT and a TSS whose only use is to give #DF, NMI and #MC stacks that are
 * good whatever state the interrupted code's stack is in (SDM 3A 6.14.5). */
#include "host/gdt.h"

#include "host/cpu.h"
#include "host/page.h"
#include "host/paging.h"
#include "host/panic.h"
#include "host/percpu.h"
#include "lib/string.h"

#define MSR_GS_BASE	  0xC0000101
#define IST_STACKS	  3
#define IST_STACK_SIZE	  PAGE_SIZE
#define DESC_CODE64	  0x00AF9B000000FFFFULL /* accessed: VM entry and exit want it so */
#define DESC_DATA	  0x00CF93000000FFFFULL
#define TSS_AVAILABLE	  0x89
#define CPUID_1_ECX_XSAVE BIT(26)
#define CPUID_1_EDX_MCE	  BIT(7)

struct tss { /* SDM 3A figure 7-11 */
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __packed;

struct tss_descriptor { /* SDM 3A figure 7-4 */
	u16 limit, base_low;
	u8 base_mid, type, flags, base_high;
	u32 base_upper, reserved;
} __packed;

struct cpu_arch {
	struct {
		u8 guard[PAGE_SIZE];
		u8 stack[IST_STACK_SIZE];
	} ist[IST_STACKS];
	struct {
		u64 null, code, data;
		struct tss_descriptor tss;
	} gdt;
	struct tss tss;
} __aligned(PAGE_SIZE);

extern u8 boot_stack[]; /* boot/stage2.asm: the bottom of the stack on which the boot CPU runs */

struct cpu cpus[MAX_CPUS];
u32 cpu_count = 1;
static struct cpu_arch boot_arch; /* for the CPU that boots, before there are pages to allocate */

static struct cpu_arch *arch_of(struct cpu *c)
{
	if (!c->arch && c == cpus)
		c->arch = &boot_arch;
	if (!c->arch) {
		c->arch = page_alloc_run(sizeof(struct cpu_arch), PAGE_SIZE, 0);
		if (!c->arch)
			panic("no memory for the stacks of CPU %u", (u32)(c - cpus));
		memset(c->arch, 0, sizeof(struct cpu_arch));
		cpu_for_each_guard(c, paging_guard);
	}
	return c->arch;
}

void cpu_for_each_guard(const struct cpu *c, void (*fn)(void *page))
{
	struct cpu_arch *a = c->arch;

	if (c ==
	    cpus) /* what lies there, stage 2's page tables, is read by nobody but the CPU's page walker */
		fn((void *)((u64)boot_stack - PAGE_SIZE));

	for (unsigned i = 0; i < IST_STACKS; i++)
		fn(a->ist[i].guard);
}

static void load_gdt(struct cpu_arch *a)
{
	struct {
		u16 limit;
		u64 base;
	} __packed gdtr = {sizeof(a->gdt) - 1, (u64)&a->gdt};

	__asm__ volatile("lgdt %0\n\t"
			 "mov %1, %%ds\n\t"
			 "mov %1, %%es\n\t"
			 "mov %1, %%ss\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 "push %3\n\t"
			 "lea 1f(%%rip), %%rax\n\t"
			 "push %%rax\n\t"
			 "lretq\n"
			 "1:\tltr %w4" ::"m"(gdtr),
			 "r"(HOST_DS), "r"(0), "i"(HOST_CS), "r"(HOST_TR)
			 : "rax", "memory");
}

/* Firmware may leave caching off and the x87 in its DOS habits. */
static void set_control_registers(void)
{
	write_cr0((read_cr0() & ~(CR0_CD | CR0_NW | CR0_EM | CR0_TS | CR0_AM)) | CR0_NE | CR0_MP | CR0_WP);
	if (cpuid(1, 0).edx & CPUID_1_EDX_MCE)
		write_cr4(read_cr4() | CR4_MCE);
	write_cr4(read_cr4() | CR4_OSFXSR);
	if (cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE) /* for the XSETBV of guests, which is done here */
		write_cr4(read_cr4() | CR4_OSXSAVE);
}

void cpu_init(struct cpu *c)
{
	struct cpu_arch *a = arch_of(c);
	u64 tss = (u64)&a->tss;

	c->self = c;
	c->index = (u32)(c - cpus);
	c->timer_deadline = ~0ULL;

	for (unsigned i = 0; i < IST_STACKS; i++)
		a->tss.ist[i] = (u64)(a->ist[i].stack + IST_STACK_SIZE);
	a->tss.iomap = sizeof(a->tss);
	a->gdt.code = DESC_CODE64; /* HOST_CS, HOST_DS, HOST_TR */
	a->gdt.data = DESC_DATA;
	a->gdt.tss.limit = sizeof(a->tss) - 1;
	a->gdt.tss.base_low = (u16)tss;
	a->gdt.tss.base_mid = (u8)(tss >> 16);
	a->gdt.tss.type = TSS_AVAILABLE;
	a->gdt.tss.base_high = (u8)(tss >> 24);
	a->gdt.tss.base_upper = (u32)(tss >> 32);

	load_gdt(a);
	wrmsr(MSR_GS_BASE, (u64)c);
	idt_load();
	set_control_registers();
}

u64 gdt_base(void)
{
	return (u64) & ((struct cpu_arch *)this_cpu()->arch)->gdt;
}

u64 tss_base(void)
{
	return (u64) & ((struct cpu_arch *)this_cpu()->arch)->tss;
}
