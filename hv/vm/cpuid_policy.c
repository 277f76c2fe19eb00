/* The CPUID policy: what guests see of the CPU. The CPU's own answers are read and filtered once, at boot;
 * what depends on the vcpu is patched in then. */
#include "guest/pxhv.h"
#include "host/tsc.h"
#include "lib/string.h"
#include "vm/cpuid.h"
#include "vm/exits.h"
#include "vm/vm.h"

#define B(n) (1u << (n))
#define ALL  ~0u

#define SUBLEAVES    8	/* of the cache leaf */
#define XSTATE_AREAS 10 /* XCR0 bits 2 to 9 have a subleaf */

/* XCR0 bits that guests get: x87, SSE, AVX, AVX-512, PKRU. */
#define XCR0_SHOWN 0x2E7U

static struct cpuid_regs cache_leaf[SUBLEAVES], xstate_leaf[XSTATE_AREAS];

static u32 apic_bits(const struct vcpu *v)
{
	return v->vm->vcpu_count > 1 ? 32 - __builtin_clz(v->vm->vcpu_count - 1) : 0;
}

static void patch_features(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
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

static void patch_caches(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
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

static void patch_structured(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	if (subleaf)
		*r = (struct cpuid_regs){0};
	else if (v->ops->get(v, VREG_CR4) & CR4_PKE && r->ecx & B(3))
		r->ecx |= B(4); /* OSPKE */
}

static void patch_topology(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
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
static void patch_xstate(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
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

static void patch_ext_features(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	if (!(v->lapic.base & APIC_BASE_EN))
		r->edx &= ~B(9); /* AMD's copy of the APIC bit */
	/* Intel's CPUs, which have none of those copies, have SYSCALL in 64-bit code alone (SDM 2A, CPUID).
	 */
	if (!(r->edx & B(0)) && vcpu_code_bits(v) != 64)
		r->edx &= ~B(11);
}

static void patch_sizes(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	r->ecx = apic_bits(v) << 12 | (v->vm->vcpu_count - 1); /* AMD: APIC ID bits, cores less one */
}

/* The true TSC frequency as ECX * EBX / EAX. Linux computes it in kHz with 32 bits: so the best fraction
 * whose numerator stays below that. It is exact to 3 millionths at worst, mostly much better. */
static void patch_crystal(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
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

static void patch_mhz(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	r->eax = r->ebx = (tsc_hz + 500000) / 1000000; /* base and highest */
	r->ecx = 100;				       /* bus */
}

static void patch_khz(struct vcpu *v, u32 subleaf, struct cpuid_regs *r)
{
	r->eax = tsc_hz / 1000;
	r->ebx = LAPIC_TIMER_HZ / 1000;
}

enum { EAX, EBX, ECX, EDX };
#define REG(slot, reg) ((slot)*4 + (reg))
#define EXT(leaf)      (CPUID_EXT + (leaf))

/* Slots whose registers are the CPU's own; of others they are 0. Both but for those of the table. */
#define OWN_SLOTS                                                                                            \
	(7ULL << 0 | 0x7FULL << EXT(0)) /* EXT(2) to EXT(4): the name; EXT(5), EXT(6): caches and TLBs */

/* Registers of which the CPU's own bits are kept in part, and others set. */
static const struct __packed {
	u8 where;
	u32 keep, set;
} policy[] = {
	{REG(0, EAX), 0, CPUID_MAX_BASIC},
	/* Without DTES64 2, MONITOR 3, DS-CPL 4, VMX 5, SMX 6, EIST 7, TM2 8, CNXT-ID 10, SDBG 11, xTPR 14,
	 * PDCM 15, DCA 18, OSXSAVE 27; with x2APIC 21, TSC deadline 24 and hypervisor 31. EDX without MCA's
	 * PSN 18, DS 21, ACPI 22, HTT 28, TM 29, PBE 31. */
	{REG(1, EBX), 0xFF00, 0},
	{REG(1, ECX), ~(0x1FC | B(10) | B(11) | B(14) | B(15) | B(18) | B(27)), B(21) | B(24) | B(31)},
	{REG(1, EDX), ~(B(18) | B(21) | B(22) | B(28) | B(29) | B(31)), B(9)},
	{REG(6, EAX), 0, B(2)}, /* ARAT: the virtual LAPIC timer never stops */
	/* EBX without SGX 2, HLE 4, RDT-M 12, MPX 14, RDT-A 15, PCOMMIT 22, PT 25, RTM 11, but with
	 * TSC_ADJUST
	 * 1. ECX: AVX512VBMI 1, UMIP 2, PKU 3, VBMI2 6, GFNI 8, VAES 9, VPCLMULQDQ 10, VNNI 11, BITALG 12,
	 * VPOPCNTDQ 14, RDPID 22. EDX (ARCH_CAPABILITIES 29 as in vm/msr.c): 4VNNIW 2, 4FMAPS 3, FSRM 4,
	 * VP2INTERSECT 8, MD_CLEAR 10, SERIALIZE 14, AVX512_FP16 23. */
	{REG(7, EBX), ~(B(2) | B(4) | B(11) | B(12) | B(14) | B(15) | B(22) | B(25)), B(1)},
	{REG(7, ECX), 0x405F4E, 0},
	{REG(7, EDX), 0x80451C | B(29), 0},
	{REG(0x0D, EAX), XCR0_SHOWN, 0},
	{REG(EXT(0), EAX), 0, CPUID_MAX_EXT},
	/* ECX: LAHF 0, CR8 in 32-bit code 4, LZCNT 5, SSE4A 6, misaligned SSE 7, PREFETCHW 8, XOP 11, FMA4
	 * 16, TBM 21. EDX without FFXSR 25. */
	{REG(EXT(1), ECX), 0x2109F1, 0},
	{REG(EXT(1), EDX), ~B(25), 0},
	{REG(EXT(7), EDX), B(8), 0}, /* invariant TSC */
	{REG(EXT(8), EAX), 0xFFFF, 0},
	{REG(EXT(8), EBX), B(0) | B(2) | B(9), 0}, /* CLZERO, XSAVEERPTR, WBNOINVD */
	/* KVM's leaves: "KVMKVMKVM", and a feature set of the clock (bits 0, 3, and 24: stable) and no I/O
	 * delay (1) alone, so that nothing else is asked of us; then the frequencies in kHz. */
	{REG(CPUID_HV_SIGNATURE, EAX), 0, 0x40000010},
	{REG(CPUID_HV_SIGNATURE, EBX), 0, 0x4B4D564B},
	{REG(CPUID_HV_SIGNATURE, ECX), 0, 0x564B4D56},
	{REG(CPUID_HV_SIGNATURE, EDX), 0, 0x4D},
	{REG(CPUID_HV_FEATURES, EAX), 0, B(0) | B(1) | B(3) | B(24)},
	{REG(CPUID_OWN_SIGNATURE, EAX), 0, PXHV_CPUID_FEATURES},
	{REG(CPUID_OWN_SIGNATURE, EBX), 0, 0x56487870},
	{REG(CPUID_OWN_SIGNATURE, ECX), 0, 0x56487870},
	{REG(CPUID_OWN_SIGNATURE, EDX), 0, 0x56487870},
	{REG(CPUID_OWN_FEATURES, EAX), 0, PXHV_VERSION},
	{REG(CPUID_OWN_FEATURES, EBX), 0, PXHV_FEATURE_HYPERCALL},
};

static void set_patches(void)
{
	cpuid_answers[0x01].patch = patch_features;
	cpuid_answers[0x04].patch = patch_caches;
	cpuid_answers[0x07].patch = patch_structured;
	cpuid_answers[0x0B].patch = patch_topology;
	cpuid_answers[0x0D].patch = patch_xstate;
	cpuid_answers[0x15].patch = patch_crystal;
	cpuid_answers[0x16].patch = patch_mhz;
	cpuid_answers[EXT(1)].patch = patch_ext_features;
	cpuid_answers[EXT(8)].patch = patch_sizes;
	cpuid_answers[CPUID_HV_FREQUENCY].patch = patch_khz;
}

void vcpu_cpuid(struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_regs *out)
{
	const struct cpuid_answer *a = cpuid_find(leaf);

	*out = a ? a->r : (struct cpuid_regs){0};
	if (a && a->patch)
		a->patch(v, subleaf, out);
}

u64 cpuid_xcr0_mask(void)
{
	return cpuid_answers[1].r.ecx & B(26) ? cpuid_answers[0x0D].r.eax : 0;
}

void cpuid_policy_hide(u32 leaf, unsigned reg, u32 bits)
{
	struct cpuid_answer *a = cpuid_find(leaf);

	if (a)
		a->reg[reg & 3] &= ~bits;
	if (!(cpuid_answers[EXT(1)].r.edx & B(27))) /* RDPID hangs on VT-x's control for RDTSCP */
		cpuid_answers[7].r.ecx &= ~B(22);
}

/* Leaf 0Dh's shape: the sizes and places of the components, and the size of all that are shown. */
static void fill_xstate(void)
{
	struct cpuid_answer *a = &cpuid_answers[0x0D];

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

/* The slot's registers on this CPU; 0 where it has no such leaf. */
static void fill(struct cpuid_answer *a, unsigned slot)
{
	bool own = OWN_SLOTS >> slot & 1;
	u32 base = slot < CPUID_EXT ? 0 : 0x80000000, leaf = base + (base ? slot - CPUID_EXT : slot);

	if (slot < CPUID_HV && leaf <= cpuid(base, 0).eax)
		a->r = cpuid(leaf, 0);
	for (unsigned reg = EAX; reg <= EDX; reg++) {
		u32 keep = own ? ALL : 0, set = 0;

		for (unsigned i = 0; i < ARRAY_SIZE(policy); i++) {
			if (policy[i].where == REG(slot, reg)) {
				keep = policy[i].keep;
				set = policy[i].set;
			}
		}
		a->reg[reg] = (a->reg[reg] & keep) | set;
	}
}

void cpuid_policy_init(void)
{
	memset(cpuid_answers, 0, sizeof(cpuid_answers));
	memset(cache_leaf, 0, sizeof(cache_leaf));
	memset(xstate_leaf, 0, sizeof(xstate_leaf));
	set_patches();
	for (unsigned i = 0; i < CPUID_SLOTS; i++)
		fill(&cpuid_answers[i], i);
	for (unsigned i = 0; i < SUBLEAVES && cpuid(0, 0).eax >= 4; i++)
		cache_leaf[i] = cpuid(4, i);
	if (cpuid_xcr0_mask())
		fill_xstate();
	else
		cpuid_answers[0x0D].patch = NULL;
}
