/* What both vendors' exit handlers hand to shared code. Each works on v->regs and advances RIP by
 * ops->skip() when the instruction is done; on a fault it queues the exception and leaves RIP. */
#pragma once

#include "vm/vcpu.h"

void exit_cpuid(struct vcpu *v);
void exit_rdmsr(struct vcpu *v);
void exit_wrmsr(struct vcpu *v);
void exit_xsetbv(struct vcpu *v);
void exit_hlt(struct vcpu *v);
void exit_hypercall(struct vcpu *v);

/* INVD: dropping the host's dirty cache lines is not for a guest; doing nothing is a legal cache's answer. */
void exit_ignore(struct vcpu *v);

/* An x87 error while CR0.NE is 0, in no shadow: a PC has FERR# wired to IRQ 13, and the CPU stands before the
 * next waiting instruction until an interrupt comes (SDM 1 8.7.2). The guest's handler clears the error; real
 * CPUs could also be told to ignore it. */
void exit_ferr(struct vcpu *v);

/* A hardware task switch, which ends the VM. */
void exit_task_switch(struct vcpu *v, u16 selector);

/* Performs hypercall number of guest/pxhv.h, but for the no-op, and goes past it. */
void hypercall(struct vcpu *v, u32 number);

/* IN/OUT: not string. */
void exit_io(struct vcpu *v, u16 port, unsigned size, bool in);

/* The INS or OUTS at RIP, with or without REP. Does a bounded number of iterations a call and is simply
 * entered again for the rest. */
void exit_io_string(struct vcpu *v);

/* A guest-physical access outside RAM, or a write to ROM: decodes the instruction at RIP and performs it.
 * An instruction it does not know ends the VM with an autopsy, and so does the delivery of an event. */
void exit_mmio(struct vcpu *v, u64 gpa);

/* The same of a page table's entry, which nothing can be read from: ends the VM. */
void exit_page_walk(struct vcpu *v, u64 gpa);

/* Reads the CPU's own CPUID answers and applies the policy to them: once at boot. */
struct cpuid_regs;
void cpuid_policy_init(void);

/* Takes features away that the vendor cannot give (RDTSCP, INVPCID ...): the bits of one register (0 EAX, 1
 * EBX, 2 ECX, 3 EDX) of a leaf's first subleaf. Before a vcpu runs, after cpuid_policy_init(). */
void cpuid_policy_hide(u32 leaf, unsigned reg, u32 bits);

/* The vcpu's CPUID answer; leaves that are not shown are all zero. */
void vcpu_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *out);

/* The XCR0 bits that guests may set, 0 when there is no XSAVE. */
u64 cpuid_xcr0_mask(void);

/* Makes room for v's stored MSRs and its paravirtual clock, and gives them, and all that guests have in the
 * CPU itself, their reset values; on the CPU that will run v. 0 or -ENOMEM. */
int msr_create(struct vcpu *v);

/* MSR policy, for all but the LAPIC's (vm/lapic.h): 0 or -EPERM (#GP). Unknown MSRs are counted. */
int vcpu_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int vcpu_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* MSRs that need no exit, for the vendors' bitmaps: calls fn(arg, msr) for each. */
void msr_policy_passthrough(void (*fn)(void *arg, u32 msr), void *arg);
