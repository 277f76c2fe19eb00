/* host/cpu.h for unit tests: what a process may not do becomes a function that the test can supply. */
#pragma once

#define cpuid		   cpuid_real
#define rdmsr		   rdmsr_real
#define wrmsr		   wrmsr_real
#define xgetbv		   xgetbv_real
#define cli		   cli_real
#define wait_for_interrupt wait_for_interrupt_real
#define inb		   inb_real
#define inl		   inl_real
#define outb		   outb_real
#define outl		   outl_real
#include_next "host/cpu.h"
#undef cpuid
#undef rdmsr
#undef wrmsr
#undef xgetbv
#undef cli
#undef wait_for_interrupt
#undef inb
#undef inl
#undef outb
#undef outl

struct cpuid_regs cpuid(u32 leaf, u32 subleaf); /* support.c: this PC's own answer */
u64 rdmsr(u32 msr);				/* support.c: 0 */
void wrmsr(u32 msr, u64 val);			/* support.c: nothing */
u64 xgetbv(u32 xcr);				/* support.c: 7 */
void cli(void);
u8 inb(u16 port); /* support.c: all ones, nothing is there; and writes go nowhere */
u32 inl(u16 port);
void outb(u16 port, u8 val);
void outl(u16 port, u32 val);
void wait_for_interrupt(void); /* support.c: moves fake_tsc to fake_cpu's timer deadline */
