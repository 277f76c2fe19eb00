/* The MSR policy: what guests may read and write, as one table. */
#include "host/msr.h"
#include "host/cpu.h"
#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "vm/exits.h"
#include "vm/memory.h"
#include "vm/pvclock.h"
#include "vm/vm.h"

#define MSR_TSC_ADJUST	  0x3B
#define MSR_ARCH_CAP	  0x10A
#define MSR_PLATFORM_INFO 0xCE
#define MSR_MTRR_MASK0	  0x201

enum kind {
	CONST,	/* writes are #GP */
	IGNORE, /* writes go nowhere */
	VENDOR, /* ops->rdmsr, ops->wrmsr: in the VMCS, the VMCB or the CPU itself */
	STORED, /* kept for each vcpu */
	FN,	/* read_special(), write_special(); with a place in the store */
};

#define MTRR_BASE_BITS 0xFFFFFFFFFF0FFULL
#define MTRR_MASK_BITS 0xFFFFFFFFFF800ULL
#define WB8	       0x0606060606060606ULL
#define WP8	       0x0505050505050505ULL

/* What MSRs hold after reset, and of those that are stored the bits that may be set: V(name, value, mask). */
#define VALUES(V)                                                                                            \
	V(ZERO, 0, 0)                                                                                        \
	V(LOCKED, 1, 0)                                                                                      \
	V(REVISION_1, BIT(32), 0)                                                                            \
	V(MTRRCAP, 0x508, 0)		    /* 8 variable, fixed, WC */                                      \
	V(MISC_ENABLE, 0x1801, 0x400C51889) /* fast strings; no BTS, no PEBS */                              \
	V(MTRR_BASE0, GUEST_HOLE_START, MTRR_BASE_BITS)                                                      \
	V(MTRR_MASK0, ~(4 * GiB - GUEST_HOLE_START - 1) | BIT(11), MTRR_MASK_BITS)                           \
	V(MTRR, 0, MTRR_BASE_BITS | BIT(11))                                                                 \
	V(ALL_WB, WB8, ~0ULL)                                                                                \
	V(ALL_UC, 0, ~0ULL)                                                                                  \
	V(ALL_WP, WP8, ~0ULL)                                                                                \
	V(DEF_TYPE, 0xC06, 0xCFF)                                                                            \
	V(HWCR, BIT(24), ~0ULL)	       /* the TSC counts at P0 */                                            \
	V(SVM_OFF, BIT(3) | BIT(4), 0) /* locked */                                                          \
	V(DE_CFG, BIT(1), 0)	       /* LFENCE serializes */

static const struct {
	u64 reset, mask;
} values[] = {
#define V(name, value, mask) {value, mask},
	VALUES(V)
#undef V
};

enum {
#define V(name, value, mask) name,
	VALUES(V)
#undef V
};

