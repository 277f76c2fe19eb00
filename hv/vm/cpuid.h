/* The answers to CPUID: vm/cpuid_policy.c makes them, vm/cpuid.c gives them. */
#pragma once

#include "host/cpu.h"
#include "lib/types.h"

struct vcpu;

/* Leaves shown: 0 to MAX_BASIC, 80000000h to MAX_EXT, and the hypervisor's. Each has a slot. */
#define CPUID_MAX_BASIC 0x16
#define CPUID_MAX_EXT	0x80000008
enum {
	CPUID_EXT = CPUID_MAX_BASIC + 1,
	CPUID_HV = CPUID_EXT + 9,
	CPUID_HV_SIGNATURE = CPUID_HV,
	CPUID_HV_FEATURES,
	CPUID_HV_FREQUENCY,
	CPUID_OWN_SIGNATURE,
	CPUID_OWN_FEATURES,
	CPUID_SLOTS
};

struct cpuid_answer {
	union {
		struct cpuid_regs r;
		u32 reg[4]; /* EAX, EBX, ECX, EDX */
	};
	/* Does to a copy what depends on the vcpu; NULL: nothing. */
	void (*patch)(struct vcpu *v, u32 subleaf, struct cpuid_regs *r);
} __aligned(32);

extern struct cpuid_answer cpuid_answers[CPUID_SLOTS];

/* A leaf's answer; NULL: it is not shown. */
struct cpuid_answer *cpuid_find(u32 leaf);
