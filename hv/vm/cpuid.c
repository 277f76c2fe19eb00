/* The CPUID policy: what guests see of the CPU. The CPU's own answers are read and filtered once, at boot, so
 * that an exit is a look-up; what depends on the vcpu is patched in then. */
#include "guest/pxhv.h"
#include "host/cpu.h"
#include "host/tsc.h"
#include "lib/string.h"
#include "vm/exits.h"
#include "vm/vm.h"

#define B(n) (1u << (n))
#define ALL  ~0u

/* Leaves shown: 0 to MAX_BASIC, 80000000h to MAX_EXT, and the hypervisor's. Each has a slot. */
#define MAX_BASIC 0x16
#define MAX_EXT	  0x80000008
#define EXT_SLOT  (MAX_BASIC + 1)
#define HV_SLOT	  (EXT_SLOT + 9)
enum { HV_SIGNATURE = HV_SLOT, HV_FEATURES, HV_FREQUENCY, PXHV_SIGNATURE_SLOT, PXHV_FEATURES_SLOT, SLOTS };

#define SUBLEAVES    8	/* of the cache leaf */
#define XSTATE_AREAS 10 /* XCR0 bits 2 to 9 have a subleaf */

/* XCR0 bits that guests get: x87, SSE, AVX, AVX-512, PKRU. */
#define XCR0_SHOWN 0x2E7ULL

typedef void (*patch_t)(struct vcpu *v, u32 subleaf, struct cpuid_regs *r);

static struct answer {
	struct cpuid_regs r;
	patch_t patch;
} __aligned(32) answers[SLOTS];
static struct cpuid_regs cache_leaf[SUBLEAVES], xstate_leaf[XSTATE_AREAS];

static u32 apic_bits(const struct vcpu *v)
{
	return v->vm->vcpu_count > 1 ? 32 - __builtin_clz(v->vm->vcpu_count - 1) : 0;
}

static __cold void patch_features(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	u32 count = v->vm->vcpu_count;

	r->ebx |= v->index << 24 | count << 16;
	if (count > 1)
		r->edx |= B(28); /* HTT: the count in EBX means something */
	if (!(v->lapic.base & APIC_BASE_EN))
		r->edx &= ~B(9); /* APIC */
	if (v->ops->get(v, VREG_CR4) & CR4_OSXSAVE)
		r->ecx |= B(27);
}

static __cold void patch_caches(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	u32 level, last = v->vm->vcpu_count - 1;

	*r = subleaf < SUBLEAVES ? cache_leaf[subleaf] : (struct cpuid_regs){0};
	if (!(r->eax & 0x1F))
		return;
	/* Bits 25-14: how many share it; 31-26: cores, both less one. Caches above level 2 are shared by all.
	 */
	level = r->eax >> 5 & 7;
	r->eax = (r->eax & 0x3FFF) | last << 26 | (level > 2 ? last << 14 : 0);
}

static __cold void patch_structured(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	if (subleaf)
		*r = (struct cpuid_regs){0};
	else if (v->ops->get(v, VREG_CR4) & CR4_PKE && r->ecx & B(3))
		r->ecx |= B(4); /* OSPKE */
}

static __cold void patch_topology(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	*r = (struct cpuid_regs){.ecx = subleaf & 0xFF, .edx = v->index};
	if (subleaf == 0) { /* one thread a core */
		r->ebx = 1;
		r->ecx |= 1 << 8;
	} else if (subleaf == 1) {
		r->eax = apic_bits(v);
		r->ebx = v->vm->vcpu_count;
		r->ecx |= 2 << 8;
	}
}

/* Sizes by XCR0, in the standard and in the compacted format (SDM 1 13.4). */
static __cold void patch_xstate(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	u64 xcr0 =
		cpuid_xcr0_mask() ? xgetbv(0) : 1; /* the guest's own; some CPUs let XSETBV through unseen */
	u32 standard = 576, compact = 576;

	if (subleaf >= 2) {
		*r = subleaf < XSTATE_AREAS ? xstate_leaf[subleaf] : (struct cpuid_regs){0};
		return;
	}
	for (unsigned i = 2; i < XSTATE_AREAS; i++) {
		const struct cpuid_regs *x = &xstate_leaf[i];

		if (!(xcr0 & BIT(i)))
			continue;
		standard = MAX(standard, x->ebx + x->eax);
		compact = (x->ecx & 2 ? ALIGN_UP(compact, 64) : compact) + x->eax;
	}
	if (subleaf == 0)
		r->ebx = standard;
	else
		*r = (struct cpuid_regs){.eax = xstate_leaf[1].eax,
					 .ebx = xstate_leaf[1].eax & 2 ? compact : 0};
}

static __cold void patch_ext_features(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	if (!(v->lapic.base & APIC_BASE_EN))
		r->edx &= ~B(9); /* AMD's copy of the APIC bit */
}

static __cold void patch_sizes(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	r->ecx = apic_bits(v) << 12 | (v->vm->vcpu_count - 1); /* AMD: APIC ID bits, cores less one */
}

