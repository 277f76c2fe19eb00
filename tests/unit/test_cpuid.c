/* The CPUID policy over made-up CPUs: one with everything, one with nothing. */
#include "fake_vcpu.h"
#include "guest/pxhv.h"

static bool full; /* every bit set */
static u32 max_basic, max_ext;

struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	u32 all = full ? ~0u : 0;

	switch (leaf) {
	case 0:
		return (struct cpuid_regs){max_basic, 0x756E6547, 0x6C65746E, 0x49656E69};
	case 0x80000000:
		return (struct cpuid_regs){max_ext, 0, 0, 0};
	case 4: /* L1D, L1I, L2, L3 */
		if (subleaf > 3)
			return (struct cpuid_regs){0};
		return (struct cpuid_regs){0x1C004000 |
						   (subleaf == 3 ? 3
						    : subleaf	 ? subleaf
								 : 1)
							   << 5 |
						   1,
					   subleaf, 63, 0};
	case 0x0D:
		switch (subleaf) {
		case 0:
			return (struct cpuid_regs){full ? 0x600E7 | 0x218 : 0, 0xA88, 0xA88, all};
		case 1:
			return (struct cpuid_regs){0xF, 0x9999, all, all};
		case 2:
			return (struct cpuid_regs){256, 576, 0, 0};
		case 5:
			return (struct cpuid_regs){64, 1088, 0, 0};
		case 6:
			return (struct cpuid_regs){512, 1152, 0, 0};
		case 7:
			return (struct cpuid_regs){1024, 1664, 0, 0};
		case 9:
			return (struct cpuid_regs){8, 2688, 0, 0};
		default:
			return (struct cpuid_regs){64, 960, 2, 0};
		}
	case 0x80000008:
		return (struct cpuid_regs){0x3027, all, all, all};
	default:
		return (struct cpuid_regs){all, all, all, all};
	}
}

static u64 xcr0 = 1;

u64 xgetbv(u32 xcr)
{
	return xcr0;
}

int xsetbv_safe(u32 xcr, u64 val)
{
	xcr0 = val;
	return 0;
}

static void setup(bool everything)
{
	make_vcpu(64);
	full = everything;
	max_basic = everything ? 0x1F : 1;
	max_ext = everything ? 0x80000021 : 0x80000000;
	xcr0 = 1;
	tsc_hz = 100000000;
	cpuid_policy_init();
}

static struct cpuid_regs get(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	vcpu_cpuid(&vcpu, leaf, subleaf, &r);
	return r;
}

#define SET(val, bit)	assert_true((val) >> (bit)&1)
#define CLEAR(val, bit) assert_false((val) >> (bit)&1)

static void exit_itself(void **state)
{
	setup(true);
	vcpu.regs[RAX] = 0xFFFFFFFF00000000;
	vcpu.regs[RCX] = ~0ULL;
	exit_cpuid(&vcpu);
	assert_true(vcpu.regs[RAX] == 0x16 && vcpu.regs[RBX] == 0x756E6547);
	assert_true(vcpu.regs[RCX] == 0x6C65746E && vcpu.regs[RDX] == 0x49656E69);
	assert_int_equal(skipped, 1);
}

static void hidden(void **state)
{
	static const u8 leaf1_ecx[] = {2, 3, 4, 5, 6, 7, 8, 11, 15, 18, 27},
			leaf7_ebx[] = {2, 4, 11, 12, 14, 15, 25},
			leaf7_ecx[] = {5, 7, 13, 16, 23, 27, 28, 29, 30},
			leaf7_edx[] = {15, 20, 22, 24, 25, 26, 27, 28, 30, 31};
	static const u32 leaves[] = {3,		 5,	     9,		 0xA,	     0xC,
				     0xE,	 0xF,	     0x10,	 0x12,	     0x14,
				     0x17,	 0x1F,	     0x40000002, 0x40000011, 0x50000000,
				     0x80000009, 0x8000000A, 0x8000001E, 0xFFFFFFFF};
	struct cpuid_regs r;

	setup(true);
	r = get(1, 0);
	for (unsigned i = 0; i < sizeof(leaf1_ecx); i++)
		CLEAR(r.ecx, leaf1_ecx[i]);
	SET(r.ecx, 21);
	SET(r.ecx, 24);
	SET(r.ecx, 31);
	SET(r.edx, 9);
	CLEAR(r.edx, 22);
	CLEAR(r.edx, 29);
	r = get(7, 0);
	assert_int_equal(r.eax, 0);
	for (unsigned i = 0; i < sizeof(leaf7_ebx); i++)
		CLEAR(r.ebx, leaf7_ebx[i]);
	for (unsigned i = 0; i < sizeof(leaf7_ecx); i++)
		CLEAR(r.ecx, leaf7_ecx[i]);
	for (unsigned i = 0; i < sizeof(leaf7_edx); i++)
		CLEAR(r.edx, leaf7_edx[i]);
	SET(r.ebx, 1);
	r = get(7, 1);
	assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	CLEAR(get(0x80000001, 0).ecx, 2); /* SVM */
	CLEAR(get(0x80000001, 0).ecx, 22);
	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
		r = get(leaves[i], 0);
		assert_int_equal(r.eax | r.ebx | r.ecx | r.edx, 0);
	}
	assert_int_equal(get(6, 0).eax, 4);
	assert_int_equal(get(0x80000000, 0).eax, 0x80000008);
	assert_int_equal(get(0x80000007, 0).edx, 0x100);
}

