/* The MC146818 real-time clock with its CMOS RAM. Time is computed from the TSC when the guest looks; the
 * calendar's registers in ram[] hold it only while the guest has stopped the clock. All times here count
 * 1/32768 s, the chip's own time base. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "host/tsc.h"
#include "lib/civil.h"
#include "lib/errno.h"
#include "lib/math.h"
#include "vm/memory.h"

#define RTC_HZ 32768

enum { /* those before are the calendar's, with an alarm's behind each of the first three */
       REG_WEEKDAY = 6,
       REG_YEAR = 9,
       REG_A = 10,
       REG_B = CMOS_B,
       REG_C = 12,
       REG_D = 13,
};

#define A_UIP	  BIT(7)
#define A_DIVIDER 0x70
#define A_RUN	  0x20 /* the divider for a 32768 Hz crystal */
#define B_SET	  BIT(7)
#define C_IRQ	  BIT(7)
#define IRQ_PF	  BIT(6) /* in C, and PIE in B */
#define IRQ_AF	  BIT(5)
#define IRQ_UF	  BIT(4)
#define D_VALID	  BIT(7)
#define UIP_TICKS 8	/* 244 us before the second changes */
#define CATCH_UP  86400 /* seconds to look for an alarm in, at most */

struct rtc {
	struct vm *vm;
	u64 offset; /* time = ticks of the TSC + offset, in 1/32768 s since 1970 */
	u64 seen;   /* time up to which C's flags are right */
	u64 set; /* the second in which the running calendar was written to: until it ends, ram[] is what was
		  * written, which need not be a date before its last register is */
	struct vtimer timer;
	u8 index;
	bool running; /* neither SET nor the divider held */
	u8 ram[128];
};

static u64 tsc_ticks(void)
{
	return muldiv64(tsc_now(), RTC_HZ, tsc_hz);
}

static u64 rtc_time(const struct rtc *r)
{
	return tsc_ticks() + r->offset;
}

/* The calendar's registers as of now. */
static void store_calendar(struct rtc *r)
{
	u64 second = rtc_time(r) / RTC_HZ;
	struct civil c;

	if (second == r->set)
		return;
	civil_from_seconds(second, &c);
	civil_to_cmos(&c, r->ram);
}

/* Makes the clock go on from the calendar's registers; fraction is how much of the second has gone. */
static void load_calendar(struct rtc *r, unsigned fraction)
{
	struct civil c;

	civil_from_cmos(r->ram, &c);
	r->offset = civil_to_seconds(&c) * RTC_HZ + fraction - tsc_ticks();
	r->seen = rtc_time(r);
}

static bool alarm_matches(const struct rtc *r, u64 second)
{
	unsigned left = (unsigned)(second % 86400);

	/* Second, minute and hour have their alarm behind them. */
	for (unsigned i = 1; i < REG_WEEKDAY; i += 2, left /= 60)
		if (r->ram[i] < CMOS_ALARM_ANY && r->ram[i] != civil_encode(r->ram, i, left % 60))
			return false;
	return true;
}

/* Length of the periodic interrupt's period; 0: off. Rates 1 and 2 are 8 and 9 (MC146818A table 5). */
static u32 period(const struct rtc *r)
{
	unsigned rate = r->ram[REG_A] & 15;

	if (!rate)
		return 0;
	return 1U << ((rate <= 2 ? rate + 7 : rate) - 1);
}

/* Sets the flags of what has happened since the last look. */
static void catch_up(struct rtc *r)
{
	u64 now = rtc_time(r), second = now / RTC_HZ, last = r->seen / RTC_HZ;
	u32 ticks = period(r);

	if (!r->running || now <= r->seen)
		return;
	if (ticks && now / ticks != r->seen / ticks)
		r->ram[REG_C] |= IRQ_PF;
	if (second != last)
		r->ram[REG_C] |= IRQ_UF;
	for (last = MAX(last + 1, second - MIN(second, CATCH_UP)); last <= second; last++)
		if (alarm_matches(r, last)) {
			r->ram[REG_C] |= IRQ_AF;
			break;
		}
	r->seen = now;
}

/* Sets the interrupt line, and the timer unless an interrupt waits for the guest anyway. */
static void update(struct rtc *r)
{
	u8 enabled = r->ram[REG_B] & (IRQ_PF | IRQ_AF | IRQ_UF);
	bool irq = r->ram[REG_C] & enabled;
	u32 ticks = enabled & IRQ_PF ? period(r) : 0;
	u64 next = TIMER_NEVER;

	if (irq != !!(r->ram[REG_C] & C_IRQ))
		vm_irq_set(r->vm, IRQ_RTC, irq);
	r->ram[REG_C] = (r->ram[REG_C] & ~C_IRQ) | (irq ? C_IRQ : 0);
	if (r->running && !irq) {
		if (ticks)
			next = ALIGN_DOWN(r->seen, (u64)ticks) + ticks;
		else if (enabled)
			next = ALIGN_DOWN(r->seen, (u64)RTC_HZ) + RTC_HZ;
	}
	vtimer_arm(&r->timer, next == TIMER_NEVER ? next : muldiv64(next - r->offset, tsc_hz, RTC_HZ) + 1);
}

