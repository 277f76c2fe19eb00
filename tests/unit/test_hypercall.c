/* Hypercalls. */
#include "fake_vcpu.h"
#include "guest/pxhv.h"

static char out[16];
static size_t out_len;

void vm_console_putc(struct vm *vm, u8 c)
{
	assert_true(vm->lock.taken);
	out[out_len++] = c;
}

static s64 call(u32 number, u64 arg)
{
	vcpu.regs[RAX] = 0xFFFFFFFF00000000 | number; /* only EAX counts */
	vcpu.regs[RBX] = arg;
	skipped = 0;
	exit_hypercall(&vcpu);
	assert_int_equal(skipped, 1);
	assert_true(vcpu.regs[RBX] == arg);
	return vcpu.regs[RAX];
}

static void calls(void **state)
{
	make_vcpu(64);
	out_len = 0;
	assert_int_equal(call(PXHV_HC_NOP, 0), 0);
	assert_int_equal(call(PXHV_HC_VERSION, 0), PXHV_VERSION);
	assert_int_equal(call(PXHV_HC_YIELD, 0), 0);
	for (const char *s = "ABC"; *s; s++)
		assert_int_equal(call(PXHV_HC_PUTC, *s), 0);
	assert_int_equal(out_len, 3);
	assert_memory_equal(out, "ABC", 3);
	assert_int_equal(ended, VM_RUNNING);
	assert_int_equal(call(PXHV_HC_SHUTDOWN, 0), 0);
	assert_int_equal(ended, VM_POWEROFF);
}

static void refused(void **state)
{
	make_vcpu(64);
	out_len = 0;
	assert_int_equal(call(1, 0), PXHV_ENOSYS); /* KVM's */
	assert_int_equal(call(PXHV_HC_NOP + 1, 0), PXHV_ENOSYS);
	segs[SEG_SS].attr = 0x60; /* level 3 */
	assert_int_equal(call(PXHV_HC_SHUTDOWN, 0), PXHV_EPERM);
	assert_int_equal(call(PXHV_HC_PUTC, 'X'), PXHV_EPERM);
	assert_int_equal(call(PXHV_HC_NOP, 0), 0);
	assert_int_equal(call(77, 0), PXHV_ENOSYS);
	assert_int_equal(ended, VM_RUNNING);
	assert_int_equal(out_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(calls), cmocka_unit_test(refused)};

	return cmocka_run_group_tests_name("hypercall", tests, NULL, NULL);
}
