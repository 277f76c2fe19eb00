/* The local APIC's registers and modes, and the interrupts in it. */
#include "lapics.h"

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
		cmocka_unit_test_setup(after_write, setup),
		cmocka_unit_test_setup(mode_transitions, setup),
		cmocka_unit_test_setup(x2apic_registers, setup_x2apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
