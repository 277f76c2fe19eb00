/* Host interrupt vectors and who handles them. */
#pragma once

#include "lib/types.h"

/* In the host's IDT, above the exceptions: those that have a stub (traps.asm). */
enum irq_vector {
	VEC_FIRST = 0x40,
	VEC_TIMER = VEC_FIRST,
	VEC_COM1,
	VEC_KEYBOARD,
	VEC_KICK, /* makes another CPU leave its guest */
	VEC_COM2,
	VEC_DISK,  /* of all drives */
	VEC_OTHER, /* any that nobody asked for */
	VEC_SPURIOUS = 0x4F,
};

typedef void (*irq_handler_t)(void);

/* Sets the handler of a vector. */
void irq_set_handler(u8 vector, irq_handler_t fn);

/* Runs the handler of vector and sends the EOI. Called by the IDT stubs and, for an interrupt that was
 * acknowledged by a VM exit, by the exit handler. */
void irq_handle(u8 vector);

/* The exception frame that the IDT stubs build. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* NMIs that came while the host ran, and that are the guest's to see: counted by the NMI handler. */
extern u32 nmi_count;
