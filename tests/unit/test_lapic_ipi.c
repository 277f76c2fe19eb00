/* Interrupts from one local APIC to others, and from the I/O APIC. */
#include "lapics.h"

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

	assert_true(vm_apic_deliver(&vm, &msg));
	assert_int_equal(who(0x55), 2);
	assert_int_equal(*(u32 *)(pages[1] + LAPIC_TMR + 2 * 16), 1U << 21);
	msg.dest = 0xFF;
	vm_apic_deliver(&vm, &msg);
	assert_int_equal(who(0x55), 7);
	msg = (struct apic_msg){.dest = 0, .vector = 5};
	assert_false(vm_apic_deliver(&vm, &msg));
	set(LAPIC_ESR, 0);
	assert_int_equal(get(LAPIC_ESR), 0x40);
	msg = (struct apic_msg){.dest = 9, .vector = 0x55}; /* nobody's */
	assert_false(vm_apic_deliver(&vm, &msg));
	for (msg.delivery = 0; msg.delivery < 2; msg.delivery++) {
		msg.dest = 1;
		lapic_write(&vcpus[1], LAPIC_SVR, 0xFF);
		assert_false(vm_apic_deliver(&vm, &msg));
		eois = 0;
		lapic_write(&vcpus[1], LAPIC_SVR, 0x1FF); /* the IOAPIC tries again */
		assert_int_equal(eois, 1);
		assert_int_equal(last_eoi, 0);
		assert_true(vm_apic_deliver(&vm, &msg));
	}
	msg.delivery = 4;
	assert_true(vm_apic_deliver(&vm, &msg));
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
		cmocka_unit_test_setup(ipi_destinations, setup),
		cmocka_unit_test_setup(lowest_priority, setup),
		cmocka_unit_test_setup(other_deliveries, setup),
		cmocka_unit_test_setup(messages_from_the_ioapic, setup),
		cmocka_unit_test_setup(x2apic_ipis, setup_x2apic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
