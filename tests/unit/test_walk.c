#include "support.h"

#include <string.h>

#include "host/cpu.h"
#include "lib/errno.h"
#include "vm/vm.h"

#define P  1
#define W  2
#define U  4
#define A  0x20
#define D  0x40
#define PS 0x80
#define NX BIT(63)
#define AC BIT(18)

static struct vm vm;
static struct vcpu v;
static u64 cr0, cr3, cr4, efer, rflags;
static struct segment cs, ss;
static u64 ram[8 * MiB / 8];

static u64 get(struct vcpu *vc, enum vreg r)
{
	switch (r) {
	case VREG_CR0:
		return cr0;
	case VREG_CR3:
		return cr3;
	case VREG_CR4:
		return cr4;
	case VREG_EFER:
		return efer;
	case VREG_RFLAGS:
		return rflags;
	default:
		return 0;
	}
}

static void get_seg(struct vcpu *vc, enum seg s, struct segment *out)
{
	*out = s == SEG_CS ? cs : ss;
}

static const struct vcpu_ops ops = {.get = get, .get_seg = get_seg};

static int setup(void **state)
{
	fake_reset(state);
	memset(&vm, 0, sizeof(vm));
	memset(ram, 0, sizeof(ram));
	vm.slots[0] = (struct memslot){.gpa = 0, .size = sizeof(ram), .host = (u8 *)ram};
	vm.slot_count = 1;
	v = (struct vcpu){.vm = &vm, .ops = &ops};
	cr0 = CR0_PE | CR0_PG | CR0_WP;
	cr4 = CR4_PAE;
	efer = EFER_LMA | EFER_LME | EFER_NXE;
	cr3 = 0x1000;
	rflags = 0;
	return 0;
}

static u64 *entry64(u64 table, unsigned i)
{
	return &ram[table / 8 + i];
}

static u32 *entry32(u64 table, unsigned i)
{
	return (u32 *)ram + table / 4 + i;
}

static void expect(u64 gva, u32 access, u64 want)
{
	struct page_walk w;

	assert_int_equal(vcpu_translate(&v, gva, access, &w), 0);
	assert_int_equal(w.gpa, want);
}

static void expect_fault(u64 gva, u32 access, u32 want)
{
	struct page_walk w;

	assert_int_equal(vcpu_translate(&v, gva, access, &w), -EFAULT);
	assert_int_equal(w.error, want);
}

static void test_no_paging(void **state)
{
	cr0 = 0;
	expect(0xFFFF0, PF_WRITE | PF_USER, 0xFFFF0);
	expect(0x123456789, 0, 0x23456789);
}

/* 4-level tables at 1000h..4000h that map 40000000h.. ; gva 0x40201000 has its own page */
static const u64 gva = 0x40201000;
static void build4(u64 rights)
{
	*entry64(0x1000, 0) = 0x2000 | P | W | U;
	*entry64(0x2000, 1) = 0x3000 | P | W | U;
	*entry64(0x3000, 1) = 0x4000 | P | W | U;
	*entry64(0x4000, 1) = 0x5000 | rights;
}

static void test_4_level(void **state)
{
	build4(P | W);
	expect(gva + 0x123, 0, 0x5123);
	assert_int_equal(*entry64(0x1000, 0), 0x2000 | P | W | U | A);
	assert_int_equal(*entry64(0x4000, 1), 0x5000 | P | W | A);
	expect(gva, PF_WRITE, 0x5000);
	assert_int_equal(*entry64(0x4000, 1), 0x5000 | P | W | A | D);
	assert_int_equal(*entry64(0x3000, 1), 0x4000 | P | W | U | A);
	cr3 |= 0xFFF; /* a PCID */
	expect(gva + 0xFFF, PF_FETCH, 0x5FFF);
	expect_fault(gva + 0x1000, PF_WRITE, PF_WRITE);
	expect_fault(gva + 2 * MiB, PF_USER | PF_FETCH, PF_USER | PF_FETCH);
}