/* MSRs that are not in it are the vendor's or unknown. Those that are VENDOR here need no exit. */
static const struct rule {
	u32 msr;
	u8 count, kind, value;
} policy[] = {
	{0x00, 2, IGNORE, ZERO}, /* P5_MC_ADDR, P5_MC_TYPE */
	{MSR_TSC, 1, FN, ZERO},
	{MSR_KVM_WALL_CLOCK_OLD, 2, FN, ZERO},
	{0x17, 1, CONST, ZERO},			 /* PLATFORM_ID */
	{0x2A, 1, IGNORE, ZERO},		 /* EBL_CR_POWERON */
	{0x34, 1, CONST, ZERO},			 /* SMI_COUNT */
	{MSR_FEATURE_CONTROL, 1, CONST, LOCKED}, /* without VMX */
	{MSR_TSC_ADJUST, 1, FN, ZERO},
	{0x79, 1, IGNORE, ZERO},       /* BIOS_UPDT_TRIG: no microcode is loaded */
	{0x8B, 1, IGNORE, REVISION_1}, /* BIOS_SIGN_ID */
	{MSR_PLATFORM_INFO, 1, FN, ZERO},
	{0xFE, 1, CONST, MTRRCAP},
	{MSR_ARCH_CAP, 1, FN, ZERO},
	{0x140, 1, STORED, ZERO},	    /* MISC_FEATURES_ENABLES */
	{MSR_SYSENTER_CS, 3, VENDOR, ZERO}, /* SYSENTER_CS, _ESP, _EIP */
	{0x179, 1, CONST, ZERO},	    /* MCG_CAP: no banks */
	{0x17A, 2, IGNORE, ZERO},	    /* MCG_STATUS, MCG_CTL */
	{0x1A0, 1, STORED, MISC_ENABLE},
	/* MTRRs as SeaBIOS sets them up: uncached from the hole to 4 GiB, write-back elsewhere. */
	{0x200, 1, STORED, MTRR_BASE0},
	{MSR_MTRR_MASK0, 1, STORED, MTRR_MASK0},
	{0x202, 14, STORED, MTRR},
	{0x250, 1, STORED, ALL_WB}, /* FIX64K: 0-7FFFF */
	{0x258, 1, STORED, ALL_WB}, /* FIX16K: 80000-9FFFF, A0000-BFFFF */
	{0x259, 1, STORED, ALL_UC},
	{0x268, 8, STORED, ALL_WP}, /* FIX4K: C0000-FFFFF */
	{0x2FF, 1, STORED, DEF_TYPE},
	{MSR_KVM_WALL_CLOCK, 2, FN, ZERO},
	{MSR_EFER, 1, FN, ZERO},
	{MSR_STAR, 4, VENDOR, ZERO},	/* STAR, LSTAR, CSTAR, FMASK */
	{MSR_FS_BASE, 4, VENDOR, ZERO}, /* FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX */
	{0xC0010010, 1, IGNORE, ZERO},	/* SYSCFG */
	{0xC0010015, 1, STORED, HWCR},
	{0xC001001F, 1, IGNORE, ZERO}, /* NB_CFG */
	{0xC0010055, 1, IGNORE, ZERO}, /* INT_PENDING */
	{0xC0010058, 1, IGNORE, ZERO}, /* MMIO_CONF_BASE */
	{0xC0010064, 8, IGNORE, ZERO}, /* PSTATE_DEF: none is valid; who sees HWCR's TscFreqSel asks */
	{0xC0010112, 2, IGNORE, ZERO}, /* SMM_ADDR, SMM_MASK */
	{MSR_VM_CR, 1, CONST, SVM_OFF},
	{0xC0010140, 2, IGNORE, ZERO},	 /* OSVW */
	{0xC0011020, 4, IGNORE, ZERO},	 /* LS_CFG, IC_CFG, DC_CFG, TW_CFG */
	{0xC0011029, 2, IGNORE, DE_CFG}, /* and BU_CFG2 */
};

/* The rule for msr, and its place in the store; NULL when there is none. */
static const struct rule *find(u32 msr, unsigned *slot)
{
	*slot = 0;
	for (const struct rule *r = policy; r < policy + ARRAY_SIZE(policy); r++) {
		if (msr - r->msr < r->count) {
			*slot += msr - r->msr;
			return r;
		}
		if (r->kind >= STORED)
			*slot += r->count;
	}
	return NULL;
}

/* What the CPU itself is immune to or announces, without what needs MSRs that guests do not get. SDM 4 2.1:
 * RDCL_NO, RSBA, SKIP_L1DFL, SSB_NO, MDS_NO, PSCHANGE_MC_NO, TAA_NO, SBDR/FBSDP/PSDP_NO 13-15, FB_CLEAR 17,
 * RRSBA 19, BHI_NO 20, PBRSB_NO 24, GDS_NO 26, RFDS_NO 27, RFDS_CLEAR 28. */
#define ARCH_CAP_SHOWN 0x1D1AE17DULL

static int read_special(struct vcpu *v, u32 msr, u64 *val)
{
	struct cpuid_regs r;

	switch (msr) {
	case MSR_TSC:
		*val = tsc_now() + v->tsc_offset;
		return 0;
	case MSR_PLATFORM_INFO: /* the TSC's ratio to 100 MHz */
		*val = (tsc_hz / 100000000 & 0xFF) << 8;
		return 0;
	case MSR_EFER:
		*val = v->ops->get(v, VREG_EFER);
		return 0;
	case MSR_ARCH_CAP:
		vcpu_cpuid(v, 7, 0, &r);
		if (!(r.edx & BIT(29)) || rdmsr_safe(MSR_ARCH_CAP, val))
			return -EPERM;
		*val &= ARCH_CAP_SHOWN;
		return 0;
	default:
		return 0;
	}
}

static void move_tsc(struct vcpu *v, u64 delta)
{
	v->tsc_offset += delta;
	v->ops->tsc_offset_changed(v);
	lapic_tsc_changed(v);
	pvclock_tsc_changed(v);
}

