/* CPUID's exits. The answers were made at boot, so that an exit is a look-up. */
#include "vm/cpuid.h"

#include "guest/pxhv.h"
#include "vm/exits.h"

struct cpuid_answer cpuid_answers[CPUID_SLOTS];

struct cpuid_answer *cpuid_find(u32 leaf)
{
	if (likely(leaf <= CPUID_MAX_BASIC))
		return &cpuid_answers[leaf];
	if (leaf >= 0x80000000 && leaf <= CPUID_MAX_EXT)
		return &cpuid_answers[CPUID_EXT + (leaf & 0xFF)];
	switch (leaf) {
	case 0x40000000:
		return &cpuid_answers[CPUID_HV_SIGNATURE];
	case 0x40000001:
		return &cpuid_answers[CPUID_HV_FEATURES];
	case 0x40000010:
		return &cpuid_answers[CPUID_HV_FREQUENCY];
	case PXHV_CPUID_SIGNATURE:
		return &cpuid_answers[CPUID_OWN_SIGNATURE];
	case PXHV_CPUID_FEATURES:
		return &cpuid_answers[CPUID_OWN_FEATURES];
	default:
		return NULL;
	}
}

static __noinline void exit_patched(struct vcpu *v)
{
	struct cpuid_regs r;

	vcpu_cpuid(v, v->regs[RAX], v->regs[RCX], &r);
	v->regs[RAX] = r.eax;
	v->regs[RBX] = r.ebx;
	v->regs[RCX] = r.ecx;
	v->regs[RDX] = r.edx;
	v->ops->skip(v, 0);
}

void exit_cpuid(struct vcpu *v)
{
	const struct cpuid_answer *a = cpuid_find(v->regs[RAX]);

	if (unlikely(!a || a->patch)) {
		exit_patched(v);
		return;
	}
	v->regs[RAX] = a->r.eax;
	v->regs[RBX] = a->r.ebx;
	v->regs[RCX] = a->r.ecx;
	v->regs[RDX] = a->r.edx;
	v->ops->skip(v, 0);
}