static void test_non_canonical(void **state)
{
	struct page_walk w;

	assert_int_equal(vcpu_translate(&v, BIT(47), 0, &w), -EINVAL);
	assert_int_equal(vcpu_translate(&v, 0xFFFF7FFFFFFFFFFFULL, 0, &w), -EINVAL);
	expect_fault(0xFFFF800000000000ULL, 0, 0);
}

static void test_rights(void **state)
{
	build4(P | W);
	expect_fault(gva, PF_USER, PF_PRESENT | PF_USER);
	assert_int_equal(*entry64(0x4000, 1) & A, 0);
	build4(P | U);
	expect(gva, PF_USER, 0x5000);
	expect_fault(gva, PF_USER | PF_WRITE, PF_PRESENT | PF_USER | PF_WRITE);
	expect_fault(gva, PF_WRITE, PF_PRESENT | PF_WRITE);
	cr0 &= ~CR0_WP;
	expect(gva, PF_WRITE, 0x5000);
	expect_fault(gva, PF_USER | PF_WRITE, PF_PRESENT | PF_USER | PF_WRITE);
	cr0 |= CR0_WP;
	build4(P | W | U);
	*entry64(0x2000, 1) &= ~(u64)W; /* the least of all levels counts */
	expect_fault(gva, PF_WRITE, PF_PRESENT | PF_WRITE);
	build4(P | W | U);
	*entry64(0x1000, 0) &= ~(u64)U;
	expect_fault(gva, PF_USER, PF_PRESENT | PF_USER);
}

static void test_nx_smep_smap(void **state)
{
	build4(P | W | NX);
	expect_fault(gva, PF_FETCH, PF_PRESENT | PF_FETCH);
	expect(gva, PF_WRITE, 0x5000);
	efer &= ~EFER_NXE;
	expect_fault(gva, 0, PF_PRESENT | PF_RSVD);
	efer |= EFER_NXE;
	build4(P | W | U);
	*entry64(0x3000, 1) |= NX;
	expect_fault(gva, PF_FETCH | PF_USER, PF_PRESENT | PF_FETCH | PF_USER);

	build4(P | W | U);
	expect(gva, PF_FETCH, 0x5000);
	cr4 |= CR4_SMEP;
	expect_fault(gva, PF_FETCH, PF_PRESENT | PF_FETCH);
	expect(gva, PF_FETCH | PF_USER, 0x5000);
	cr4 |= CR4_SMAP;
	expect_fault(gva, PF_WRITE, PF_PRESENT | PF_WRITE);
	expect(gva, PF_WRITE | PF_USER, 0x5000);
	rflags = AC;
	expect(gva, PF_WRITE, 0x5000);
	expect_fault(gva, PF_FETCH, PF_PRESENT | PF_FETCH);
}

static void test_large_pages(void **state)
{
	build4(P | W);
	*entry64(0x3000, 2) = 0x600000 | P | W | PS;
	expect(0x40400000 + 0x12345, PF_WRITE, 0x612345);
	assert_int_equal(*entry64(0x3000, 2), 0x600000 | P | W | PS | A | D);
	*entry64(0x3000, 3) = 0x600000 | P | W | PS | BIT(12); /* PAT */
	expect(0x40600000, 0, 0x600000);
	*entry64(0x3000, 3) |= BIT(13);
	expect_fault(0x40600000, 0, PF_PRESENT | PF_RSVD);
	*entry64(0x2000, 5) = 0x1C0000000 | P | PS;
	expect(0x140000000 + 0x3FFFFFFF, 0, 0x1FFFFFFFF);
	*entry64(0x1000, 1) = P | PS;
	expect_fault(BIT(39), 0, PF_PRESENT | PF_RSVD);
}

static void test_tables_outside_ram(void **state)
{
	cr3 = 0x40000000;
	expect_fault(gva, PF_WRITE, PF_PRESENT | PF_RSVD | PF_WRITE);
	build4(P);
	cr3 = 0x1000;
	*entry64(0x3000, 1) = 0xFFFFFFFFFF000ULL | P | W;
	expect_fault(gva, 0, PF_PRESENT | PF_RSVD);
}

