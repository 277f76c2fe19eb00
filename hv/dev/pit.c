/* The 8254 timer: three counters of 1.193182 MHz. Counter 0 raises IRQ 0, counter 2 stands behind port 61h.
 * Nothing counts: a counter is the TSC at which it started, and what the guest reads is computed. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/math.h"

#define PIT_HZ 1193182

#define MIN_PERIOD    24 /* ticks, 20 us: no guest may have more interrupts of IRQ 0 than that */
#define CATCH_UP_RATE 4	 /* late periods are made up for at so many times the rate */
#define CATCH_UP_MAX  64 /* periods; what is more is lost */

enum { RW_LATCH, RW_LOW, RW_HIGH, RW_BOTH };

#define PORT_B_GATE    BIT(0)
#define PORT_B_RW      0x0F
#define PORT_B_REFRESH BIT(4)
#define PORT_B_OUT     BIT(5)
#define REFRESH_TICKS  18 /* 15 us */

struct counter {
	u64 start; /* TSC; counting began there */
	u64 held;  /* ticks counted when the gate stopped it */
	u32 count; /* 1..65536, or ..10000 in BCD */
	u16 latch;
	u8 mode, rw;
	u8 write_low;
	u8 status; /* latched */
	bool bcd, gate;
	bool counting; /* not stopped by its gate, and loaded */
	bool null;     /* control word written, count not yet */
	bool latched, status_latched;
	bool read_high, write_high; /* the second byte of two is next */
};

struct pit {
	struct vm *vm;
	struct counter c[3];
	struct vtimer timer;
	u64 next;   /* counter 0: tick of the next interrupt since start */
	u64 period; /* ticks between interrupts, 0 when there is one only */
	u8 port_b;
};

static u64 to_ticks(u64 tsc)
{
	return muldiv64(tsc, PIT_HZ, tsc_hz);
}

static u64 to_tsc(u64 ticks)
{
	return muldiv64(ticks, tsc_hz, PIT_HZ) + 1;
}

static u64 elapsed(const struct counter *c)
{
	return c->counting ? to_ticks(tsc_now() - c->start) : c->held;
}

static bool periodic(const struct counter *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* These begin with the rising edge of their gate. */
static bool triggered(const struct counter *c)
{
	return c->mode == 1 || c->mode == 5;
}

static bool output(const struct counter *c)
{
	u64 t = elapsed(c);

	switch (c->mode) {
	case 0:
		return !c->null && t >= c->count;
	case 1:
		return t >= c->count;
	case 2:
		return !c->counting || t % c->count != c->count - 1;
	case 3:
		return !c->counting || t % c->count < (c->count + 1) / 2;
	}
	return t != c->count;
}

static u16 to_bcd(u32 n)
{
	u32 bcd = 0;

	for (unsigned shift = 0; shift < 16; shift += 4, n /= 10)
		bcd |= n % 10 << shift;
	return bcd;
}

static u32 from_bcd(u32 bcd)
{
	u32 n = 0;

	for (int shift = 12; shift >= 0; shift -= 4)
		n = n * 10 + (bcd >> shift & 15);
	return n;
}

static u32 modulus(const struct counter *c)
{
	return c->bcd ? 10000 : 65536;
}

static u16 value(const struct counter *c)
{
	u32 v, m = modulus(c);
	u64 t = elapsed(c);

	if (periodic(c))
		v = c->count - (u32)((t << (c->mode & 1)) % c->count);
	else /* counts on below 0 */
		v = c->count + m - (u32)(t % m);
	v %= m;
	return c->bcd ? to_bcd(v) : v;
}

/* Counter 0's interrupts are the rising edges of its output; its gate is always on. */
static void arm(struct pit *p)
{
	struct counter *c = &p->c[0];

	p->period = 0;
	p->next = c->count + (c->mode == 4); /* its strobe is low for a tick */
	if (periodic(c))
		p->period = p->next = c->count * (1 + (MIN_PERIOD - 1) / c->count);
	if (c->mode == 0)
		vm_irq_set(p->vm, IRQ_PIT, false);
	/* Modes 1 and 5 wait for a gate that never moves. */
	vtimer_arm(&p->timer, triggered(c) ? TIMER_NEVER : c->start + to_tsc(p->next));
}

/* Deadlines are computed from the start, not from each other, so that nothing adds up. A late vcpu gets its
 * missed interrupts one by one, since the 8259 would merge them. */
static void fire(void *dev, u64 deadline)
{
	struct pit *p = dev;
	u64 now = tsc_now(), ticks = to_ticks(now - p->c[0].start), behind;

	vm_irq_set(p->vm, IRQ_PIT, false);
	vm_irq_set(p->vm, IRQ_PIT, true);
	if (!p->period)
		return;
	behind = ticks > p->next ? (ticks - p->next) / p->period : 0;
	if (behind > CATCH_UP_MAX)
		p->next += (behind - CATCH_UP_MAX) * p->period;
	p->next += p->period;
	vtimer_arm(&p->timer, MAX(p->c[0].start + to_tsc(p->next), now + to_tsc(p->period / CATCH_UP_RATE)));
}

static void load(struct pit *p, struct counter *c, u32 count)
{
	if (c->bcd)
		count = from_bcd(count);
	c->count = count ? count : modulus(c);
	c->null = false;
	if (triggered(c)) { /* counting begins with the gate; until then the output is high */
		c->held = c->count + 1;
		return;
	}
	c->held = 0;
	c->counting = c->gate;
	c->start = tsc_now();
	if (c == &p->c[0])
		arm(p);
}

static void set_gate(struct counter *c, bool gate)
{
	bool rise = gate && !c->gate;

	if (gate == c->gate)
		return;
	c->gate = gate;
	if (c->null)
		return;
	if (!rise) {
		if (triggered(c))
			return; /* only their rising gate counts */
		c->held = periodic(c) ? 0 : elapsed(c);
		c->counting = false;
		return;
	}
	c->start = tsc_now();
	if (c->mode == 0 || c->mode == 4)
		c->start -= muldiv64(c->held, tsc_hz, PIT_HZ);
	c->counting = true;
}

static void latch_count(struct counter *c)
{
	if (c->latched)
		return;
	c->latch = value(c);
	c->latched = true;
}

static void latch_status(struct counter *c)
{
	if (c->status_latched)
		return;
	c->status = output(c) << 7 | c->null << 6 | c->rw << 4 | c->mode << 1 | c->bcd;
	c->status_latched = true;
}

static void read_back(struct pit *p, u8 val)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!(val & BIT(i + 1)))
			continue;
		if (!(val & BIT(5)))
			latch_count(&p->c[i]);
		if (!(val & BIT(4)))
			latch_status(&p->c[i]);
	}
}

