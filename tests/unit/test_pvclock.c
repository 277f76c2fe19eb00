/* The paravirtual clock, read as a guest reads it. */
#include "fake_vcpu.h"
#include "vm/pvclock.h"

u64 wall_clock_base = 1700000000;

#define PAGE 0x2004 /* aligned to 4 only */

static void setup(void)
{
	make_vcpu(64);
	tsc_hz = 1000000000;
	fake_tsc = 0;
	assert_int_equal(pvclock_create(&vcpu), 0);
}

/* Linux Documentation/virt/kvm/x86/msr.rst. */
static u64 guest_time(u64 guest_tsc)
{
	struct pvclock_time t;
	u64 delta;

	memcpy(&t, ram + PAGE, sizeof(t));
	assert_int_equal(t.version & 1, 0);
	assert_int_not_equal(t.version, 0);
	assert_int_equal(t.flags, PVCLOCK_TSC_STABLE);
	delta = guest_tsc - t.tsc_timestamp;
	delta = t.tsc_shift < 0 ? delta >> -t.tsc_shift : delta << t.tsc_shift;
	return t.system_time + (u64)((unsigned __int128)delta * t.tsc_to_system_mul >> 32);
}

static void layout(void **state)
{
	assert_int_equal(sizeof(struct pvclock_time), 32);
	assert_int_equal(offsetof(struct pvclock_time, tsc_timestamp), 8);
	assert_int_equal(offsetof(struct pvclock_time, tsc_to_system_mul), 24);
	assert_int_equal(offsetof(struct pvclock_time, flags), 29);
	assert_int_equal(sizeof(struct pvclock_wall), 12);
}

static void rates(void **state)
{
	static const u64 hz[] = {100000000,  999999999,	 1000000000, 1000000001, 2000000000, 2000000001,
				 2893202447, 3500000000, 4000000001, 9999999999, 25000000};

	for (unsigned i = 0; i < ARRAY_SIZE(hz); i++) {
		u64 now, want;

		setup();
		tsc_hz = hz[i];
		fake_tsc = hz[i] * 7;
		vcpu.tsc_offset = -fake_tsc + 12345;
		pvclock_write_system(&vcpu, PAGE | 1);
		assert_true(guest_time(12345) / 10 == 700000000);
		now = 12345 + 3600 * hz[i]; /* an hour later */
		want = 3607 * 1000000000ULL;
		now = guest_time(now);
		assert_in_range(now, want - 2000, want + 2000);
	}
}

static void wall(void **state)
{
	struct pvclock_wall w;

	setup();
	pvclock_write_wall(&vcpu, 0x2004);
	memcpy(&w, ram + 0x2004, sizeof(w));
	assert_int_equal(w.sec, 1700000000);
	assert_int_equal(w.nsec, 0);
	assert_int_equal(w.version & 1, 0);
}

static void tsc_moves(void **state)
{
	setup();
	fake_tsc = 5000;
	pvclock_write_system(&vcpu, PAGE | 1);
	vcpu.tsc_offset = 1 << 20;
	pvclock_tsc_changed(&vcpu);
	assert_true(guest_time(5000 + (1 << 20)) == 5000);
	/* off: nothing is written any more */
	memset(ram + PAGE, 0, 32);
	pvclock_write_system(&vcpu, PAGE);
	pvclock_tsc_changed(&vcpu);
	assert_int_equal(ram[PAGE], 0);
}

static void bad_addresses(void **state)
{
	setup();
	pvclock_write_system(&vcpu, RAM_SIZE - 16 + 1);
	pvclock_write_system(&vcpu, 0xFEC00001);
	pvclock_write_system(&vcpu, ~0ULL);
	pvclock_write_wall(&vcpu, RAM_SIZE - 4);
	pvclock_write_wall(&vcpu, ~0ULL);
	pvclock_write_system(&vcpu, ROM_GPA | 1);
	assert_int_equal(rom[24], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),    cmocka_unit_test(rates),	      cmocka_unit_test(wall),
		cmocka_unit_test(tsc_moves), cmocka_unit_test(bad_addresses),
	};

	return cmocka_run_group_tests_name("pvclock", tests, NULL, NULL);
}
