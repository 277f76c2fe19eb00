/* The MSR policy. */
#include "fake_vcpu.h"
#include "vm/pvclock.h"

#define VENDOR_MSR 0x277

u64 wall_clock_base = 1700000000;
static u64 vendor_value, lapic_value;
static u32 lapic_msr;
static unsigned offset_changes, lapic_changes;

struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	if (leaf == 0)
		return (struct cpuid_regs){0x16, 0, 0, 0};
	if (leaf == 0x80000000)
		return (struct cpuid_regs){0x80000008, 0, 0, 0};
	if (leaf == 0x80000008)
		return (struct cpuid_regs){0x3028, 0, 0, 0}; /* 40 bits */
	if (leaf == 7)
		return (struct cpuid_regs){0, 0, 0, BIT(29)};
	return (struct cpuid_regs){0};
}

int rdmsr_safe(u32 msr, u64 *val)
{
	assert_int_equal(msr, 0x10A);
	*val = ~0ULL;
	return 0;
}

static bool is_lapic(u32 msr)
{
	return msr == 0x1B || msr == 0x6E0 || msr >> 8 == 8;
}

int lapic_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	if (!is_lapic(msr))
		return -ENOENT;
	lapic_msr = msr;
	*val = lapic_value;
	return msr == 0x8FF ? -EPERM : 0;
}

int lapic_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	if (!is_lapic(msr))
		return -ENOENT;
	lapic_msr = msr;
	lapic_value = val;
	return msr == 0x8FF ? -EPERM : 0;
}

void lapic_tsc_changed(struct vcpu *v)
{
	lapic_changes++;
}

static int vendor_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	*val = vendor_value;
	return msr == VENDOR_MSR ? 0 : -ENOENT;
}

static int vendor_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	if (msr != VENDOR_MSR)
		return -ENOENT;
	if (val == 2)
		return -EPERM;
	vendor_value = val;
	return 0;
}

static void tsc_offset_changed(struct vcpu *v)
{
	offset_changes++;
}

static void setup(void)
{
	make_vcpu(64);
	ops.rdmsr = vendor_rdmsr;
	ops.wrmsr = vendor_wrmsr;
	ops.tsc_offset_changed = tsc_offset_changed;
	offset_changes = lapic_changes = 0;
	tsc_hz = 2500000000;
	fake_tsc = 1000;
	cpuid_policy_init();
	assert_int_equal(msr_create(&vcpu), 0);
}

/* Does an exit for RDMSR of msr end in #GP? */
static bool rd_gp(u32 msr)
{
	vcpu.regs[RCX] = msr;
	exception = -1;
	exit_rdmsr(&vcpu);
	return exception == X86_GP;
}

static u64 rd(u32 msr)
{
	if (rd_gp(msr))
		fail_msg("MSR %x gives #GP", msr);
	return vcpu.regs[RDX] << 32 | vcpu.regs[RAX];
}

static int wr(u32 msr, u64 val)
{
	vcpu.regs[RCX] = msr;
	vcpu.regs[RAX] = val;
	vcpu.regs[RDX] = val >> 32;
	exception = -1;
	exit_wrmsr(&vcpu);
	return exception == X86_GP ? -EPERM : 0;
}

static void exits(void **state)
{
	setup();
	vcpu.regs[RCX] = 0xFFFFFFFF0000001B;
	exit_rdmsr(&vcpu);
	assert_true(vcpu.regs[RAX] == 0xFEE00900 && vcpu.regs[RDX] == 0);
	assert_int_equal(skipped, 1);
	vcpu.regs[RCX] = VENDOR_MSR;
	vcpu.regs[RAX] = 0xFFFFFFFF04040404;
	vcpu.regs[RDX] = 0xFFFFFFFF06060606;
	exit_wrmsr(&vcpu);
	assert_true(vendor_value == 0x0606060604040404);
	exit_rdmsr(&vcpu);
	assert_true(vcpu.regs[RAX] == 0x04040404 && vcpu.regs[RDX] == 0x06060606);
	assert_int_equal(skipped, 3);
	vcpu.regs[RCX] = 0x12345;
	exit_rdmsr(&vcpu);
	assert_int_equal(exception, X86_GP);
	exception = -1;
	exit_wrmsr(&vcpu);
	assert_int_equal(exception, X86_GP);
	assert_int_equal(skipped, 3);
	assert_int_equal(vm.unknown_msrs, 2);
	assert_int_equal(vm.last_unknown_msr, 0x12345);
	assert_int_equal(wr(VENDOR_MSR, 2), -EPERM);	   /* no memory type */
	assert_int_equal(wr(0xC0000100, BIT(47)), -EPERM); /* FS_BASE: not canonical */
	assert_int_equal(vm.unknown_msrs, 2);
}

