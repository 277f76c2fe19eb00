/* A vcpu before its entries into the guest: its LAPIC, its vcpu_ops and the CPU under it by hand. */
#pragma once

#include <string.h>

#include "host/cpu.h"
#include "support.h"
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

void vcpu_triple_fault(struct vcpu *vc)
{
	triple_faults++;
}

void vcpu_chain_add(struct vcpu *vc, u32 delivering, u8 vector, u32 error)
{
	chain[chained++ % 4] = delivering << 8 | vector;
}

static inline u64 get(struct vcpu *vc, enum vreg r)
{
	return r == VREG_RFLAGS ? rflags : r == VREG_RIP ? 0x7C00 : 0;
}

static inline void set(struct vcpu *vc, enum vreg r, u64 val)
{
	assert_int_equal(r, VREG_CR2);
	cr2 = val;
}

static inline void inject(struct vcpu *vc, const struct vcpu_event *e)
{
	injected = *e;
	injections++;
}

static inline bool can_take_interrupt(struct vcpu *vc)
{
	return interruptible;
}

static inline bool can_take_nmi(struct vcpu *vc)
{
	return nmi_ok;
}

static inline void set_int_window(struct vcpu *vc, bool on)
{
	int_window = on;
}

static inline void set_nmi_window(struct vcpu *vc, bool on)
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

static inline int ack_8259(void *chip)
{
	assert_true(vm.lock.taken);
	vm.extint = false;
	return 0x28;
}

static inline int setup(void **state)
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
static inline void expect_entry(u32 info)
{
	injections = 0;
	assert_true(vcpu_prepare_entry(&v));
	assert_int_equal(injections, info ? 1 : 0);
	if (info)
		assert_int_equal(injected.info, info);
	assert_false(vm.lock.taken);
}
