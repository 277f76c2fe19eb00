/* What goes into the guest at an entry, and in which order. */
#include "fake_entry.h"

static void test_nothing(void **state)
{
	v.events = EV_INTERRUPT | EV_NMI;
	expect_entry(0);
	assert_int_equal(v.events, 0);
}

static void test_interrupt(void **state)
{
	irr = 0x31;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x31);
	assert_int_equal(isr, 0x31);
	assert_int_equal(v.events, 0);
	assert_false(int_window);
}

static void test_interrupt_window(void **state)
{
	irr = 0x31;
	interruptible = false;
	v.events = EV_INTERRUPT;
	expect_entry(0);
	assert_true(int_window);
	assert_int_equal(v.events, EV_WINDOW);
	expect_entry(0);
	assert_true(int_window);
	interruptible = true;
	expect_entry(VALID | 0x31);
	assert_false(int_window);
	assert_int_equal(v.events, 0);
}

static void test_second_interrupt_needs_window(void **state)
{
	irr = 0x31;
	after_ack = 0x41;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x31);
	assert_true(int_window);
	assert_int_equal(v.events, EV_WINDOW);
}

static void test_extint(void **state)
{
	irr = 0x31;
	vm.extint = true;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x28);
	assert_int_equal(irr, 0x31);
	assert_true(int_window);
	expect_entry(VALID | 0x31);

	vm.extint = true;
	extint_ok = false;
	v.events = EV_INTERRUPT;
	expect_entry(0);
	extint_ok = true;
	v.index = 1;
	v.events = EV_INTERRUPT;
	expect_entry(0);
}

static void test_virtual_interrupts(void **state)
{
	v.virtual_interrupts = true;
	irr = 0x31;
	v.events = EV_INTERRUPT;
	expect_entry(0);
	assert_false(int_window);
	vm.extint = true;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x28);
}

static void test_nmi(void **state)
{
	v.nmi_pending = true;
	irr = 0x31;
	v.events = EV_NMI | EV_INTERRUPT;
	expect_entry(VALID | 0x202);
	assert_false(v.nmi_pending);
	assert_true(int_window);
	assert_false(nmi_window);
	v.nmi_pending = true;
	nmi_ok = false;
	expect_entry(VALID | 0x31);
	assert_true(nmi_window);
	assert_false(int_window);
	assert_int_equal(v.events, EV_WINDOW);
}

static void test_reinject_first(void **state)
{
	irr = 0x31;
	v.nmi_pending = true;
	v.reinject = (struct vcpu_event){.info = VALID | 0x44, .insn_len = 2};
	v.events = EV_REINJECT | EV_INTERRUPT | EV_NMI;
	expect_entry(VALID | 0x44);
	assert_int_equal(injected.insn_len, 2);
	assert_true(int_window);
	assert_true(nmi_window);
	expect_entry(VALID | 0x202);
	expect_entry(VALID | 0x31);
	assert_int_equal(v.events, 0);
}

static void test_exceptions(void **state)
{
	vcpu_gp(&v);
	expect_entry(VALID | 0xB00 | X86_GP);
	assert_int_equal(injected.error, 0);
	vcpu_page_fault(&v, 0xDEAD000, PF_WRITE);
	assert_int_equal(cr2, 0xDEAD000);
	expect_entry(VALID | 0xB00 | X86_PF);
	assert_int_equal(injected.error, PF_WRITE);
	vcpu_exception(&v, X86_UD, false, 0);
	expect_entry(VALID | 0x300 | X86_UD);
}

/* first is being delivered when the exit comes; second is raised. */
static u32 combine(u32 first, u8 second)
{
	v.reinject = (struct vcpu_event){.info = VALID | first};
	v.events = EV_REINJECT;
	injections = 0;
	injected.info = 0;
	vcpu_exception(&v, second, second == X86_PF || second == X86_GP, 0);
	vcpu_prepare_entry(&v);
	assert_in_range(injections, 0, 1);
	return injected.info & 0xFF;
}