static void efer(void **state)
{
	setup();
	vregs[VREG_EFER] = EFER_LME | EFER_LMA;
	vregs[VREG_CR0] = CR0_PE | CR0_PG;
	assert_true(rd(0xC0000080) == (EFER_LME | EFER_LMA));
	assert_int_equal(wr(0xC0000080, EFER_LMA), -EPERM); /* LME, while paging is on */
	assert_int_equal(wr(0xC0000080, EFER_LME | EFER_SVME), -EPERM);
	assert_int_equal(wr(0xC0000080, EFER_LME | EFER_NXE), 0);
	assert_true(vregs[VREG_EFER] == (EFER_LME | EFER_LMA | EFER_NXE));
	vregs[VREG_CR0] = CR0_PE;
	vregs[VREG_EFER] = EFER_LME;
	assert_int_equal(wr(0xC0000080, EFER_LMA | EFER_SCE), 0);
	assert_true(vregs[VREG_EFER] == EFER_SCE);
}

/* What Linux reads and writes (and more) must not be #GP. */
static void known(void **state)
{
	static const u32 read[] = {0x1B,  0x34,	 0x3A,	     0x3B,	 0x8B,	     0xCE,	 0xFE,
				   0x140, 0x179, 0x17A,	     0x1A0,	 0x250,	     0x258,	 0x259,
				   0x277, 0x2FF, 0x10,	     0x12,	 0x4B564D00, 0xC0010015, 0x10A,
				   0x17,  0x2A,	 0x4B564D01, 0xC001001F, 0xC0011029, 0xC0010114, 0xC0010064};

	setup();
	for (unsigned i = 0; i < ARRAY_SIZE(read); i++)
		rd(read[i]);
	for (u32 msr = 0x200; msr < 0x210; msr++)
		rd(msr);
	for (u32 msr = 0x268; msr < 0x270; msr++)
		assert_true(rd(msr) == 0x0505050505050505);
	assert_true(rd(0x3A) == 1);
	assert_true(rd(0x8B) == 1ULL << 32);
	assert_true(rd(0xCE) == 25 << 8);
	assert_true(rd(0xFE) == 0x508);
	assert_true(rd(0x10A) == 0x1D1AE17D);
	assert_true(rd(0xC0010064) == 0 && rd(0xC001006B) == 0); /* no valid P-state */
	assert_true(rd_gp(0x64E) && rd_gp(0x48) && rd_gp(0x49) && rd_gp(0x480) && rd_gp(0x6E1));
	assert_int_equal(wr(0x8B, 0), 0);
	assert_int_equal(wr(0x140, 0), 0);
	assert_int_equal(wr(0x140, 1), -EPERM);
	assert_int_equal(wr(0x3A, 5), -EPERM);
	assert_int_equal(wr(0xFE, 0), -EPERM);
	assert_int_equal(wr(0x10A, 0), -EPERM);
	assert_int_equal(wr(0x17B, ~0ULL), 0);
}

