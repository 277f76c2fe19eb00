#include "support.h"

#include <string.h>

#include "lib/errno.h"
#include "vm/vm.h"

#define CPUS 3
#define TICK 40 /* the timer's 25 MHz at 1 GHz TSC */

static struct vm vm;
static struct vcpu vcpus[CPUS];
static u8 pages[CPUS][4096] __aligned(4096);
static unsigned pages_used, eois, mode_changes;
static u8 last_eoi;
static int taken = -1;
static bool take;

void host_timer_rearm(u64 deadline)
{
}

void vcpu_kick(struct vcpu *v, u32 events)
{
	v->events |= events;
}

void *vm_zalloc(struct vm *vm, size_t size)
{
	assert_int_equal(size, 4096);
	return pages_used < CPUS ? memset(pages[pages_used++], 0, size) : NULL;
}

static void eoi(void *chip, u8 vector)
{
	assert_ptr_equal(chip, &vm);
	assert_true(vm.lock.taken);
	last_eoi = vector;
	eois++;
}

static void apic_mode(struct vcpu *v)
{
	mode_changes++;
}

static bool apic_irr(struct vcpu *v, u8 vector)
{
	if (take)
		taken = vector;
	return take;
}

static const struct vcpu_ops ops = {.apic_mode = apic_mode, .apic_irr = apic_irr};
static struct vcpu *const v = &vcpus[0];

static u32 get(u32 reg)
{
	return lapic_read(v, reg);
}

static void set(u32 reg, u32 val)
{
	lapic_write(v, reg, val);
}

static int setup(void **state)
{
	fake_reset(state);
	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	pages_used = eois = mode_changes = 0;
	take = false;
	taken = -1;
	vm.eoi = eoi;
	vm.eoi_chip = &vm;
	vm.vcpu_count = CPUS;
	for (unsigned i = 0; i < CPUS; i++) {
		vm.vcpus[i] = &vcpus[i];
		vcpus[i].vm = &vm;
		vcpus[i].index = i;
		vcpus[i].ops = &ops;
		vcpus[i].timers.next = TIMER_NEVER;
		assert_int_equal(lapic_create(&vcpus[i]), 0);
		lapic_write(&vcpus[i], LAPIC_SVR, 0x1FF);
	}
	v->events = 0;
	return 0;
}

static int setup_x2apic(void **state)
{
	setup(state);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(lapic_wrmsr(&vcpus[i], 0x1B, vcpus[i].lapic.base | APIC_BASE_EXTD), 0);
	v->events = 0;
	return 0;
}

static void run_timers(u64 now)
{
	fake_tsc = now;
	while (v->timers.next <= now) {
		vm.lock.taken = 1; /* as vcpu_run_timers() does */
		timers_run(&v->timers, now);
		vm.lock.taken = 0;
	}
}

static bool requested(unsigned cpu, u8 vector)
{
	return *(u32 *)(pages[cpu] + LAPIC_IRR + vector / 32 * 16) >> (vector & 31) & 1;
}

static void power_up_state(void **state)
{
	u64 val;

	lapic_reset(v);
	assert_int_equal(lapic_rdmsr(v, 0x1B, &val), 0);
	assert_true(val == 0xFEE00900);
	assert_int_equal(lapic_rdmsr(&vcpus[1], 0x1B, &val), 0);
	assert_true(val == 0xFEE00800);
	assert_int_equal(get(LAPIC_SVR), 0xFF);
	assert_int_equal(get(LAPIC_DFR), 0xFFFFFFFF);
	assert_int_equal(get(LAPIC_VERSION), 0x50014);
	assert_int_equal(get(LAPIC_LVTT), 0x10000);
	assert_int_equal(get(LAPIC_LVT0), 0x700);
	assert_int_equal(get(LAPIC_LVT1), 0x400);
	assert_int_equal(lapic_read(&vcpus[2], LAPIC_ID), 0x02000000);
	assert_true(lapic_accepts_extint(v));
	lapic_set_irr(v, 0x40, false); /* software-disabled: refused */
	assert_int_equal(lapic_pending(v), -1);
}

