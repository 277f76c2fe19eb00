/* What a triple fault leaves to tell. */
#include "fake_vcpu.h"

static struct vm_config config = {.name = "t"};
static unsigned debugs, sets;

void vcpu_get_state(struct vcpu *v, struct cpu_state *s)
{
	*s = (struct cpu_state){.rip = v->rip, .cr2 = 0x1234};
}

void vcpu_set_state(struct vcpu *v, const struct cpu_state *s)
{
	assert_int_equal(s->cr2, 0x1234);
	v->rip = s->rip;
	sets++;
}

static void debug(struct vcpu *v)
{
	debugs++;
}

static int setup(void **state)
{
	make_vcpu(64);
	vm.config = &config;
	ops.debug = debug;
	debugs = sets = 0;
	vcpu.timers.next = TIMER_NEVER;
	vcpu.watch.timer = (struct vtimer){.queue = &vcpu.timers, .deadline = TIMER_NEVER};
	vcpu.ring_pos = 100 * EXIT_POS;
	return 0;
}

static void second_run_tells(void **state)
{
	vcpu_triple_fault(&vcpu);
	assert_int_equal(vcpu.debug, DEBUG_EXCEPTIONS);
	assert_int_equal(debugs, 1);
	assert_int_equal(vcpu.events, 0);
	assert_int_equal(ended, VM_RUNNING);
	vcpu_chain_add(&vcpu, 0, X86_UD, 0);
	vcpu_chain_add(&vcpu, 0x306, X86_GP, 0x32);
	vcpu_chain_add(&vcpu, 0xB0D, X86_GP, 0x6A);
	vcpu.rip += 100;
	vcpu.ring_pos += 4 * EXIT_POS;
	vcpu_triple_fault(&vcpu);
	assert_int_equal(ended, VM_DIED);
	assert_string_equal(death,
			    "triple fault at rip 0x1000: #GP could not be delivered, nor the #DF after it");
	assert_int_equal(vcpu.debug, 0);
	assert_int_equal(vcpu.rip, CODE);
	assert_int_equal(vcpu_exits(&vcpu), 100);
	assert_int_equal(vcpu.chain.count, 3);
	assert_int_equal(vcpu.chain.fault[1].error, 0x32);
	assert_int_equal(vcpu.chain.fault[1].delivering, 0x306);
}

static void event_of_the_last_entry_goes_in_again(void **state)
{
	vcpu.injected.info = 0x80000030;
	vcpu.injected_at = 99;
	vcpu.events = EV_EXCEPTION;
	vcpu_triple_fault(&vcpu);
	assert_int_equal(vcpu.events, EV_REINJECT);
	assert_int_equal(vcpu.reinject.info, 0x80000030);
}

static void nothing_happens(void **state)
{
	vcpu_triple_fault(&vcpu);
	assert_in_range(vcpu.watch.timer.deadline, 1, fake_tsc + tsc_hz / 10);
	vcpu_replay_over(&vcpu);
	assert_string_equal(death, "triple fault at rip 0x1000");
	assert_int_equal(sets, 1);
}

static void too_many(void **state)
{
	vcpu_triple_fault(&vcpu);
	for (unsigned i = 0; i <= FAULT_CHAIN_MAX; i++)
		vcpu_chain_add(&vcpu, 0, X86_PF, i);
	assert_int_equal(ended, VM_DIED);
	assert_int_equal(vcpu.chain.count, FAULT_CHAIN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(second_run_tells, setup),
		cmocka_unit_test_setup(event_of_the_last_entry_goes_in_again, setup),
		cmocka_unit_test_setup(nothing_happens, setup),
		cmocka_unit_test_setup(too_many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