/* The true TSC frequency as ECX * EBX / EAX. Linux computes it in kHz with 32 bits: so the best fraction
 * whose numerator stays below that. It is exact to 3 millionths at worst, mostly much better. */
static __cold void patch_crystal(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	u64 limit = ~0u / (LAPIC_TIMER_HZ / 1000), best = ~0ULL, wanted, got, err;

	for (u64 den = 1; den <= 4096 && best; den++) {
		wanted = tsc_hz * den;
		got = (wanted + LAPIC_TIMER_HZ / 2) / LAPIC_TIMER_HZ;
		if (got > limit)
			break;
		err = MAX(got * LAPIC_TIMER_HZ, wanted) - MIN(got * LAPIC_TIMER_HZ, wanted);
		if (den == 1 || err * r->eax < best * den) {
			best = err;
			r->eax = den;
			r->ebx = got;
		}
	}
	r->ecx = LAPIC_TIMER_HZ;
}

static __cold void patch_mhz(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	r->eax = r->ebx = (tsc_hz + 500000) / 1000000; /* base and highest */
	r->ecx = 100;				       /* bus */
}

static __cold void patch_khz(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	r->eax = tsc_hz / 1000;
	r->ebx = LAPIC_TIMER_HZ / 1000;
}

/* One row a leaf: bits kept of the CPU's own answer, bits set then, and what to patch at the exit. Leaves
 * without a row are zero. */
struct row {
	u8 slot;
	patch_t patch;
	u32 keep[4], set[4]; /* EAX, EBX, ECX, EDX */
};

static const struct row policy[] = {
	{0x00, NULL, {0, ALL, ALL, ALL}, {MAX_BASIC}},
	/* Without DTES64 2, MONITOR 3, DS-CPL 4, VMX 5, SMX 6, EIST 7, TM2 8, CNXT-ID 10, SDBG 11, xTPR 14,
	 * PDCM 15, DCA 18, OSXSAVE 27; with x2APIC 21, TSC deadline 24 and hypervisor 31. EDX without MCA's
	 * PSN 18, DS 21, ACPI 22, HTT 28, TM 29, PBE 31. */
	{0x01,
	 patch_features,
	 {ALL, 0xFF00, ~(0x1FC | B(10) | B(11) | B(14) | B(15) | B(18) | B(27)),
	  ~(B(18) | B(21) | B(22) | B(28) | B(29) | B(31))},
	 {0, 0, B(21) | B(24) | B(31), B(9)}},
	{0x02, NULL, {ALL, ALL, ALL, ALL}, {0}},
	{0x04, patch_caches, {0}, {0}},
	{0x06, NULL, {0}, {B(2)}}, /* ARAT: the virtual LAPIC timer never stops */
	/* EBX without SGX 2, HLE 4, RDT-M 12, MPX 14, RDT-A 15, PCOMMIT 22, PT 25, RTM 11. ECX: AVX512VBMI 1,
	 * UMIP 2, PKU 3, VBMI2 6, GFNI 8, VAES 9, VPCLMULQDQ 10, VNNI 11, BITALG 12, VPOPCNTDQ 14, RDPID 22.
	 * EDX (ARCH_CAPABILITIES 29 as in vm/msr.c): 4VNNIW 2, 4FMAPS 3, FSRM 4, VP2INTERSECT 8, MD_CLEAR 10,
	 * SERIALIZE 14, AVX512_FP16 23. */
	{0x07,
	 patch_structured,
	 {0, ~(B(1) | B(2) | B(4) | B(11) | B(12) | B(14) | B(15) | B(22) | B(25)), 0x405F4E,
	  0x80451C | B(29)},
	 {0, B(1)}}, /* TSC_ADJUST */
	{0x0B, patch_topology, {0}, {0}},
	{0x0D, patch_xstate, {(u32)XCR0_SHOWN, 0, ALL, 0}, {0}},
	{0x15, patch_crystal, {0}, {0}},
	{0x16, patch_mhz, {0}, {0}},
	{EXT_SLOT + 0, NULL, {0, ALL, ALL, ALL}, {MAX_EXT}},
	/* ECX: LAHF 0, CR8 in 32-bit code 4, LZCNT 5, SSE4A 6, misaligned SSE 7, PREFETCHW 8, XOP 11, FMA4
	 * 16, TBM 21. EDX without FFXSR 25. */
	{EXT_SLOT + 1, patch_ext_features, {ALL, ALL, 0x2109F1, ~B(25)}, {0}},
	{EXT_SLOT + 2, NULL, {ALL, ALL, ALL, ALL}, {0}}, /* the name */
	{EXT_SLOT + 3, NULL, {ALL, ALL, ALL, ALL}, {0}},
	{EXT_SLOT + 4, NULL, {ALL, ALL, ALL, ALL}, {0}},
	{EXT_SLOT + 5, NULL, {ALL, ALL, ALL, ALL}, {0}}, /* caches and TLBs */
	{EXT_SLOT + 6, NULL, {ALL, ALL, ALL, ALL}, {0}},
	{EXT_SLOT + 7, NULL, {0, 0, 0, B(8)}, {0}}, /* invariant TSC */
	{EXT_SLOT + 8,
	 patch_sizes,
	 {0xFFFF, B(0) | B(2) | B(9), 0, 0},
	 {0}}, /* CLZERO, XSAVEERPTR, WBNOINVD */
	/* KVM's leaves: "KVMKVMKVM", and a feature set of the clock (bits 0, 3, and 24: stable) and no I/O
	 * delay (1) alone, so that nothing else is asked of us; then the frequencies in kHz. */
	{HV_SIGNATURE, NULL, {0}, {0x40000010, 0x4B4D564B, 0x564B4D56, 0x4D}},
	{HV_FEATURES, NULL, {0}, {B(0) | B(1) | B(3) | B(24)}},
	{HV_FREQUENCY, patch_khz, {0}, {0}},
	{PXHV_SIGNATURE_SLOT, NULL, {0}, {PXHV_CPUID_FEATURES, 0x56487870, 0x56487870, 0x56487870}},
	{PXHV_FEATURES_SLOT, NULL, {0}, {PXHV_VERSION, PXHV_FEATURE_HYPERCALL}},
};