static void reserved_bits_stay_clear(void **state)
{
	for (u32 reg = 0; reg < 0x400; reg += 16)
		if (reg != LAPIC_ICR && reg != LAPIC_TMICT)
			set(reg, 0xFFFFFFFF);
	assert_int_equal(get(LAPIC_ID), 0);
	assert_int_equal(get(LAPIC_VERSION), 0x50014);
	assert_int_equal(get(LAPIC_TPR), 0xFF);
	assert_int_equal(get(LAPIC_LDR), 0xFF000000);
	assert_int_equal(get(LAPIC_SVR), 0x3FF);
	assert_int_equal(get(LAPIC_ICR2), 0xFF000000);
	assert_int_equal(get(LAPIC_LVTT), 0x700FF);
	assert_int_equal(get(LAPIC_LVTPC), 0x107FF);
	assert_int_equal(get(LAPIC_LVT0), 0x1A7FF);
	assert_int_equal(get(LAPIC_LVTERR), 0x100FF);
	assert_int_equal(get(LAPIC_TDCR), 0x0B);
	assert_int_equal(get(LAPIC_IRR), 0);
	assert_int_equal(get(0x204), 0);
}

static void unknown_register_is_an_error(void **state)
{
	set(LAPIC_LVTERR, 0xFE);
	set(LAPIC_ESR, 0);
	assert_int_equal(get(0x40), 0);
	set(0x2F0, 1);
	get(0x800);
	assert_true(requested(0, 0xFE));
	assert_int_equal(get(LAPIC_ESR), 0);
	set(LAPIC_ESR, 0);
	assert_int_equal(get(LAPIC_ESR), 0x80);
	set(LAPIC_ESR, 0);
	assert_int_equal(get(LAPIC_ESR), 0);
}

static void illegal_error_vector_does_not_recurse(void **state)
{
	set(LAPIC_LVTERR, 0x03);
	get(0x40);
	set(LAPIC_ESR, 0);
	assert_int_equal(get(LAPIC_ESR), 0xC0);
}

static void priorities(void **state)
{
	lapic_set_irr(v, 0x51, false);
	lapic_set_irr(v, 0x58, false);
	lapic_set_irr(v, 0x31, false);
	assert_int_equal(v->events, EV_INTERRUPT);
	assert_int_equal(lapic_pending(v), 0x58);
	lapic_ack(v, 0x58);
	assert_int_equal(get(LAPIC_PPR), 0x50);
	assert_int_equal(lapic_pending(v), -1); /* 51h is of the same class */
	lapic_set_irr(v, 0x61, false);
	assert_int_equal(lapic_pending(v), 0x61);
	set(LAPIC_TPR, 0x70);
	assert_int_equal(get(LAPIC_PPR), 0x70);
	assert_int_equal(lapic_pending(v), -1);
	v->events = 0;
	set(LAPIC_TPR, 0x00);
	assert_int_equal(v->events, EV_INTERRUPT);
	lapic_ack(v, 0x61);
	v->events = 0;
	set(LAPIC_EOI, 0); /* 61h: 58h is still in service */
	assert_int_equal(v->events, 0);
	set(LAPIC_EOI, 0);
	assert_int_equal(v->events, EV_INTERRUPT);
	assert_int_equal(lapic_pending(v), 0x51);
	assert_int_equal(eois, 0);
}

static void level_eoi_is_broadcast(void **state)
{
	lapic_set_irr(v, 0x59, true);
	lapic_ack(v, 0x59);
	set(LAPIC_EOI, 0);
	assert_int_equal(eois, 1);
	assert_int_equal(last_eoi, 0x59);
	lapic_set_irr(v, 0x59, false); /* as an edge it is not */
	lapic_ack(v, 0x59);
	set(LAPIC_EOI, 0);
	set(LAPIC_EOI, 0); /* nothing in service */
	assert_int_equal(eois, 1);
	lapic_eoi_induced(v, 0x59);
	assert_int_equal(eois, 1);
}

