#include "support.h"

#include <string.h>

#include "host/cpu.h"
#include "vm/vm.h"

#define VALID 0x80000000u

static struct vm vm;
static struct vm_config config = {.name = "i"};
static struct vcpu v;
static struct vcpu_event injected;
static unsigned injections, waits;
static bool interruptible, nmi_ok, int_window, nmi_window;
static int irr, isr;  /* the LAPIC: one vector each, -1 for none */
static int after_ack; /* what is pending once irr is acknowledged */
static bool extint_ok;
static u64 cr2, rflags;
static void (*on_wait)(void);
static void (*handlers[256])(void);
static u32 ipi_to, chain[4];
static unsigned ipis, triple_faults, chained;

int lapic_pending(struct vcpu *vc)
{
	return irr;
}

void lapic_ack(struct vcpu *vc, u8 vector)
{
	assert_int_equal(vector, irr);
	isr = irr;
	irr = after_ack;
	after_ack = -1;
}

bool lapic_accepts_extint(struct vcpu *vc)
{
	return extint_ok;
}

void irq_set_handler(u8 vector, void (*fn)(void))
{
	handlers[vector] = fn;
}

void apic_send_ipi(u32 apic_id, u8 vector)
{
	ipi_to = apic_id;
	ipis++;
}

void console_poll(void)
{
}

void vm_console_input(void)
{
}

void vm_console_flush(struct vm *m)
{
}

void wait_for_interrupt(void)
{
	waits++;
	assert_in_range(waits, 0, 20);
	on_wait();
}

static u64 get(struct vcpu *vc, enum vreg r)
{
	return r == VREG_RFLAGS ? rflags : r == VREG_RIP ? 0x7C00 : 0;
}

static void set(struct vcpu *vc, enum vreg r, u64 val)
{
	assert_int_equal(r, VREG_CR2);
	cr2 = val;
}

static void inject(struct vcpu *vc, const struct vcpu_event *e)
{
	injected = *e;
	injections++;
}

static bool can_take_interrupt(struct vcpu *vc)
{
	return interruptible;
}

static bool can_take_nmi(struct vcpu *vc)
{
	return nmi_ok;
}

static void set_int_window(struct vcpu *vc, bool on)
{
	int_window = on;
}

static void set_nmi_window(struct vcpu *vc, bool on)
{
	nmi_window = on;
}

static const struct vcpu_ops ops = {
	.get = get,
	.set = set,
	.inject = inject,
	.can_take_interrupt = can_take_interrupt,
	.can_take_nmi = can_take_nmi,
	.interrupt_window = set_int_window,
	.nmi_window = set_nmi_window,
};

static int ack_8259(void *chip)
{
	assert_true(vm.lock.taken);
	vm.extint = false;
	return 0x28;
}

static int setup(void **state)
{
	fake_reset(state);
	memset(&vm, 0, sizeof(vm));
	memset(&v, 0, sizeof(v));
	vm.config = &config;
	vm.vcpu_count = 1;
	vm.vcpus[0] = &v;
	vm.extint_ack = ack_8259;
	v.vm = &vm;
	v.ops = &ops;
	v.timers.next = TIMER_NEVER;
	fake_cpu.vcpu = &v;
	cpu_count = 1;
	injections = waits = ipis = triple_faults = chained = 0;
	interruptible = nmi_ok = extint_ok = true;
	int_window = nmi_window = false;
	irr = isr = after_ack = -1;
	rflags = RFLAGS_IF;
	vm_host_init();
	return 0;
}

/* Prepares an entry that must inject info, or nothing for 0. */
static void expect_entry(u32 info)
{
	injections = 0;
	assert_true(vcpu_prepare_entry(&v));
	assert_int_equal(injections, info ? 1 : 0);
	if (info)
		assert_int_equal(injected.info, info);
	assert_false(vm.lock.taken);
}

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

void vcpu_triple_fault(struct vcpu *vc)
{
	triple_faults++;
}

void vcpu_chain_add(struct vcpu *vc, u32 delivering, u8 vector, u32 error)
{
	chain[chained++ % 4] = delivering << 8 | vector;
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

static void raise(void *dev, u64 deadline)
{
	assert_true(vm.lock.taken);
	irr = 0x20;
	vcpu_kick(&v, EV_INTERRUPT);
}

static void test_timer(void **state)
{
	struct vtimer t, later;

	vtimer_init(&t, &v.timers, raise, NULL);
	vtimer_init(&later, &v.timers, raise, NULL);
	vtimer_arm(&t, 100);
	vtimer_arm(&later, 500);
	assert_int_equal(fake_cpu.timer_deadline, 100);
	fake_tsc = 100;
	handlers[0x40]();
	assert_int_equal(v.events, EV_TIMER);
	expect_entry(VALID | 0x20);
	assert_int_equal(fake_cpu.timer_deadline, 500);
	fake_cpu.vcpu = NULL; /* nobody's interrupt is harmless */
	handlers[0x40]();
	assert_int_equal(v.events, 0);
}

static void timer_fires(void)
{
	assert_int_not_equal(fake_cpu.timer_deadline, TIMER_NEVER);
	fake_tsc = fake_cpu.timer_deadline;
	handlers[0x40]();
}

static void test_halt_until_timer(void **state)
{
	struct vtimer t;

	vtimer_init(&t, &v.timers, raise, NULL);
	vtimer_arm(&t, 1000);
	on_wait = timer_fires;
	v.halted = 1;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x20);
	assert_int_equal(waits, 1);
	assert_int_equal(v.halted, 0);
	assert_int_equal(fake_cpu.timer_deadline, TIMER_NEVER);
}

static void nothing_then_nmi(void)
{
	if (waits == 3) {
		v.nmi_pending = true;
		vcpu_kick(&v, EV_NMI);
	}
}

static void test_halt_masked(void **state)
{
	interruptible = false;
	rflags = 0;
	irr = 0x31; /* does not wake a CPU with IF=0 */
	on_wait = nothing_then_nmi;
	v.halted = 1;
	v.events = EV_INTERRUPT;
	expect_entry(VALID | 0x202);
	assert_int_equal(waits, 3);
	assert_true(int_window);
}

static void end_it(void)
{
	vcpu_kick(&v, EV_END);
}

static void test_halt_end(void **state)
{
	on_wait = end_it;
	v.halted = 1;
	v.events = EV_INTERRUPT;
	assert_false(vcpu_prepare_entry(&v));
	assert_int_equal(waits, 1);
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
		cmocka_unit_test_setup(test_timer, setup),
		cmocka_unit_test_setup(test_halt_until_timer, setup),
		cmocka_unit_test_setup(test_halt_masked, setup),
		cmocka_unit_test_setup(test_halt_end, setup),
		cmocka_unit_test_setup(test_kick, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
