/* What a TSC tick is worth. The reference is the ACPI PM timer, a crystal of 3.58 MHz; the PIT where there is
 * none. */
#include "host/time.h"

#include "host/acpi.h"
#include "host/cpu.h"
#include "lib/math.h"
#include "lib/printf.h"

#define PM_HZ	       3579545ULL
#define PM_WINDOW      (PM_HZ / 1000) /* 1 ms: good to 300 ppm; time_refine() does the rest */
#define PM_NEAR	       64	      /* two reads in a row are nearer than this */
#define PIT_HZ	       1193182ULL
#define PIT_WINDOW     (PIT_HZ / 1000)
#define PIT_CHANNEL2   0x42
#define PIT_COMMAND    0x43
#define PIT_MODE0      0xB0 /* channel 2, low byte then high, interrupt on terminal count */
#define PORT_B	       0x61
#define PORT_B_GATE2   BIT(0)
#define PORT_B_SPEAKER BIT(1)
#define PORT_B_OUT2    BIT(5)
#define TRIES	       5
#define LOOPS	       2000000 /* a port read takes from 0.01 to 2 us */
#define LOOPS_STILL    20000   /* that long without a change, the PM timer stands still */
#define FALLBACK_HZ    1000000000ULL
#define TSC_HZ_MIN     1000000ULL
#define TSC_HZ_MAX     20000000000ULL

u64 tsc_hz;

/* The moment of the first calibration, for time_refine(). */
static struct sample {
	u64 tsc;
	u32 pm;
} base;

static u32 pm_mask;

static u32 pm_read(void)
{
	return inl(acpi.pm_timer_port) & pm_mask;
}

/* Both clocks at one moment: the pair whose reading took least time, so that an SMI or an exit of a
 * hypervisor below us in between does not count. Some chipsets' timers give nonsense while they step; a
 * second read tells. */
static struct sample pm_sample(void)
{
	struct sample best = {0, 0};
	u64 shortest = ~0ULL;

	for (unsigned i = 0; i < TRIES; i++) {
		u64 before = tsc_now(), after;
		u32 pm = pm_read();

		after = tsc_now();
		if (after - before < shortest && ((pm_read() - pm) & pm_mask) < PM_NEAR) {
			shortest = after - before;
			best = (struct sample){before + shortest / 2, pm};
		}
	}
	return best;
}

static u64 measure_pm(void)
{
	struct sample end;
	u32 pm, last, still = 0;

	if (!acpi.pm_timer_port)
		return 0;
	pm_mask = acpi.pm_timer_32 ? ~0U : 0xFFFFFF;
	base = pm_sample();
	last = base.pm;
	for (unsigned i = 0; i < LOOPS; i++) {
		pm = pm_read();
		still = pm == last ? still + 1 : 0;
		last = pm;
		if (still > LOOPS_STILL)
			break;
		if (((pm - base.pm) & pm_mask) < PM_WINDOW)
			continue;
		end = pm_sample();
		pm = (end.pm - base.pm) & pm_mask;
		if (!base.tsc || end.tsc <= base.tsc || !pm)
			break;
		return muldiv64(end.tsc - base.tsc, PM_HZ, pm);
	}
	base.tsc = 0;
	printk("The ACPI PM timer at port 0x%x does not count\n", acpi.pm_timer_port);
	return 0;
}

static u64 measure_pit(void)
{
	u8 port_b = inb(PORT_B);
	u64 start, end;
	unsigned loops = 0;

	outb(PORT_B, (u8)((port_b & ~PORT_B_SPEAKER) | PORT_B_GATE2));
	outb(PIT_COMMAND, PIT_MODE0);
	outb(PIT_CHANNEL2, PIT_WINDOW & 0xFF);
	outb(PIT_CHANNEL2, PIT_WINDOW >> 8);
	start = tsc_now();
	while (!(inb(PORT_B) & PORT_B_OUT2) && loops < LOOPS)
		loops++;
	end = tsc_now();
	outb(PORT_B, port_b);
	if (!loops || loops == LOOPS) /* it was high from the start, or never came */
		return 0;
	return muldiv64(end - start, PIT_HZ, PIT_WINDOW);
}

/* What the CPU says of itself (SDM 3B 19.7.3): the last resort, since emulators and firmware get it wrong. */
static u64 cpuid_hz(void)
{
	u32 max = cpuid(0, 0).eax;
	struct cpuid_regs r;

	if (max >= 0x15) {
		r = cpuid(0x15, 0);
		if (r.eax && r.ebx && r.ecx)
			return (u64)r.ecx * r.ebx / r.eax;
	}
	return max >= 0x16 ? (cpuid(0x16, 0).eax & 0xFFFF) * 1000000ULL : 0;
}

static bool plausible(u64 hz)
{
	return hz >= TSC_HZ_MIN && hz <= TSC_HZ_MAX;
}

void time_init(void)
{
	u64 hz = measure_pm();

	if (!plausible(hz))
		hz = measure_pit();
	if (!plausible(hz)) {
		hz = cpuid_hz();
		hz = plausible(hz) ? hz : FALLBACK_HZ;
		printk("No PM timer or PIT to measure the TSC by: taking %lu MHz\n", hz / 1000000);
	}
	tsc_hz = hz;
}

void time_refine(void)
{
	struct sample now;
	u64 ticks, wraps, hz;

	if (!base.tsc)
		return;
	now = pm_sample();
	if (now.tsc <= base.tsc)
		return;
	/* The first estimate says how often the counter went round; the counter says the rest. */
	ticks = muldiv64(now.tsc - base.tsc, PM_HZ, tsc_hz);
	wraps = (ticks - ((now.pm - base.pm) & pm_mask) + pm_mask / 2) / ((u64)pm_mask + 1);
	ticks = wraps * ((u64)pm_mask + 1) + ((now.pm - base.pm) & pm_mask);
	if (ticks < PM_WINDOW)
		return;
	hz = muldiv64(now.tsc - base.tsc, PM_HZ, ticks);
	if (hz > tsc_hz - tsc_hz / 256 && hz < tsc_hz + tsc_hz / 256)
		tsc_hz = hz;
}

u64 time_ms(void)
{
	return tsc_hz ? muldiv64(tsc_now(), 1000, tsc_hz) : 0;
}