static int write_efer(struct vcpu *v, u64 val)
{
	u64 old = v->ops->get(v, VREG_EFER);

	if ((val & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)) ||
	    ((val ^ old) & EFER_LME && v->ops->get(v, VREG_CR0) & CR0_PG))
		return -EPERM;
	/* LMA is the CPU's, whatever is written (APM 2 3.1.7). */
	v->ops->set(v, VREG_EFER, (val & ~EFER_LMA) | (old & EFER_LMA));
	return 0;
}

static int write_special(struct vcpu *v, u32 msr, u64 *stored, u64 val)
{
	u64 delta;
	unsigned slot;

	switch (msr) {
	case MSR_EFER:
		return write_efer(v, val);
	case MSR_TSC: /* TSC_ADJUST moves by as much (SDM 3B 18.17.3) */
		delta = val - (tsc_now() + v->tsc_offset);
		find(MSR_TSC_ADJUST, &slot);
		v->msr_store[slot] += delta;
		move_tsc(v, delta);
		return 0;
	case MSR_TSC_ADJUST:
		move_tsc(v, val - *stored);
		break;
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_OLD:
		pvclock_write_wall(v, val);
		break;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_OLD:
		pvclock_write_system(v, val);
		break;
	default: /* PLATFORM_INFO, ARCH_CAPABILITIES */
		return -EPERM;
	}
	*stored = val;
	return 0;
}

/* Values that the CPU would refuse to take from a WRMSR. */
static bool vendor_takes(u32 msr, u64 val)
{
	switch (msr) {
	case MSR_PAT:
		return msr_pat_valid(val);
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		return canonical(val);
	default:
		return true;
	}
}

/* The result of the vendor's rdmsr or wrmsr as ours. */
static int from_vendor(struct vcpu *v, u32 msr, int err)
{
	if (err == -ENOENT) {
		v->vm->unknown_msrs++;
		v->vm->last_unknown_msr = msr;
		if (unlikely(v->vm->log_unclaimed))
			printk("vm '%s': no MSR %x, at rip %llx\n", v->vm->config->name, msr,
			       (unsigned long long)v->rip);
	}
	return err ? -EPERM : 0;
}

int vcpu_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	unsigned slot;
	const struct rule *r = find(msr, &slot);

	if (!r || r->kind == VENDOR)
		return from_vendor(v, msr, v->ops->rdmsr(v, msr, val));
	*val = r->kind >= STORED ? v->msr_store[slot] : values[r->value].reset;
	return r->kind == FN ? read_special(v, msr, val) : 0;
}

int vcpu_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	unsigned slot;
	const struct rule *r = find(msr, &slot);

	if (!r || r->kind == VENDOR)
		return vendor_takes(msr, val) ? from_vendor(v, msr, v->ops->wrmsr(v, msr, val)) : -EPERM;
	switch (r->kind) {
	case STORED:
		if (val & ~values[r->value].mask)
			return -EPERM;
		v->msr_store[slot] = val;
		return 0;
	case FN:
		return write_special(v, msr, &v->msr_store[slot], val);
	default:
		return r->kind == IGNORE ? 0 : -EPERM;
	}
}

void msr_policy_passthrough(void (*fn)(void *arg, u32 msr), void *arg)
{
	for (unsigned i = 0; i < ARRAY_SIZE(policy); i++)
		for (u32 n = 0; policy[i].kind == VENDOR && n < policy[i].count; n++)
			fn(arg, policy[i].msr + n);
}

static void reset(struct vcpu *v)
{
	struct cpuid_regs sizes;
	u64 *p = v->msr_store;
	unsigned slot;

	for (const struct rule *r = policy; r < policy + ARRAY_SIZE(policy); r++)
		for (u32 n = 0; r->kind >= STORED && n < r->count; n++)
			*p++ = values[r->value].reset;
	vcpu_cpuid(v, 0x80000008, 0, &sizes);
	find(MSR_MTRR_MASK0, &slot);
	v->msr_store[slot] &= BIT(sizes.eax & 0x3F) - 1; /* to the width of physical addresses */
	cpu_forget_guest(cpuid_xcr0_mask());
}

int msr_create(struct vcpu *v)
{
	unsigned slots;

	find(~0u, &slots); /* not in the table: counts the places */
	v->msr_store = vm_zalloc(v->vm, slots * sizeof(u64));
	if (!v->msr_store || pvclock_create(v))
		return -ENOMEM;
	reset(v);
	return 0;
}