static void nothing_to_filter(void **state)
{
	setup(false);
	assert_int_equal(get(0, 0).eax, 0x16);
	assert_int_equal(get(1, 0).ecx, BIT(21) | BIT(24) | BIT(31));
	assert_int_equal(get(0x0D, 0).eax, 0);
	assert_int_equal(get(0x0D, 0).ecx, 0);
	assert_int_equal(get(0x0D, 2).eax, 0);
	assert_int_equal(get(0x80000001, 0).edx, 0);
	assert_true(cpuid_xcr0_mask() == 0);
	assert_int_equal(get(4, 0).eax, 0);
}

static void by_the_vcpu(void **state)
{
	struct cpuid_regs r;

	setup(true);
	vm.vcpu_count = 3;
	vcpu.index = 2;
	r = get(1, 0);
	assert_int_equal(r.ebx, 0x0203FF00);
	SET(r.edx, 28);
	CLEAR(r.ecx, 27);
	vregs[VREG_CR4] = CR4_OSXSAVE | CR4_PKE;
	SET(get(1, 0).ecx, 27);
	SET(get(7, 0).ecx, 4);
	vcpu.lapic.base = 0;
	CLEAR(get(1, 0).edx, 9);
	CLEAR(get(0x80000001, 0).edx, 9);
	r = get(0x0B, 0);
	assert_int_equal(r.ebx, 1);
	assert_int_equal(r.ecx, 0x100);
	assert_int_equal(r.edx, 2);
	r = get(0x0B, 1);
	assert_int_equal(r.eax, 2);
	assert_int_equal(r.ebx, 3);
	assert_int_equal(r.ecx, 0x201);
	r = get(0x0B, 2);
	assert_int_equal(r.eax | r.ebx, 0);
	assert_int_equal(r.ecx, 2);
	r = get(4, 0);
	assert_int_equal(r.eax, 2 << 26 | 1 << 5 | 1);
	r = get(4, 3);
	assert_int_equal(r.eax, 2 << 26 | 2 << 14 | 3 << 5 | 1);
	assert_int_equal(get(4, 4).eax, 0);
	assert_int_equal(get(4, 400).eax, 0);
	assert_int_equal(get(0x80000008, 0).ecx, 0x2002);
	vm.vcpu_count = 1;
	CLEAR(get(1, 0).edx, 28);
	assert_int_equal(get(0x0B, 1).eax, 0);
}

static void xstate(void **state)
{
	setup(true);
	assert_true(cpuid_xcr0_mask() == 0x2E7); /* no MPX, no AMX */
	assert_int_equal(get(0x0D, 0).eax, 0x2E7);
	assert_int_equal(get(0x0D, 0).ebx, 576);
	assert_int_equal(get(0x0D, 0).ecx, 2696);
	assert_int_equal(get(0x0D, 0).edx, 0);
	assert_int_equal(get(0x0D, 1).eax, 7); /* no XSAVES */
	assert_int_equal(get(0x0D, 1).ebx, 576);
	assert_int_equal(get(0x0D, 1).ecx, 0);
	assert_int_equal(get(0x0D, 3).eax, 0);
	assert_int_equal(get(0x0D, 5).ebx, 1088);
	assert_int_equal(get(0x0D, 10).eax, 0);
	assert_int_equal(get(0x0D, ~0u).eax, 0);
	xcr0 = 7;
	assert_int_equal(get(0x0D, 0).ebx, 832);
	assert_int_equal(get(0x0D, 1).ebx, 832);
	xcr0 = 0x207;
	assert_int_equal(get(0x0D, 0).ebx, 2696);
	assert_int_equal(get(0x0D, 1).ebx, 840);
}