static void fire(void *dev, u64 deadline)
{
	struct rtc *r = dev;

	catch_up(r);
	update(r);
}

static bool is_calendar(u8 index)
{
	return index <= REG_YEAR ? index >= REG_WEEKDAY || !(index & 1) : index == RTC_CENTURY;
}

static u8 read_register(struct rtc *r, u8 index)
{
	u8 val;

	switch (index) {
	case REG_A:
		/* Set only in the last moment of a second, and a second ends: a guest that waits always gets
		 * on. */
		return r->ram[REG_A] | (r->running && rtc_time(r) % RTC_HZ >= RTC_HZ - UIP_TICKS ? A_UIP : 0);
	case REG_C:
		catch_up(r);
		update(r);
		val = r->ram[REG_C];
		r->ram[REG_C] &= C_IRQ; /* which update() takes back together with the line */
		update(r);
		return val;
	}
	if (r->running && is_calendar(index))
		store_calendar(r);
	return r->ram[index];
}

/* A and B hold what stops and starts the clock. */
static void write_control(struct rtc *r, u8 index, u8 val)
{
	bool divider_held = (r->ram[REG_A] & A_DIVIDER) != A_RUN, running;

	catch_up(r);
	r->set = 0;
	if (r->running)
		store_calendar(r);
	r->ram[index] = index == REG_A ? val & ~A_UIP : val;
	if (index == REG_B && (val & B_SET))
		r->ram[REG_B] &= ~IRQ_UF; /* SET clears UIE (MC146818A, register B) */
	running = !(r->ram[REG_B] & B_SET) && (r->ram[REG_A] & A_DIVIDER) == A_RUN;
	/* A released divider makes the first second end after half a one. */
	if (running && !r->running)
		load_calendar(r, divider_held ? RTC_HZ / 2 : 0);
	r->running = running;
	update(r);
}

static void write_register(struct rtc *r, u8 index, u8 val)
{
	if (index == REG_A || index == REG_B) {
		write_control(r, index, val);
	} else if (index == REG_C || index == REG_D) {
		return;
	} else if (r->running && is_calendar(index)) {
		store_calendar(r);
		r->ram[index] = val;
		load_calendar(r, rtc_time(r) % RTC_HZ);
		r->set = r->seen / RTC_HZ;
		update(r);
	} else {
		catch_up(r); /* by the alarm that was set until now */
		r->ram[index] = val;
	}
}

static u32 rtc_read(void *dev, u16 port, unsigned size)
{
	struct rtc *r = dev;

	return port & 1 ? read_register(r, r->index) : 0xFF; /* the index cannot be read */
}

static void rtc_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct rtc *r = dev;

	if (port & 1)
		write_register(r, r->index, (u8)val);
	else
		r->index = val & 0x7F; /* bit 7 is the NMI mask, and nothing here raises one */
}

static const struct pio_ops ops = {rtc_read, rtc_write};

static void store16(struct rtc *r, u8 index, u64 val)
{
	val = MIN(val, 0xFFFF);
	r->ram[index] = val;
	r->ram[index + 1] = val >> 8;
}

static u64 above(u64 memory, u64 start)
{
	return memory > start ? memory - start : 0;
}

/* RAM sizes where a PC's firmware looks for them; those from 34h on as QEMU and SeaBIOS have them. */
static void store_memory_sizes(struct rtc *r, u64 memory)
{
	u64 low = MIN(memory, GUEST_HOLE_START), high = (memory - low) / (64 * KiB);

	store16(r, 0x15, MIN(low / KiB, 640));
	store16(r, 0x17, above(low, MiB) / KiB);
	store16(r, 0x30, above(low, MiB) / KiB);
	store16(r, 0x34, above(low, 16 * MiB) / (64 * KiB));
	store16(r, 0x5C, high >> 8);
	r->ram[0x5B] = high;
}

int rtc_create(struct vm *vm)
{
	struct rtc *r = vm_zalloc(vm, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->vm = vm;
	r->ram[REG_A] = A_RUN | 6; /* 1024 Hz, as BIOSes set it */
	r->ram[REG_B] = CMOS_B_24H;
	r->ram[REG_D] = D_VALID;
	r->ram[0x14] = 0x02; /* equipment: an FPU */
	store_memory_sizes(r, vm_memory_size(vm));
	r->offset = wall_clock_base * RTC_HZ;
	r->seen = rtc_time(r);
	r->running = true;
	vtimer_init(&r->timer, vm_timers(vm), fire, r);
	return bus_add_pio(vm, PORT_RTC, 2, &ops, r, "real-time clock");
}
