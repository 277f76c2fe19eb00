#include "host/apic.h"

#include "host/acpi.h"
#include "host/console.h"
#include "host/cpu.h"
#include "host/ioapic.h"
#include "host/irq.h"
#include "host/paging.h"
#include "host/panic.h"
#include "host/percpu.h"
#include "host/pic.h"
#include "host/time.h"
#include "host/uart.h"
#include "lib/math.h"

#define MSR_APIC_BASE		 0x1B
#define MSR_X2APIC		 0x800
#define MSR_TSC_DEADLINE	 0x6E0
#define APIC_BASE_EXTD		 BIT(10)
#define APIC_BASE_EN		 BIT(11)
#define APIC_BASE_ADDR		 0x000FFFFFFFFFF000ULL
#define CPUID_1_ECX_X2APIC	 BIT(21)
#define CPUID_1_ECX_TSC_DEADLINE BIT(24)

/* SDM 3A table 11-1: the offsets in the xAPIC page by 16, which are the x2APIC's MSRs from 800h on. */
enum {
	REG_ID = 0x02,
	REG_TPR = 0x08,
	REG_EOI = 0x0B,
	REG_SVR = 0x0F,
	REG_ICR = 0x30,
	REG_ICR2 = 0x31,
	REG_LVT_TIMER = 0x32,
	REG_LVT_LINT0 = 0x35,
	REG_LVT_LINT1 = 0x36,
	REG_LVT_ERROR = 0x37,
	REG_TIMER_COUNT = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3E,
};

#define SVR_ENABLE	 BIT(8)
#define LVT_MASKED	 BIT(16)
#define LVT_NMI		 (4 << 8)
#define LVT_TSC_DEADLINE (2 << 17)
#define DIVIDE_BY_1	 0xB
#define ICR_NMI		 (4 << 8)
#define ICR_PENDING	 BIT(12)
#define ICR_ASSERT	 BIT(14)
#define ICR_LOOPS	 100000
#define MEASURE_PARTS	 2048 /* of a second: half a millisecond */

/* The same for all CPUs of a PC. */
static volatile u32 *page; /* NULL in x2APIC mode */
static bool deadline_mode;
static u64 scale; /* timer counts per TSC tick, times 2^32 */

static u32 read_reg(unsigned reg)
{
	return page ? page[reg * 4] : (u32)rdmsr(MSR_X2APIC + reg);
}

static void write_reg(unsigned reg, u32 val)
{
	if (page)
		page[reg * 4] = val;
	else
		wrmsr(MSR_X2APIC + reg, val);
}

bool apic_is_x2apic(void)
{
	return !page;
}

u32 apic_id(void)
{
	return read_reg(REG_ID) >> (page ? 24 : 0);
}

void apic_eoi(void)
{
	write_reg(REG_EOI, 0);
}

/* Into x2APIC mode if firmware left it on, or else if the CPU has it and firmware has nothing against it: a
 * register is then one instruction away, and needs no mapping. */
static void choose_mode(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | APIC_BASE_EN;

	wrmsr(MSR_APIC_BASE, base);
	if (!(base & APIC_BASE_EXTD) && cpuid(1, 0).ecx & CPUID_1_ECX_X2APIC && !acpi.x2apic_opt_out)
		wrmsr(MSR_APIC_BASE, base |= APIC_BASE_EXTD);
	if (base & APIC_BASE_EXTD)
		return;
	page = mmio_map(base & APIC_BASE_ADDR, PAGE_SIZE);
	if (!page)
		panic("apic: cannot map 0x%lx", base);
}

/* Counts for a moment of TSC time. */
static void measure_timer(void)
{
	u64 start, end, ticks = tsc_hz / MEASURE_PARTS;
	u32 count;

	write_reg(REG_TIMER_COUNT, ~0U);
	start = tsc_now();
	while ((end = tsc_now()) - start < ticks)
		cpu_relax();
	count = ~read_reg(REG_TIMER_CURRENT);
	write_reg(REG_TIMER_COUNT, 0);
	scale = ((u64)count << 32) / (end - start);
}

static void init_timer(void)
{
	deadline_mode = cpuid(1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE;
	if (deadline_mode) {
		write_reg(REG_LVT_TIMER, LVT_TSC_DEADLINE | VEC_TIMER);
		/* In xAPIC mode nothing else orders the LVT write before the MSR's (SDM 3A 11.5.4.1). */
		__asm__ volatile("mfence" ::: "memory");
		return;
	}
	write_reg(REG_TIMER_DIVIDE, DIVIDE_BY_1);
	write_reg(REG_LVT_TIMER, LVT_MASKED);
	if (!scale)
		measure_timer();
	write_reg(REG_LVT_TIMER, VEC_TIMER);
}

static void route_console(u32 id)
{
	pic_disable();
	if (ioapic_init())
		return;
	ioapic_route_isa(1, VEC_KEYBOARD, id);
	if (!ioapic_route_isa(4, VEC_COM1, id))
		uart_enable_interrupts(&com1);
	console_poll(); /* what waits already raises no edge */
}

void apic_init(void)
{
	struct cpu *c = this_cpu();

	choose_mode();
	write_reg(REG_SVR, SVR_ENABLE | VEC_SPURIOUS);
	write_reg(REG_LVT_LINT0, LVT_MASKED);
	write_reg(REG_TPR, 0); /* QEMU takes back here what the 8259 asked for while it was let in */
	write_reg(REG_LVT_LINT1, LVT_NMI);
	write_reg(REG_LVT_ERROR, LVT_MASKED);
	init_timer();
	c->apic_id = apic_id();
	if (c->index == 0)
		route_console(c->apic_id);
}

void apic_timer_arm(u64 deadline)
{
	u64 now, count;

	this_cpu()->timer_deadline = deadline;
	if (deadline_mode) {
		wrmsr(MSR_TSC_DEADLINE, deadline == ~0ULL ? 0 : deadline);
		return;
	}
	if (deadline == ~0ULL) {
		write_reg(REG_TIMER_COUNT, 0);
		return;
	}
	now = tsc_now();
	count = deadline > now ? (u64)((unsigned __int128)(deadline - now) * scale >> 32) : 0;
	write_reg(REG_TIMER_COUNT, (u32)MIN(MAX(count, 1), ~0U));
}

static void send(u32 dest, u32 low)
{
	if (!page) {
		__asm__ volatile("mfence; lfence" ::
					 : "memory"); /* the MSR write orders nothing (SDM 3A 11.12.3) */
		wrmsr(MSR_X2APIC + REG_ICR, (u64)dest << 32 | low);
		return;
	}
	for (unsigned i = 0; i < ICR_LOOPS && page[REG_ICR * 4] & ICR_PENDING; i++)
		cpu_relax();
	page[REG_ICR2 * 4] = dest << 24;
	page[REG_ICR * 4] = low;
}

void apic_send_ipi(u32 apic_id, u8 vector)
{
	send(apic_id, ICR_ASSERT | vector);
}

void apic_send_nmi(u32 apic_id)
{
	send(apic_id, ICR_ASSERT | ICR_NMI);
}