static void set_xcr0(void **state)
{
	static const struct {
		u64 val;
		bool good;
	} t[] = {{1, true},	{3, true},     {7, true},     {0xE7, true},
		 {0x2E7, true}, {0, false},    {2, false},    {5, false},
		 {0xE3, false}, {0x27, false}, {0x1F, false}, {1ULL << 63 | 1, false}};

	setup(true);
	vcpu.regs[RAX] = 3;
	exit_xsetbv(&vcpu);
	assert_int_equal(exception, X86_UD); /* CR4.OSXSAVE is clear */
	vregs[VREG_CR4] = CR4_OSXSAVE;
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		exception = -1;
		xcr0 = 1;
		vcpu.regs[RAX] = (u32)t[i].val;
		vcpu.regs[RDX] = t[i].val >> 32;
		exit_xsetbv(&vcpu);
		assert_int_equal(exception, t[i].good ? -1 : X86_GP);
		assert_true(xcr0 == (t[i].good ? t[i].val : 1));
	}
	vcpu.regs[RCX] = 1;
	vcpu.regs[RAX] = 3;
	vcpu.regs[RDX] = 0;
	exit_xsetbv(&vcpu);
	assert_int_equal(exception, X86_GP);
	exception = -1;
	vcpu.regs[RCX] = 0;
	segs[SEG_SS].attr = 0x60;
	exit_xsetbv(&vcpu);
	assert_int_equal(exception, X86_GP);
}

static void frequency(void **state)
{
	static const u64 hz[] = {100000000,  1000000000, 2893202447, 2400003111,
				 3500000000, 4200000017, 2999999999};

	setup(true);
	for (unsigned i = 0; i < ARRAY_SIZE(hz); i++) {
		struct cpuid_regs r;
		u64 got;
		u32 khz;

		tsc_hz = hz[i];
		r = get(0x15, 0);
		assert_int_equal(r.ecx, LAPIC_TIMER_HZ);
		got = (u64)r.ecx * r.ebx / r.eax;
		assert_in_range(got, hz[i] - hz[i] / 333333, hz[i] + hz[i] / 333333);
		khz = r.ecx / 1000 * r.ebx / r.eax; /* as Linux does it, in 32 bits */
		assert_in_range(khz, hz[i] / 1000 - hz[i] / 333333333 - 1,
				hz[i] / 1000 + hz[i] / 333333333 + 1);
		assert_int_equal(get(0x40000010, 0).eax, hz[i] / 1000);
		assert_int_equal(get(0x40000010, 0).ebx, LAPIC_TIMER_HZ / 1000);
		assert_in_range(get(0x16, 0).eax, hz[i] / 1000000, hz[i] / 1000000 + 1);
	}
}

static void hypervisor_leaves(void **state)
{
	struct cpuid_regs r;

	setup(true);
	r = get(0x40000000, 0);
	assert_int_equal(r.eax, 0x40000010);
	assert_memory_equal(&r.ebx, "KVMKVMKVM\0\0\0", 12);
	assert_int_equal(get(0x40000001, 0).eax, 0x0100000B);
	assert_int_equal(get(0x40000001, 0).edx, 0);
	r = get(PXHV_CPUID_SIGNATURE, 0);
	assert_int_equal(r.eax, PXHV_CPUID_FEATURES);
	assert_memory_equal(&r.ebx, PXHV_SIGNATURE, 12);
	r = get(PXHV_CPUID_FEATURES, 0);
	assert_int_equal(r.eax, PXHV_VERSION);
	assert_int_equal(r.ebx, PXHV_FEATURE_HYPERCALL);
}

static void syscall_by_mode(void **state)
{
	setup(true);
	segs[SEG_CS].attr = 0xA09B;
	vregs[VREG_EFER] = EFER_LME | EFER_LMA;
	SET(get(0x80000001, 0).edx, 11);
	segs[SEG_CS].attr = 0xC09B;
	SET(get(0x80000001, 0).edx, 11); /* AMD's */
	cpuid_policy_hide(0x80000001, 3, BIT(0));
	CLEAR(get(0x80000001, 0).edx, 11);
	segs[SEG_CS].attr = 0xA09B;
	SET(get(0x80000001, 0).edx, 11);
}

static void vendor_hides(void **state)
{
	setup(true);
	SET(get(0x80000001, 0).edx, 27);
	SET(get(7, 0).ecx, 22);
	cpuid_policy_hide(7, 1, BIT(10));
	CLEAR(get(7, 0).ebx, 10);
	SET(get(7, 0).ecx, 22);
	cpuid_policy_hide(0x80000001, 3, BIT(27));
	CLEAR(get(0x80000001, 0).edx, 27);
	CLEAR(get(7, 0).ecx, 22); /* RDPID with it */
	cpuid_policy_hide(0x12345, 0, ~0u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_itself),	     cmocka_unit_test(hidden),
		cmocka_unit_test(nothing_to_filter), cmocka_unit_test(by_the_vcpu),
		cmocka_unit_test(syscall_by_mode),   cmocka_unit_test(xstate),
		cmocka_unit_test(set_xcr0),	     cmocka_unit_test(frequency),
		cmocka_unit_test(hypervisor_leaves), cmocka_unit_test(vendor_hides),
	};

	return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
