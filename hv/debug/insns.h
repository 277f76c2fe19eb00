/* The instruction trace: a guest's first instructions, one by one, among the records of vm/trace.h. */
#pragma once

struct vm;

/* Has each vcpu of vm, which has not run yet and has no GDB, run step by step while its trace wants
 * instructions. The debugger that vm had comes back then. */
void insns_attach(struct vm *vm);

/* Ends that for v: whoever calls wants to step it. On its CPU, and not in the guest. */
struct vcpu;
void insns_end(struct vcpu *v);

/* Left out by WITHOUT=trace; then no config asks for it. */
#pragma weak insns_attach
#pragma weak insns_end
