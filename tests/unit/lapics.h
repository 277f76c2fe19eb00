/* A VM with three local APICs. */
#pragma once

#include <string.h>

#include "lib/errno.h"
#include "support.h"
#include "vm/vm.h"

#define CPUS 3

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

static inline void eoi(void *chip, u8 vector)
{
	assert_ptr_equal(chip, &vm);
	assert_true(vm.lock.taken);
	last_eoi = vector;
	eois++;
}

static inline void apic_mode(struct vcpu *v)
{
	mode_changes++;
}

static inline bool apic_irr(struct vcpu *v, u8 vector)
{
	if (take)
		taken = vector;
	return take;
}

static const struct vcpu_ops ops = {.apic_mode = apic_mode, .apic_irr = apic_irr};
static struct vcpu *const v = &vcpus[0];

static inline u32 get(u32 reg)
{
	return lapic_read(v, reg);
}

static inline void set(u32 reg, u32 val)
{
	lapic_write(v, reg, val);
}

static inline int setup(void **state)
{
	fake_reset(state);
	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	pages_used = mode_changes = 0;
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
	v->events = eois = 0;
	return 0;
}

static inline int setup_x2apic(void **state)
{
	setup(state);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(lapic_wrmsr(&vcpus[i], 0x1B, vcpus[i].lapic.base | APIC_BASE_EXTD), 0);
	v->events = 0;
	return 0;
}

static inline bool requested(unsigned cpu, u8 vector)
{
	return *(u32 *)(pages[cpu] + LAPIC_IRR + vector / 32 * 16) >> (vector & 31) & 1;
}
