/* The paravirtual clock in KVM's layout (Linux Documentation/virt/kvm/x86/msr.rst, cpuid.rst): the guest
 * reads the time from a page of its own with RDTSC and a multiplication, without an exit. */
#pragma once

#include "lib/types.h"

struct vcpu;

#define MSR_KVM_WALL_CLOCK_OLD	0x11
#define MSR_KVM_SYSTEM_TIME_OLD 0x12
#define MSR_KVM_WALL_CLOCK	0x4B564D00
#define MSR_KVM_SYSTEM_TIME	0x4B564D01

struct pvclock_time { /* struct pvclock_vcpu_time_info of msr.rst */
	u32 version;  /* odd while it is being written */
	u32 pad0;
	u64 tsc_timestamp; /* guest TSC at which ... */
	u64 system_time;   /* ... this many ns had passed since TSC 0 of the host */
	u32 tsc_to_system_mul;
	s8 tsc_shift;
	u8 flags;
	u8 pad[2];
};

struct pvclock_wall {
	u32 version;
	u32 sec, nsec; /* since 1970, at system_time 0 */
};

#define PVCLOCK_TSC_STABLE 1 /* flags: the vcpus agree about the time */

/* The multiplier and shift for a TSC of hz (not 0): ns = (ticks << shift) * mul >> 32, a negative shift to
 * the right. */
void pvclock_scale(u64 hz, u32 *mul, s8 *shift);

/* MSR writes of the guest: bit 0 of the system time's enables it, the rest is a guest-physical address (a
 * multiple of 4). An address that is not in RAM is taken and nothing written there. */
void pvclock_write_wall(struct vcpu *v, u64 val);
void pvclock_write_system(struct vcpu *v, u64 val);

/* The guest's TSC was set anew: tells its page. */
void pvclock_tsc_changed(struct vcpu *v);

/* Makes room for v's clock, which is off: 0 or -ENOMEM. */
int pvclock_create(struct vcpu *v);