static struct answer *find(u32 leaf)
{
	if (likely(leaf <= MAX_BASIC))
		return &answers[leaf];
	if (leaf >= 0x80000000 && leaf <= MAX_EXT)
		return &answers[EXT_SLOT + (leaf & 0xFF)];
	switch (leaf) {
	case 0x40000000:
		return &answers[HV_SIGNATURE];
	case 0x40000001:
		return &answers[HV_FEATURES];
	case 0x40000010:
		return &answers[HV_FREQUENCY];
	case PXHV_CPUID_SIGNATURE:
		return &answers[PXHV_SIGNATURE_SLOT];
	case PXHV_CPUID_FEATURES:
		return &answers[PXHV_FEATURES_SLOT];
	default:
		return NULL;
	}
}

void vcpu_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *out)
{
	const struct answer *a = find(leaf);

	if (unlikely(!a)) {
		*out = (struct cpuid_regs){0};
		return;
	}
	*out = a->r;
	if (a->patch)
		a->patch(v, subleaf, out);
}

static __attribute__((noinline)) void exit_patched(struct vcpu *v)
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
	const struct answer *a = find(v->regs[RAX]);

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

__cold u64 cpuid_xcr0_mask(void)
{
	return answers[1].r.ecx & B(26) ? answers[0x0D].r.eax : 0;
}

__cold void cpuid_policy_hide(u32 leaf, unsigned reg, u32 bits)
{
	struct answer *a = find(leaf);

	if (a) {
		u32 *const regs[] = {&a->r.eax, &a->r.ebx, &a->r.ecx, &a->r.edx};

		*regs[reg & 3] &= ~bits;
	}
	if (!(answers[EXT_SLOT + 1].r.edx & B(27))) /* RDPID hangs on VT-x's control for RDTSCP */
		answers[7].r.ecx &= ~B(22);
}

/* Leaf 0Dh's shape: the sizes and places of the components, and the size of all that are shown. */
static __cold void fill_xstate(void)
{
	struct answer *a = &answers[0x0D];

	a->r.ecx = 576;
	for (unsigned i = 1; i < XSTATE_AREAS; i++) {
		if (i > 1 && !(a->r.eax & B(i)))
			continue;
		xstate_leaf[i] = cpuid(0x0D, i);
		if (i > 1)
			a->r.ecx = MAX(a->r.ecx, xstate_leaf[i].ebx + xstate_leaf[i].eax);
	}
	/* XSAVEOPT, XSAVEC, XGETBV with ECX=1; without XSAVES: its sizes are wrong in Bochs 2.7. */
	xstate_leaf[1].eax &= 7;
}

__cold void cpuid_policy_init(void)
{
	u32 max_basic = cpuid(0, 0).eax, max_ext = cpuid(0x80000000, 0).eax;

	memset(answers, 0, sizeof(answers));
	memset(cache_leaf, 0, sizeof(cache_leaf));
	memset(xstate_leaf, 0, sizeof(xstate_leaf));
	for (unsigned i = 0; i < ARRAY_SIZE(policy); i++) {
		const struct row *p = &policy[i];
		struct cpuid_regs own = {0};

		if (p->slot < EXT_SLOT && p->slot <= max_basic)
			own = cpuid(p->slot, 0);
		else if (p->slot >= EXT_SLOT && p->slot < HV_SLOT &&
			 0x80000000 + p->slot - EXT_SLOT <= max_ext)
			own = cpuid(0x80000000 + p->slot - EXT_SLOT, 0);
		answers[p->slot] = (struct answer){
			{(own.eax & p->keep[0]) | p->set[0], (own.ebx & p->keep[1]) | p->set[1],
			 (own.ecx & p->keep[2]) | p->set[2], (own.edx & p->keep[3]) | p->set[3]},
			p->patch};
	}
	for (unsigned i = 0; i < SUBLEAVES && max_basic >= 4; i++)
		cache_leaf[i] = cpuid(4, i);
	if (answers[1].r.ecx & B(26) && answers[0x0D].r.eax)
		fill_xstate();
	else
		answers[0x0D].patch = NULL;
}