static void hardware_may_take_the_vector(void **state)
{
	take = true;
	lapic_set_irr(v, 0x44, true);
	assert_int_equal(taken, 0x44);
	assert_false(requested(0, 0x44));
	assert_int_equal(v->events, 0);
	lapic_eoi_induced(v, 0x44); /* TMR was set before */
	assert_int_equal(eois, 1);
}

static void disabling_masks_local_interrupts(void **state)
{
	set(LAPIC_LVT0, 0x700);
	assert_true(lapic_accepts_extint(v));
	set(LAPIC_SVR, 0xFF);
	assert_int_equal(get(LAPIC_LVT0), 0x10700);
	assert_false(lapic_accepts_extint(v));
	set(LAPIC_LVT0, 0x700);
	assert_int_equal(get(LAPIC_LVT0), 0x10700);
	assert_int_equal(lapic_wrmsr(v, 0x1B, 0xFEE00100), 0);
	assert_true(lapic_accepts_extint(v)); /* LINT0 is INTR now */
}

static void one_shot_timer(void **state)
{
	set(LAPIC_TDCR, 0x3); /* by 16 */
	set(LAPIC_LVTT, 0x40);
	set(LAPIC_TMICT, 1000);
	assert_int_equal(get(LAPIC_TMCCT), 1000);
	run_timers(400 * 16 * TICK);
	assert_int_equal(get(LAPIC_TMCCT), 600);
	run_timers(1000 * 16 * TICK - 1);
	assert_int_equal(get(LAPIC_TMCCT), 1);
	assert_false(requested(0, 0x40));
	run_timers(1000 * 16 * TICK);
	assert_true(requested(0, 0x40));
	assert_int_equal(get(LAPIC_TMCCT), 0);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
	set(LAPIC_TMICT, 5);
	set(LAPIC_TMICT, 0);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
}

static void divisors(void **state)
{
	static const u8 code[8] = {0xB, 0, 1, 2, 3, 8, 9, 0xA};

	for (unsigned i = 0; i < 8; i++) {
		set(LAPIC_TDCR, code[i]);
		set(LAPIC_TMICT, 100);
		assert_true(v->lapic_timer.deadline == fake_tsc + ((100 * TICK) << i));
	}
}

static void periodic_timer(void **state)
{
	unsigned n = 0;

	set(LAPIC_TDCR, 0xB);
	set(LAPIC_LVTT, 0x20040);
	set(LAPIC_TMICT, 2500); /* 100 us */
	for (u64 t = 0; t <= 10000000; t += 1000) {
		run_timers(t);
		if (requested(0, 0x40)) {
			n++;
			assert_int_equal(t, n * 100000);
			lapic_ack(v, 0x40);
			set(LAPIC_EOI, 0);
		}
	}
	assert_int_equal(n, 100);
	run_timers(10000000 + 250000); /* late: one, and in step again */
	assert_true(v->lapic_timer.deadline == 10300000);
	assert_int_equal(get(LAPIC_TMCCT), 1250);
	set(LAPIC_LVTT, 0x30040); /* masked it runs on */
	lapic_ack(v, 0x40);
	run_timers(10400000);
	assert_false(requested(0, 0x40));
	set(LAPIC_TMICT, 1); /* a hostile one */
	run_timers(10400100);
	assert_true(v->lapic_timer.deadline >= 10400100 + 20000);
}

