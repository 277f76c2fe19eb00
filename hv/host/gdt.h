/* The host's segments and the running CPU's descriptor tables. The selectors are fixed: the VMCS host state
 * names them, and so does the BIOS thunk. */
#pragma once

#define HOST_CS 0x08
#define HOST_DS 0x10
#define HOST_TR 0x18

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* Linear addresses of the running CPU's GDT and TSS, and of the IDT that all CPUs share. */
u64 gdt_base(void);
u64 tss_base(void);
u64 idt_base(void);

/* Calls fn for each guard page of the CPU: one below each of its stacks. */
struct cpu;
void cpu_for_each_guard(const struct cpu *c, void (*fn)(void *page));

/* Fills the IDT (once) and loads it on the running CPU. */
void idt_load(void);
#endif
