#include "support.h"

#include "host/mtrr.h"

#define E	  BIT(11)
#define FE	  BIT(10)
#define VALID	  BIT(11)
#define PA_MASK	  (BIT(39) - 1)
#define ALL_SIXES 0x0606060606060606ULL

enum { UC = 0, WC = 1, WT = 4, WP = 5, WB = 6 };

/* The usual PC: WB by default, a hole below 4 GiB, the VGA uncached. */
static struct mtrr_state pc(void)
{
	struct mtrr_state m = {.cap = BIT(8) | 8, .def_type = E | FE | WB, .pa_mask = PA_MASK};

	for (int i = 0; i < 11; i++)
		m.fixed[i] = ALL_SIXES;
	m.fixed[2] = 0;
	m.variable[0].base = 0xC0000000 | UC;
	m.variable[0].mask = (PA_MASK & ~(GiB - 1)) | VALID;
	return m;
}

static void usual(void **state)
{
	struct mtrr_state m = pc();

	assert_int_equal(mtrr_state_type(&m, 0, 0xA0000), WB);
	assert_int_equal(mtrr_state_type(&m, 0xA0000, 0x20000), UC);
	assert_int_equal(mtrr_state_type(&m, 0, MiB), -1);
	assert_int_equal(mtrr_state_type(&m, 0, 2 * MiB), -1);
	assert_int_equal(mtrr_state_type(&m, MiB, 0xC0000000 - MiB), WB);
	assert_int_equal(mtrr_state_type(&m, 0xC0000000, GiB), UC);
	assert_int_equal(mtrr_state_type(&m, 0xBFFFF000, 0x1000), WB);
	assert_int_equal(mtrr_state_type(&m, 0xBFFFF000, 0x2000), -1);
	assert_int_equal(mtrr_state_type(&m, 4 * GiB, 60 * GiB), WB);
	assert_int_equal(mtrr_state_type(&m, 3 * GiB, 2 * GiB), -1);
}

static void fixed_ranges(void **state)
{
	struct mtrr_state m = pc();

	m.fixed[0] = (ALL_SIXES & ~(0xFFULL << 56)) | (u64)WT << 56;  /* 70000h */
	m.fixed[1] = (ALL_SIXES & ~0xFFULL) | WP;		      /* 80000h, 16 KiB */
	m.fixed[10] = (ALL_SIXES & ~(0xFFULL << 56)) | (u64)WP << 56; /* FF000h */
	assert_int_equal(mtrr_state_type(&m, 0x60000, 0x10000), WB);
	assert_int_equal(mtrr_state_type(&m, 0x70000, 0x10000), WT);
	assert_int_equal(mtrr_state_type(&m, 0x80000, 0x4000), WP);
	assert_int_equal(mtrr_state_type(&m, 0x84000, 0x1000), WB);
	assert_int_equal(mtrr_state_type(&m, 0xF8000, 0x7000), WB);
	assert_int_equal(mtrr_state_type(&m, 0xFF000, 0x1000), WP);
	m.def_type &= ~FE; /* the variable ranges and the default rule below 1 MiB too */
	assert_int_equal(mtrr_state_type(&m, 0, 2 * MiB), WB);
}

static void overlaps(void **state)
{
	struct mtrr_state m = pc();

	m.def_type = E | UC;
	m.variable[0].base = 0 | WB;
	m.variable[0].mask = (PA_MASK & ~(4 * GiB - 1)) | VALID;
	m.variable[1].base = GiB | WT;
	m.variable[1].mask = (PA_MASK & ~(256 * MiB - 1)) | VALID;
	m.variable[2].base = 2 * GiB | UC;
	m.variable[2].mask = (PA_MASK & ~(256 * MiB - 1)) | VALID;
	m.variable[3].base = 3 * GiB | WC; /* not valid */
	m.variable[3].mask = PA_MASK & ~(256 * MiB - 1);
	assert_int_equal(mtrr_state_type(&m, 0, GiB), WB);
	assert_int_equal(mtrr_state_type(&m, GiB, 256 * MiB), WT);
	assert_int_equal(mtrr_state_type(&m, GiB, GiB), -1);
	assert_int_equal(mtrr_state_type(&m, 2 * GiB, 256 * MiB), UC);
	assert_int_equal(mtrr_state_type(&m, 3 * GiB, GiB), WB);
	assert_int_equal(mtrr_state_type(&m, 4 * GiB, GiB), UC);
}

static void odd(void **state)
{
	struct mtrr_state m = pc();

	m.variable[0].mask = BIT(30) | VALID; /* a mask with holes: each second GiB */
	m.variable[0].base = BIT(30) | UC;
	assert_int_equal(mtrr_state_type(&m, 2 * GiB, GiB), WB);
	assert_int_equal(mtrr_state_type(&m, 3 * GiB, GiB), UC);
	assert_int_equal(mtrr_state_type(&m, 5 * GiB, GiB), UC);
	assert_int_equal(mtrr_state_type(&m, 4 * GiB, 2 * GiB), -1);
	m.variable[0].mask = VALID; /* everything */
	assert_int_equal(mtrr_state_type(&m, 2 * GiB, 8 * GiB), UC);
	m.def_type = WB; /* off: all is UC */
	assert_int_equal(mtrr_state_type(&m, 0, 8 * GiB), UC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual),
		cmocka_unit_test(fixed_ranges),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