static void deadline_timer(void **state)
{
	u64 val;

	v->tsc_offset = -1000000ULL;
	fake_tsc = 2000000;
	assert_int_equal(lapic_wrmsr(v, 0x6E0, 5000000), 0); /* not in this mode */
	assert_int_equal(lapic_rdmsr(v, 0x6E0, &val), 0);
	assert_int_equal(val, 0);
	set(LAPIC_LVTT, 0x40040);
	set(LAPIC_TMICT, 100);
	assert_int_equal(get(LAPIC_TMICT), 0);
	assert_int_equal(get(LAPIC_TMCCT), 0);
	lapic_wrmsr(v, 0x6E0, 5000000);
	lapic_rdmsr(v, 0x6E0, &val);
	assert_int_equal(val, 5000000);
	assert_true(v->lapic_timer.deadline == 6000000);
	v->tsc_offset = -1500000ULL;
	lapic_tsc_changed(v);
	assert_true(v->lapic_timer.deadline == 6500000);
	run_timers(6500000);
	assert_true(requested(0, 0x40));
	lapic_rdmsr(v, 0x6E0, &val);
	assert_int_equal(val, 0);

	lapic_wrmsr(v, 0x6E0, 1); /* long past */
	assert_true(v->lapic_timer.deadline <= fake_tsc);
	lapic_wrmsr(v, 0x6E0, 0);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
	lapic_wrmsr(v, 0x6E0, ~0ULL);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
	v->tsc_offset = 1000;
	lapic_wrmsr(v, 0x6E0, 500);
	assert_int_equal(v->lapic_timer.deadline, 0);
	set(LAPIC_LVTT, 0x50040); /* masking leaves it armed, another mode does not */
	assert_int_equal(v->lapic_timer.deadline, 0);
	set(LAPIC_LVTT, 0x40);
	assert_true(v->lapic_timer.deadline == TIMER_NEVER);
}

/* Hardware has put the value into the page before it exits. */
static void after_write(void **state)
{
	u32 *page = (u32 *)pages[0];

	page[LAPIC_LVTT / 4] = 0x40040;
	lapic_after_write(v, LAPIC_LVTT);
	lapic_wrmsr(v, 0x6E0, 1000);
	page[LAPIC_LVTT / 4] = 0x50040;
	lapic_after_write(v, LAPIC_LVTT);
	assert_true(v->lapic_timer.deadline == 1000);
	page[LAPIC_ID / 4] = 0x55000000;
	lapic_after_write(v, LAPIC_ID);
	assert_int_equal(get(LAPIC_ID), 0);
	page[LAPIC_SVR / 4] = 0xFFFFFFFF;
	lapic_after_write(v, LAPIC_SVR);
	assert_int_equal(get(LAPIC_SVR), 0x3FF);
	page[LAPIC_ESR / 4] = 0x1234;
	lapic_after_write(v, LAPIC_ESR);
	assert_int_equal(get(LAPIC_ESR), 0);
	page[LAPIC_ICR / 4] = 0x40041; /* self */
	lapic_after_write(v, LAPIC_ICR);
	assert_true(requested(0, 0x41));
}

static void ipi(u32 low, u32 dest)
{
	set(LAPIC_ICR2, dest << 24);
	set(LAPIC_ICR, low);
}

static unsigned who(u8 vector)
{
	unsigned set = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		set |= requested(i, vector) << i;
		memset(pages[i] + LAPIC_IRR, 0, 128);
	}
	return set;
}

static void ipi_destinations(void **state)
{
	ipi(0x41, 1);
	assert_int_equal(who(0x41), 2);
	ipi(0x41, 0xFF);
	assert_int_equal(who(0x41), 7);
	ipi(0x41, 9);
	assert_int_equal(who(0x41), 0);
	ipi(0x40041, 2);
	assert_int_equal(who(0x41), 1);
	ipi(0x80041, 0);
	assert_int_equal(who(0x41), 7);
	ipi(0xC0041, 0);
	assert_int_equal(who(0x41), 6);

	for (unsigned i = 0; i < CPUS; i++)
		lapic_write(&vcpus[i], LAPIC_LDR, 1U << (24 + i));
	ipi(0x841, 5);
	assert_int_equal(who(0x41), 5);
	for (unsigned i = 0; i < CPUS; i++) { /* clusters 0: 0 and 1, 1: 2 */
		lapic_write(&vcpus[i], LAPIC_DFR, 0x0FFFFFFF);
		lapic_write(&vcpus[i], LAPIC_LDR, (i < 2 ? 1U << i : 0x11) << 24);
	}
	ipi(0x841, 0x03);
	assert_int_equal(who(0x41), 3);
	ipi(0x841, 0x11);
	assert_int_equal(who(0x41), 4);
	ipi(0x841, 0xFF);
	assert_int_equal(who(0x41), 7);
}