static void write_control(struct pit *p, u8 val)
{
	struct counter *c = &p->c[val >> 6 & 3];

	if (val >> 6 == 3) {
		read_back(p, val);
		return;
	}
	if ((val >> 4 & 3) == RW_LATCH) {
		latch_count(c);
		return;
	}
	*c = (struct counter){
		.rw = val >> 4 & 3,
		.mode = (val >> 1 & 7) > 5 ? val >> 1 & 3 : val >> 1 & 7, /* 6 and 7 are 2 and 3 */
		.bcd = val & 1,
		.gate = c->gate,
		.null = true,
		.count = 65536,
		.held = 65536 + 1,
	};
	if (c == &p->c[0]) {
		vtimer_arm(&p->timer, TIMER_NEVER);
		vm_irq_set(p->vm, IRQ_PIT, false);
	}
}

static u8 read_counter(struct counter *c)
{
	u16 v;
	bool high = c->rw == RW_HIGH || (c->rw == RW_BOTH && c->read_high);

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	v = c->latched ? c->latch : value(c);
	c->read_high = c->rw == RW_BOTH && !high;
	if (!c->read_high)
		c->latched = false;
	return high ? v >> 8 : v;
}

static void write_counter(struct pit *p, struct counter *c, u8 val)
{
	if (c->rw == RW_BOTH && !c->write_high) {
		c->write_low = val;
		c->write_high = true;
		return;
	}
	load(p, c, c->rw == RW_LOW ? val : c->write_low | val << 8); /* no low byte was written for RW_HIGH */
	c->write_high = false;
}

static u32 pit_read(void *dev, u16 port, unsigned size)
{
	struct pit *p = dev;

	return (port & 3) == 3 ? 0xFF : read_counter(&p->c[port & 3]);
}

static void pit_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct pit *p = dev;

	if ((port & 3) == 3)
		write_control(p, (u8)val);
	else
		write_counter(p, &p->c[port & 3], (u8)val);
}

static const struct pio_ops ops = {pit_read, pit_write};

static u32 port_b_read(void *dev, u16 port, unsigned size)
{
	struct pit *p = dev;

	return p->port_b | (to_ticks(tsc_now()) / REFRESH_TICKS & 1 ? PORT_B_REFRESH : 0) |
	       (output(&p->c[2]) ? PORT_B_OUT : 0);
}

static void port_b_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct pit *p = dev;

	p->port_b = val & PORT_B_RW;
	set_gate(&p->c[2], val & PORT_B_GATE);
}

static const struct pio_ops port_b_ops = {port_b_read, port_b_write};

int pit_create(struct vm *vm)
{
	struct pit *p = vm_zalloc(vm, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	p->vm = vm;
	vtimer_init(&p->timer, vm_timers(vm), fire, p);
	for (unsigned i = 0; i < 3; i++)
		p->c[i] = (struct counter){
			.gate = i != 2, .mode = 3, .rw = RW_BOTH, .count = 65536, .null = true};
	/* Counter 0 runs at a BIOS' 18.2 Hz: there are kernels that do no more than unmask IRQ 0. */
	load(p, &p->c[0], 0);
	err = bus_add_pio(vm, PORT_PIT, 4, &ops, p, "8254 timer");
	return err ? err : bus_add_pio(vm, PORT_B, 1, &port_b_ops, p, "port 61h");
}
