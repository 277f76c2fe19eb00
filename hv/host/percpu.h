/* What every CPU owns, reached through GS. */
#pragma once

#include "lib/types.h"

struct vcpu;

#define MAX_CPUS 32

struct cpu {
	struct cpu *self;  /* at GS:0 */
	struct vcpu *vcpu; /* running or last run here, else NULL */
	u32 index;	   /* 0 is the CPU that booted */
	u32 apic_id;
	u64 timer_deadline; /* TSC for which the LAPIC timer is armed, ~0 when it is not */
	u64 interrupts;	    /* external interrupts taken by the host */
	void *vendor;	    /* VMXON region or host save area */
	void *arch;	    /* GDT, TSS and stacks (host/gdt.c) */
};

extern struct cpu cpus[MAX_CPUS];
extern u32 cpu_count; /* CPUs in cpus[] that run */

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/* Loads GDT, TSS, IDT and GS base on the running CPU, with the IST stacks of c. */
void cpu_init(struct cpu *c);
