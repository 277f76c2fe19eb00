/* The exit trace of a vcpu: every exit with the ticks that it took, in memory that whoever watches the PC
 * from outside reads at the end (tools/pxhvlib/trace.py, which knows this layout). The oldest records give
 * way to the newest. */
#pragma once

#include "host/tsc.h"
#include "vm/vcpu.h"

#define TRACE_MAGIC   0x3165636172747870ULL /* "pxtrace1" */
#define TRACE_BUCKETS 32

struct trace {
	u64 magic;
	u64 capacity; /* of records */
	u64 written;  /* ever; record n is records[n % capacity] */
	u64 tsc_hz;
	u64 begin, end; /* TSC when the trace was made, and when it was last finished */
	u64 vcpu;
	u64 insns; /* that are still to be recorded */
	char vendor[8];
	char vm[32];
	/* Exits by their reason's low byte and by the power of 2 in the ticks they took: [n] is 2^n to
	 * 2^(n+1) - 1. Complete also where records were lost. */
	u32 histogram[EXIT_KINDS][TRACE_BUCKETS];
	struct exit_record records[];
};

/* A trace in size bytes of memory, for the vcpu of that number, of its exits and its first insns
 * instructions; its place is reported to whoever watches. NULL: no such memory. It is never freed. */
struct trace *trace_create(const char *vm, u32 vcpu, u64 size, u32 insns);

/* Traces v, which has not run yet, if there was memory for the trace that its VM's config wants. What comes
 * before its first exit is a record of the reason TRACE_START. */
void trace_begin(struct vcpu *v);
#define TRACE_START 0xFF3E

/* Adds a record of the instruction at the linear address pc, which v is about to run and begins with code, of
 * the reason TRACE_INSN. It may come before older exits' records. */
void trace_insn(struct vcpu *v, u64 pc, u64 code);
#define TRACE_INSN 0xFF3F

/* Ends the tracing of v, which is traced: what its ring still holds goes to the trace. */
void trace_finish(struct vcpu *v);

/* The whole ring goes to v's trace. */
void trace_save_ring(struct vcpu *v);

/* Left out by WITHOUT=trace; then no config asks for it. */
#pragma weak trace_create
#pragma weak trace_begin
#pragma weak trace_insn
#pragma weak trace_finish
#pragma weak trace_save_ring

/* Ends the vendors' trace_exit, which runs right before an entry and is short: completes r, the last record
 * of v, and counts it. */
static inline void trace_complete(struct vcpu *v, struct exit_record *r, u64 kind, u64 detail)
{
	u64 ticks = tsc_now() - r->tsc, bucket = 0;

	__asm__("bsr %1, %0" : "+r"(bucket) : "r"(ticks) : "cc"); /* of 0: nothing */
	r->ticks = (u32)ticks;
	if (unlikely(bucket >= TRACE_BUCKETS)) {
		__asm__ volatile(""); /* a branch costs less than conditional moves */
		r->ticks = ~0U;
		bucket = TRACE_BUCKETS - 1;
	}
	r->detail = detail;
	v->trace->histogram[kind][bucket]++;
	if (unlikely((u8)v->ring_pos == (u8) - (sizeof(*r) / 8))) /* the ring's last */
		trace_save_ring(v);
}