static void test_5_level(void **state)
{
	cr4 |= CR4_LA57;
	build4(P | W);
	*entry64(0x8000, 256) = 0x1000 | P | W;
	cr3 = 0x8000;
	expect(0xFF00000000000000ULL + gva, 0, 0x5000);
	assert_true(*entry64(0x8000, 256) & A);
	expect_fault(0x00FF000000000000ULL, 0, 0);
}

static void test_pae(void **state)
{
	efer = EFER_NXE;
	cr3 = 0x1020;
	*entry64(0x1020, 1) = 0x3000 | P;
	*entry64(0x3000, 1) = 0x4000 | P | W | U;
	*entry64(0x4000, 1) = 0x5000 | P | W | U | NX;
	expect(gva, PF_WRITE | PF_USER, 0x5000); /* PDPTEs have no rights */
	assert_int_equal(*entry64(0x1020, 1), 0x3000 | P);
	expect(0xFFFFFFFF00000000ULL + gva, 0, 0x5000);
	expect_fault(gva, PF_FETCH, PF_PRESENT | PF_FETCH);
	*entry64(0x3000, 2) = 0x600000 | P | PS;
	expect(0x40412345, 0, 0x612345);
	*entry64(0x1020, 1) |= W;
	expect_fault(gva, 0, PF_PRESENT | PF_RSVD);
	expect_fault(0xC0000000, PF_WRITE, PF_WRITE);
}

static void test_32_bit(void **state)
{
	efer = cr4 = 0;
	*entry32(0x1000, 0x100) = 0x4000 | P | W | U;
	*entry32(0x4000, 0x201) = 0x5000 | P | W | U;
	expect(gva + 0x234, PF_WRITE, 0x5234);
	assert_int_equal(*entry32(0x4000, 0x201), 0x5000 | P | W | U | A | D);
	assert_int_equal(*entry32(0x1000, 0x100), 0x4000 | P | W | U | A);
	assert_int_equal(*entry32(0x4000, 0x202), 0);
	expect_fault(gva + 0x1000, PF_FETCH, 0); /* no NX here: fetches are not told apart */

	*entry32(0x1000, 0x300) = 0x400000 | P | PS;
	*entry32(0x400000, 0) = 0x7000 | P;
	expect(0xC0000000, 0, 0x7000); /* PS means nothing without CR4.PSE */
	cr4 = CR4_PSE;
	expect(0xC0012345, 0, 0x412345);
	*entry32(0x1000, 0x301) = 0x400000 | P | PS | 5 << 13; /* PSE-36 */
	expect(0xC0412345, 0, 0x500412345);
	*entry32(0x1000, 0x301) |= BIT(21);
	expect_fault(0xC0412345, 0, PF_PRESENT | PF_RSVD);
}

static void test_mode(void **state)
{
	cs.attr = BIT(13) | BIT(7);
	ss.attr = 3 << 5;
	assert_int_equal(vcpu_code_bits(&v), 64);
	assert_int_equal(vcpu_cpl(&v), 3);
	efer = 0;
	assert_int_equal(vcpu_code_bits(&v), 16);
	cs.attr = BIT(14);
	assert_int_equal(vcpu_code_bits(&v), 32);
	ss.attr = 0;
	assert_int_equal(vcpu_cpl(&v), 0);
	rflags = RFLAGS_VM;
	assert_int_equal(vcpu_cpl(&v), 3);
	cr0 = 0;
	assert_int_equal(vcpu_cpl(&v), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_no_paging, setup),
		cmocka_unit_test_setup(test_4_level, setup),
		cmocka_unit_test_setup(test_non_canonical, setup),
		cmocka_unit_test_setup(test_rights, setup),
		cmocka_unit_test_setup(test_nx_smep_smap, setup),
		cmocka_unit_test_setup(test_large_pages, setup),
		cmocka_unit_test_setup(test_tables_outside_ram, setup),
		cmocka_unit_test_setup(test_5_level, setup),
		cmocka_unit_test_setup(test_pae, setup),
		cmocka_unit_test_setup(test_32_bit, setup),
		cmocka_unit_test_setup(test_mode, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