static void stored(void **state)
{
	setup();
	assert_true(rd(0x200) == 0xC0000000 && rd(0x201) == 0xFFC0000800); /* of 40 bits */
	assert_true(rd(0x2FF) == 0xC06 && rd(0x250) == 0x0606060606060606 && rd(0x259) == 0);
	for (u32 msr = 0x202; msr < 0x210; msr++)
		assert_int_equal(wr(msr, (u64)msr << 12 | 0x800 * (msr & 1)), 0);
	for (u32 msr = 0x202; msr < 0x210; msr++)
		assert_true(rd(msr) == ((u64)msr << 12 | 0x800 * (msr & 1)));
	assert_int_equal(wr(0x201, 1), -EPERM);
	assert_int_equal(wr(0x200, 0x100), -EPERM);
	assert_int_equal(wr(0x2FF, 0x100), -EPERM);
	assert_true(rd(0x200) == 0xC0000000 && rd(0x2FF) == 0xC06);
	assert_int_equal(wr(0x26F, 0x0102), 0);
	assert_true(rd(0x26F) == 0x0102 && rd(0x2FF) == 0xC06);
	assert_int_equal(wr(0x1A0, rd(0x1A0) & ~1ULL), 0);
	assert_true(rd(0x1A0) == 0x1800);
	assert_int_equal(wr(0xC0010015, 0x40), 0);
	assert_true(rd(0xC0010015) == 0x40);
}

static void tsc(void **state)
{
	setup();
	vcpu.tsc_offset = -500;
	assert_true(rd(0x10) == 500);
	assert_int_equal(wr(0x10, 10000), 0);
	assert_true(rd(0x10) == 10000 && rd(0x3B) == 9500);
	assert_int_equal(wr(0x3B, 9000), 0);
	assert_true(rd(0x10) == 9500 && rd(0x3B) == 9000);
	assert_int_equal(offset_changes, 2);
	assert_int_equal(lapic_changes, 2);
	fake_tsc += 7;
	assert_true(rd(0x10) == 9507);
}

static void clocks(void **state)
{
	struct pvclock_time t;

	setup();
	assert_int_equal(wr(MSR_KVM_SYSTEM_TIME, 0x2001), 0);
	assert_true(rd(MSR_KVM_SYSTEM_TIME) == 0x2001);
	memcpy(&t, ram + 0x2000, sizeof(t));
	assert_true(t.tsc_timestamp == 1000);
	wr(0x10, 0);
	memcpy(&t, ram + 0x2000, sizeof(t));
	assert_true(t.tsc_timestamp == 0 && t.system_time == 400);
	assert_int_equal(wr(MSR_KVM_WALL_CLOCK_OLD, 0x3000), 0);
	assert_true(rd(MSR_KVM_WALL_CLOCK_OLD) == 0x3000);
	assert_int_equal(*(u32 *)(ram + 0x3004), 1700000000);
}

static void lapic(void **state)
{
	setup();
	assert_int_equal(wr(0x6E0, 77), 0);
	assert_int_equal(lapic_msr, 0x6E0);
	assert_true(rd(0x6E0) == 77);
	rd(0x800);
	assert_int_equal(lapic_msr, 0x800);
	assert_true(rd_gp(0x8FF));
	assert_int_equal(wr(0x8FF, 0), -EPERM);
	assert_int_equal(wr(0x1B, LAPIC_BASE), 0);
	assert_int_equal(lapic_msr, 0x1B);
	assert_true(rd_gp(0x900) && rd_gp(0x7FF));
}

static unsigned passed;

static void note(void *arg, u32 msr)
{
	assert_true(msr < 0x2000 || (msr >= 0xC0000000 && msr < 0xC0002000)); /* has a place in the bitmaps */
	passed++;
}

static void passthrough(void **state)
{
	passed = 0;
	msr_policy_passthrough(note, NULL);
	assert_int_equal(passed, 3 + 4 + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits),  cmocka_unit_test(efer),	 cmocka_unit_test(known),
		cmocka_unit_test(stored), cmocka_unit_test(tsc),	 cmocka_unit_test(clocks),
		cmocka_unit_test(lapic),  cmocka_unit_test(passthrough),
	};

	return cmocka_run_group_tests_name("msr", tests, NULL, NULL);
}