static void lowest_priority(void **state)
{
	lapic_write(&vcpus[0], LAPIC_TPR, 0x80);
	lapic_pending(&vcpus[0]);
	lapic_set_irr(&vcpus[0], 0x20, false);
	lapic_pending(&vcpus[0]);
	ipi(0x141, 0xFF);
	assert_int_equal(who(0x41), 2);
}

static void other_deliveries(void **state)
{
	ipi(0x400, 1);
	assert_true(vcpus[1].nmi_pending);
	assert_true(vcpus[1].events & EV_NMI);
	ipi(0x4500, 2);
	assert_true(vcpus[2].lapic.init_received);
	ipi(0x4699, 2);
	ipi(0x4677, 2);
	assert_int_equal(vcpus[2].lapic.sipi_vector, 0x99);
	assert_true(vcpus[2].lapic.sipi_received);
	vcpus[2].lapic.init_received = false;
	ipi(0x8500, 2); /* de-assert */
	assert_false(vcpus[2].lapic.init_received);
	set(LAPIC_ESR, 0);
	ipi(0x00F, 1);
	set(LAPIC_ESR, 0);
	assert_int_equal(get(LAPIC_ESR), 0x20);
	set(LAPIC_ICR, 0xFFFFFFFF);
	assert_int_equal(get(LAPIC_ICR), 0xCCFFF);
}

static void messages_from_the_ioapic(void **state)
{
	struct apic_msg msg = {.dest = 1, .vector = 0x55, .level = true};

	vm_apic_deliver(&vm, &msg);
	assert_int_equal(who(0x55), 2);
	assert_int_equal(*(u32 *)(pages[1] + LAPIC_TMR + 2 * 16), 1U << 21);
	msg.dest = 0xFF;
	vm_apic_deliver(&vm, &msg);
	assert_int_equal(who(0x55), 7);
	msg = (struct apic_msg){.dest = 0, .vector = 5};
	vm_apic_deliver(&vm, &msg);
	set(LAPIC_ESR, 0);
	assert_int_equal(get(LAPIC_ESR), 0x40);
}

static void mode_transitions(void **state)
{
	const u64 x = 0xFEE00D00, en = 0xFEE00900, off = 0xFEE00100;
	u64 val;

	assert_int_equal(lapic_rdmsr(v, 0x802, &val), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, 0xFEE00500), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, en | 1), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, en | BIT(40)), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, en + 0x1000), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, en), 0);
	assert_int_equal(mode_changes, 0);
	set(LAPIC_TPR, 0x20);
	assert_int_equal(lapic_wrmsr(v, 0x1B, x), 0);
	assert_int_equal(mode_changes, 1);
	assert_int_equal(lapic_rdmsr(v, 0x808, &val), 0);
	assert_int_equal(val, 0x20);
	assert_int_equal(lapic_wrmsr(v, 0x1B, en), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, off), 0);
	assert_int_equal(lapic_wrmsr(v, 0x1B, x), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x1B, en), 0);
	assert_int_equal(mode_changes, 3);
	assert_int_equal(get(LAPIC_TPR), 0);
	assert_int_equal(get(LAPIC_LVT0), 0x10000);
}

