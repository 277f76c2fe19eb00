#include "support.h"

#include <string.h>

#include "dev/machine.h"
#include "guest_memory.h"
#include "load/load.h"

/* Where vector n leads, and the segment it leads through. */
static u64 target(unsigned n, u16 *cs)
{
	u16 v[2];

	memcpy(v, test_ram + 4 * n, 4);
	*cs = v[1];
	return v[1] * 16ULL + v[0];
}

static void a_call_ends_the_vm(void **state)
{
	u16 cs;

	fake_reset(state);
	make_vm(GUEST_FLAT, MiB);
	assert_int_equal(load_no_bios(&test_vm), 0);
	for (unsigned n = 0x10; n < 256; n++) {
		char number[16];

		assert_memory_equal(test_ram + target(n, &cs), "\x8C\xC8\xE7", 3);
		captured_reset();
		fake_out(PORT_NO_BIOS, 2, cs);
		ksnprintf(number, sizeof(number), "INT %02Xh", n);
		assert_non_null(strstr(captured(), number));
	}
	assert_int_equal(fake_end, VM_DIED);
	for (unsigned n = 0; n < 0x10; n++)
		assert_int_equal(target(n, &cs), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_call_ends_the_vm)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
