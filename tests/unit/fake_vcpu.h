/* A vcpu for the tests of what runs at exits: registers and segments by hand, RAM and ROM slots of a page
 * array, faults and skips recorded. */
#pragma once

#include <string.h>

#include "host/cpu.h"
#include "lib/errno.h"
#include "support.h"
#include "vm/exits.h"
#include "vm/vm.h"

#define RAM_SIZE 0x20000
#define ROM_GPA	 0xF0000
#define ROM_SIZE 0x1000
#define CODE	 0x1000

static struct vm vm;
static struct vcpu vcpu;
static u8 ram[RAM_SIZE], rom[ROM_SIZE];
static u64 vregs[16], cr2;
static struct segment segs[SEG_ALL];
static unsigned skipped;
static int exception; /* the last vector, -1 for none */
static u32 exception_error;
static enum vm_end ended;
static char death[96]; /* vm_died()'s reason */

static u64 fake_get(struct vcpu *v, enum vreg r)
{
	return r == VREG_RIP ? v->rip : vregs[r];
}

static void fake_set(struct vcpu *v, enum vreg r, u64 val)
{
	vregs[r] = val;
}

static void fake_get_seg(struct vcpu *v, enum seg s, struct segment *out)
{
	*out = segs[s];
}

static void fake_skip(struct vcpu *v, unsigned len)
{
	skipped += len ? len : 1;
	v->rip += len;
}

static struct vcpu_ops ops = {.get = fake_get, .set = fake_set, .get_seg = fake_get_seg, .skip = fake_skip};

void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	exception = vector;
	exception_error = error;
}

void vcpu_page_fault(struct vcpu *v, u64 addr, u32 error)
{
	cr2 = addr;
	vcpu_exception(v, X86_PF, true, error);
}

void vm_end(struct vm *vm, enum vm_end how, u32 status)
{
	ended = how;
}

void vm_died(struct vm *vm, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(death, sizeof(death), fmt, ap);
	va_end(ap);
	ended = VM_DIED;
}

/* A fresh vcpu at CODE, at level 0, paging off, in code of bits 16, 32 or 64. */
static inline void make_vcpu(unsigned bits)
{
	fake_reset(NULL);
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(ram, 0, sizeof(ram));
	memset(rom, 0, sizeof(rom));
	memset(vregs, 0, sizeof(vregs));
	memset(segs, 0, sizeof(segs));
	skipped = 0;
	exception = -1;
	ended = VM_RUNNING;
	vm.vcpu_count = 1;
	vm.vcpus[0] = &vcpu;
	vm.slot_count = 2;
	vm.slots[0] = (struct memslot){.gpa = 0, .size = RAM_SIZE, .host = ram};
	vm.slots[1] = (struct memslot){.gpa = ROM_GPA, .size = ROM_SIZE, .host = rom, .readonly = true};
	vcpu.vm = &vm;
	vcpu.ops = &ops;
	vcpu.rip = CODE;
	vcpu.lapic.base = LAPIC_BASE | APIC_BASE_EN | APIC_BASE_BSP;
	vregs[VREG_CR0] = bits == 16 ? 0 : CR0_PE;
	vregs[VREG_RFLAGS] = RFLAGS_FIXED;
	segs[SEG_CS].attr = bits == 64 ? 0xA09B : bits == 32 ? 0xC09B : 0x9B;
	for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
		segs[i].limit = bits == 16 ? 0xFFFF : ~0U;
		if (i != SEG_CS)
			segs[i].attr = bits == 16 ? 0x93 : 0xC093;
	}
	if (bits == 64)
		vregs[VREG_EFER] = EFER_LME | EFER_LMA;
}
