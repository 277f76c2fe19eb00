/* The IDT, and what exceptions of the host come to. */
#include "host/cpu.h"
#include "host/fixup.h"
#include "host/gdt.h"
#include "host/irq.h"
#include "host/panic.h"

#define GATE_INTERRUPT 0x8E00 /* present, DPL 0, 64-bit interrupt gate (SDM 3A figure 6-8) */

/* The layout of the stubs in traps.asm. */
#define EXCEPTION_STUB	9
#define IRQ_STUB	4
#define IRQ_GROUP	32
#define IRQ_GROUP_BYTES (IRQ_STUB * IRQ_GROUP + 5)

extern const u8 exception_stubs[], irq_stubs[];

struct gate {
	u16 offset_low, selector, ist_type, offset_mid;
	u32 offset_high, reserved;
};

static struct gate idt[256] __aligned(16);
u32 nmi_count;

static unsigned ist_of(unsigned vector)
{
	return vector == X86_DF ? 1 : vector == X86_NMI ? 2 : vector == X86_MC ? 3 : 0;
}

static void fill(void)
{
	for (unsigned v = 0; v < 256; v++) {
		unsigned n = v - 32;
		u64 stub =
			v < 32 ? (u64)exception_stubs + v * EXCEPTION_STUB
			       : (u64)irq_stubs + n / IRQ_GROUP * IRQ_GROUP_BYTES + n % IRQ_GROUP * IRQ_STUB;

		idt[v] =
			(struct gate){(u16)stub,	 HOST_CS,	    (u16)(GATE_INTERRUPT | ist_of(v)),
				      (u16)(stub >> 16), (u32)(stub >> 32), 0};
	}
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
