/* The IDT, and what exceptions of the host come to. */
#include "host/cpu.h"
#include "host/fixup.h"
#include "host/gdt.h"
#include "host/irq.h"
#include "host/panic.h"

#define GATE_INTERRUPT 0x8E00 /* present, DPL 0, 64-bit interrupt gate (SDM 3A figure 6-8) */

#define STUB 4 /* bytes of one in traps.asm */

extern const u8 exception_stubs[], irq_stubs[];

struct gate {
	u16 offset_low, selector, ist_type, offset_mid;
	u32 offset_high, reserved;
};

static struct gate idt[256] __aligned(16);
u32 nmi_count;

static void fill(void)
{
	for (unsigned v = 0; v < 256; v++) {
		unsigned n = (v & ~15U) == VEC_FIRST ? v - VEC_FIRST : VEC_OTHER - VEC_FIRST;
		u32 stub = (u32)(u64)(v < 32 ? exception_stubs + v * STUB : irq_stubs + n * STUB);

		idt[v].offset_low = (u16)stub;
		idt[v].selector = HOST_CS;
		idt[v].ist_type = GATE_INTERRUPT;
		idt[v].offset_mid = (u16)(stub >> 16);
	}
	idt[X86_DF].ist_type |= 1;
	idt[X86_NMI].ist_type |= 2;
	idt[X86_MC].ist_type |= 3;
}

void idt_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed idtr = {sizeof(idt) - 1, (u64)idt};

	if (!idt[0].selector)
		fill();
	__asm__ volatile("lidt %0" ::"m"(idtr));
}

u64 idt_base(void)
{
	return (u64)idt;
}

void exception_handle(struct trap_frame *f);

void exception_handle(struct trap_frame *f)
{
	/* A guest's breakpoint at an address that is ours too: CPUs turn DR7 off at a VM exit, QEMU leaves it
	 * (svm/event.c). */
	if (f->vector == X86_DB) {
		f->rflags |= RFLAGS_RF;
		return;
	}

	u64 to = f->vector == X86_DF || f->vector == X86_MC ? 0 : fixup_find(f->rip);

	if (!to)
		panic_trap(f);
	f->rip = to;
}