static void test_double_fault_table(void **state)
{
	/* contributory, page fault, benign, as first and second */
	assert_int_equal(combine(0xB00 | X86_GP, X86_NP), X86_DF);
	assert_int_equal(combine(0xB00 | X86_GP, X86_PF), X86_PF);
	assert_int_equal(combine(0xB00 | X86_GP, X86_UD), X86_UD);
	assert_int_equal(combine(0xB00 | X86_PF, X86_GP), X86_DF);
	assert_int_equal(combine(0xB00 | X86_PF, X86_PF), X86_DF);
	assert_int_equal(combine(0xB00 | X86_PF, X86_DB), X86_DB);
	assert_int_equal(combine(0x300 | X86_DE, X86_GP), X86_DF);
	assert_int_equal(combine(0x300 | X86_UD, X86_GP), X86_GP);
	assert_int_equal(combine(0x000 | X86_GP, X86_GP), X86_GP); /* an interrupt with vector 13 */
	assert_int_equal(combine(0x400 | X86_GP, X86_GP), X86_GP); /* INT 13 */
	assert_int_equal(combine(0x600 | X86_BP, X86_NP), X86_NP);
	assert_int_equal(fake_end, VM_RUNNING);
}

static void test_triple_fault(void **state)
{
	assert_int_equal(combine(0xB00 | X86_DF, X86_UD), X86_UD);
	assert_int_equal(triple_faults, 0);
	vcpu_gp(&v);
	vcpu_gp(&v);
	assert_int_equal(v.exception.info, VALID | 0xB00 | X86_DF);
	vcpu_page_fault(&v, 0, 0);
	assert_int_equal(triple_faults, 1);
	assert_int_equal(chained, 0);
	v.debug = DEBUG_EXCEPTIONS; /* the second time each is noted, with what was being delivered */
	v.events = 0;
	vcpu_exception(&v, X86_UD, false, 0);
	assert_int_equal(chain[0], X86_UD);
	vcpu_prepare_entry(&v);
	v.reinject = v.injected;
	v.events = EV_REINJECT;
	vcpu_gp(&v);
	assert_int_equal(chain[1], (0x300 | X86_UD) << 8 | X86_GP);
	assert_int_equal(chained, 2);
	v.debug = 0;
}

static void test_end(void **state)
{
	irr = 0x31;
	v.events = EV_END | EV_INTERRUPT;
	assert_false(vcpu_prepare_entry(&v));
	assert_false(vcpu_prepare_entry(&v)); /* it stays */
	assert_int_equal(injections, 0);
	v.halted = 1;
	assert_false(vcpu_prepare_entry(&v));
	assert_int_equal(waits, 0);
}

static void test_kick(void **state)
{
	cpu_count = 2;
	cpus[1].vcpu = &v;
	cpus[1].apic_id = 7;
	vcpu_kick(&v, EV_NMI);
	assert_int_equal(ipis, 0); /* runs here */
	fake_cpu.vcpu = NULL;
	vcpu_kick(&v, EV_INTERRUPT);
	assert_int_equal(ipis, 1);
	assert_int_equal(ipi_to, 7);
	assert_int_equal(v.events, EV_NMI | EV_INTERRUPT);
	cpus[1].vcpu = NULL;
	vcpu_kick(&v, EV_INTERRUPT);
	assert_int_equal(ipis, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing, setup),
		cmocka_unit_test_setup(test_interrupt, setup),
		cmocka_unit_test_setup(test_interrupt_window, setup),
		cmocka_unit_test_setup(test_second_interrupt_needs_window, setup),
		cmocka_unit_test_setup(test_extint, setup),
		cmocka_unit_test_setup(test_virtual_interrupts, setup),
		cmocka_unit_test_setup(test_nmi, setup),
		cmocka_unit_test_setup(test_reinject_first, setup),
		cmocka_unit_test_setup(test_exceptions, setup),
		cmocka_unit_test_setup(test_double_fault_table, setup),
		cmocka_unit_test_setup(test_triple_fault, setup),
		cmocka_unit_test_setup(test_end, setup),
		cmocka_unit_test_setup(test_kick, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
