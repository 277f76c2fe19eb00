/* The life of a VM, with a vendor that does nothing. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "vm/exits.h"
#include "vm/vm.h"

static struct vm_config config;
static unsigned creates, destroys, memories, runs;
static int create_error, devices_error, run_result;
static void (*guest)(struct vm *vm);
static struct slat_format format;

int vm_memory_create(struct vm *vm, u64 bytes)
{
	memories++;
	vm->memory_size = bytes;
	return 0;
}

void vm_memory_destroy(struct vm *vm)
{
	memories--;
}

int slat_init(struct slat *s, const struct slat_format *fmt, unsigned max_level)
{
	assert_ptr_equal(fmt, &format);
	assert_int_equal(max_level, 2);
	return 0;
}

void slat_destroy(struct slat *s)
{
}

int msr_create(struct vcpu *v)
{
	return 0;
}

int lapic_create(struct vcpu *v)
{
	assert_int_equal(v->timers.next, TIMER_NEVER);
	v->lapic.page = vm_zalloc(v->vm, PAGE_SIZE);
	return v->lapic.page ? 0 : -ENOMEM;
}

int devices_create(struct vm *vm)
{
	assert_ptr_equal(vm_timers(vm), &vm->vcpus[0]->timers);
	return devices_error;
}

void vm_console_create(struct vm *vm)
{
}

void vm_console_activate(struct vm *vm)
{
}

void vm_console_release(struct vm *vm)
{
}

void vm_console_leave(struct vm *vm)
{
}

void host_timer_rearm(u64 deadline)
{
	assert_int_equal(deadline, TIMER_NEVER);
}

void vcpu_kick(struct vcpu *v, u32 events)
{
	v->events |= events;
}

static unsigned max_level(void)
{
	return 2;
}

static const char *no_real_mode(void)
{
	return "it is a test";
}

static int create(struct vcpu *v)
{
	creates++;
	assert_non_null(v->lapic.page);
	assert_int_equal((u64)v % 64, 0);
	assert_int_equal((u64)v->lapic.page % PAGE_SIZE, 0);
	return create_error;
}

static void destroy(struct vcpu *v)
{
	destroys++;
}

static int run(struct vcpu *v)
{
	assert_ptr_equal(fake_cpu.vcpu, v);
	assert_int_equal(v->events, EV_TIMER | EV_INTERRUPT);
	runs++;
	if (guest)
		guest(v->vm);
	return run_result;
}

static const struct vcpu_ops ops = {
	.name = "test",
	.vcpu_size = sizeof(struct vcpu) + 100,
	.slat = &format,
	.slat_max_level = max_level,
	.no_real_mode = no_real_mode,
	.create = create,
	.destroy = destroy,
	.run = run,
};

static int setup(void **state)
{
	fake_reset(state);
	config = (struct vm_config){.name = "t", .kind = GUEST_LINUX, .memory = 64 * MiB, .cpus = 1};
	creates = destroys = memories = runs = 0;
	create_error = devices_error = run_result = 0;
	guest = NULL;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(fake_pages_used, 0);
	assert_int_equal(memories, 0);
	return 0;
}

static void test_create(void **state)
{
	struct vm *a = vm_create(&config, &ops), *b = vm_create(&config, &ops);

	assert_non_null(a);
	assert_int_not_equal(a->id, b->id);
	assert_int_equal(a->vcpu_count, 1);
	assert_int_equal(vm_memory_size(a), 64 * MiB);
	assert_false(vm_wants_debug_exit(a));
	vm_destroy(a);
	vm_destroy(b);
	assert_int_equal(creates, 2);
	assert_int_equal(destroys, 2);
}

static void test_refusals(void **state)
{
	config.cpus = 2;
	assert_null(vm_create(&config, &ops));
	assert_string_equal(captured(), "vm 't': cpus = 2, but this version runs 1 CPU per VM\n");
	config.cpus = 1;
	config.kind = GUEST_FLAT;
	config.flat_bits = 16;
	captured_reset();
	assert_null(vm_create(&config, &ops));
	assert_string_equal(captured(),
			    "vm 't': starts in real mode, which test here cannot run: it is a test\n");
}

static void test_failures(void **state)
{
	create_error = -ENODEV;
	assert_null(vm_create(&config, &ops));
	assert_string_equal(captured(), ""); /* who failed has said so */
	assert_int_equal(destroys, 1);
	create_error = 0;
	devices_error = -ENOSPC;
	assert_null(vm_create(&config, &ops));
	assert_int_equal(destroys, 2);
	for (u64 pages = 0;; pages++) {
		struct vm *vm;

		devices_error = 0;
		fake_pages_left = pages;
		vm = vm_create(&config, &ops);
		if (vm) {
			assert_true(pages > 16);
			vm_destroy(vm);
			return;
		}
		assert_int_equal(fake_pages_used, 0);
	}
}

static void test_heap(void **state)
{
	struct vm *vm = vm_create(&config, &ops);
	u8 *small = vm_zalloc(vm, 10), *next = vm_zalloc(vm, 100), *page = vm_zalloc(vm, 2 * PAGE_SIZE);

	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(i < 10 && small[i], 0);
		assert_int_equal(next[i], 0);
	}
	assert_true(next >= small + 10);
	assert_int_equal((u64)page % PAGE_SIZE, 0);
	memset(page, 1, 2 * PAGE_SIZE);
	memset(next, 1, 100);
	assert_int_equal(small[9], 0);
	unsigned runs_made = 0;
	while (vm_zalloc(vm, PAGE_SIZE - 1))
		assert_in_range(++runs_made, 0, 4 * VM_MAX_HEAP_RUNS);
	vm_destroy(vm);
}

static void power_off(struct vm *vm)
{
	vm_end(vm, VM_DEBUG_EXIT, 7);
	vm_end(vm, VM_REBOOT, 1); /* too late */
	vm_died(vm, "too late");
	assert_true(vm->vcpus[0]->events & EV_END);
}

static void die(struct vm *vm)
{
	vm_died(vm, "because of %d", 42);
	assert_true(vm->vcpus[0]->events & EV_END);
}

static void test_run(void **state)
{
	struct vm *vm = vm_create(&config, &ops);

	guest = power_off;
	assert_int_equal(vm_run(vm), VM_DEBUG_EXIT);
	assert_int_equal(vm->end_status, 7);
	assert_null(fake_cpu.vcpu);
	vm_destroy(vm);

	vm = vm_create(&config, &ops);
	guest = die;
	assert_int_equal(vm_run(vm), VM_DIED);
	assert_string_equal(vm->end_reason, "because of 42");
	vm_destroy(vm);

	vm = vm_create(&config, &ops);
	guest = NULL;
	run_result = -EIO;
	assert_int_equal(vm_run(vm), VM_DIED);
	assert_string_equal(vm->end_reason, "test could not run it");
	vm_destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_run, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