static void x2apic_registers(void **state)
{
	static const u16 readable[] = {0x802, 0x803, 0x808, 0x80A, 0x80D, 0x80F, 0x810, 0x817, 0x818,
				       0x827, 0x828, 0x830, 0x832, 0x837, 0x838, 0x839, 0x83E};
	static const u16 writable[] = {0x808, 0x80B, 0x80F, 0x828, 0x832, 0x833,
				       0x834, 0x835, 0x836, 0x837, 0x838, 0x83E};
	unsigned can_read = 0, can_write = 0;
	u64 val;

	for (unsigned i = 0; i < ARRAY_SIZE(readable); i++)
		assert_int_equal(lapic_rdmsr(v, readable[i], &val), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(writable); i++)
		assert_int_equal(lapic_wrmsr(v, writable[i], 0), 0);
	for (unsigned msr = 0x800; msr < 0x900; msr++) {
		can_read += !lapic_rdmsr(v, msr, &val);
		can_write += !lapic_wrmsr(v, msr, 0);
		if (msr != 0x838)
			assert_int_equal(lapic_wrmsr(v, msr, BIT(31)), -EPERM);
		if (msr != 0x830)
			assert_int_equal(lapic_wrmsr(v, msr, BIT(32)), -EPERM);
	}
	assert_int_equal(can_read, 6 + 24 + 2 + 6 + 3);
	assert_int_equal(can_write, ARRAY_SIZE(writable) + 2); /* and ICR, self-IPI */
	assert_int_equal(lapic_rdmsr(&vcpus[2], 0x802, &val), 0);
	assert_int_equal(val, 2);
	lapic_rdmsr(&vcpus[2], 0x80D, &val);
	assert_int_equal(val, 4);
	assert_int_equal(lapic_wrmsr(v, 0x835, 0x15700), 0); /* read-only status may be written back */
	lapic_rdmsr(v, 0x835, &val);
	assert_int_equal(val, 0x10700);
	assert_int_equal(lapic_wrmsr(v, 0x80B, 1), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x828, 1), -EPERM);
}

static void x2apic_ipis(void **state)
{
	u64 val;

	lapic_wrmsr(v, 0x83F, 0x45);
	assert_int_equal(who(0x45), 1);
	lapic_wrmsr(v, 0x830, 1ULL << 32 | 0x46);
	assert_int_equal(who(0x46), 2);
	lapic_rdmsr(v, 0x830, &val);
	assert_true(val == (1ULL << 32 | 0x46));
	lapic_wrmsr(v, 0x830, 0xFFULL << 32 | 0x46); /* an ID as any other */
	assert_int_equal(who(0x46), 0);
	lapic_wrmsr(v, 0x830, 0xFFFFFFFFULL << 32 | 0x46);
	assert_int_equal(who(0x46), 7);
	lapic_wrmsr(v, 0x830, 5ULL << 32 | 0x846);
	assert_int_equal(who(0x46), 5);
	lapic_wrmsr(v, 0x830, 0x10005ULL << 32 | 0x846);
	assert_int_equal(who(0x46), 0);
	assert_int_equal(lapic_wrmsr(v, 0x83F, 0x100), -EPERM);
	assert_int_equal(lapic_wrmsr(v, 0x830, 0x2046), -EPERM);
	lapic_wrmsr(v, 0x83F, 0x05);
	lapic_wrmsr(v, 0x828, 0);
	lapic_rdmsr(v, 0x828, &val);
	assert_int_equal(val, 0x20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(power_up_state, setup),
		cmocka_unit_test_setup(reserved_bits_stay_clear, setup),
		cmocka_unit_test_setup(unknown_register_is_an_error, setup),
		cmocka_unit_test_setup(illegal_error_vector_does_not_recurse, setup),
		cmocka_unit_test_setup(priorities, setup),
		cmocka_unit_test_setup(level_eoi_is_broadcast, setup),
		cmocka_unit_test_setup(hardware_may_take_the_vector, setup),
		cmocka_unit_test_setup(disabling_masks_local_interrupts, setup),
		cmocka_unit_test_setup(one_shot_timer, setup),
		cmocka_unit_test_setup(divisors, setup),
		cmocka_unit_test_setup(periodic_timer, setup),
		cmocka_unit_test_setup(deadline_timer, setup),
		cmocka_unit_test_setup(after_write, setup),
		cmocka_unit_test_setup(ipi_destinations, setup),
		cmocka_unit_test_setup(lowest_priority, setup),
		cmocka_unit_test_setup(other_deliveries, setup),
		cmocka_unit_test_setup(messages_from_the_ioapic, setup),
		cmocka_unit_test_setup(mode_transitions, setup),
		cmocka_unit_test_setup(x2apic_registers, setup_x2apic),
		cmocka_unit_test_setup(x2apic_ipis, setup_x2apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
