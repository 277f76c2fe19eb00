/* Host interrupt vectors and who handles them. */
#pragma once

#include "lib/types.h"

/* In the host's IDT, above the exceptions. */
enum irq_vector {
	VEC_TIMER = 0x40,
	VEC_COM1 = 0x41,
	VEC_KEYBOARD = 0x42,
	VEC_KICK = 0x43, /* makes another CPU leave its guest */
	VEC_COM2 = 0x44,
	VEC_FREE = 0x50, /* first for disks and others */
	VEC_SPURIOUS = 0xFF,
};

typedef void (*irq_handler_t)(void);

/* Sets the handler of a vector (32..255). */
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
