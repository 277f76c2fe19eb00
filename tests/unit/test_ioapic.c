#include "support.h"

#include "dev/devices.h"
#include "dev/machine.h"

void host_timer_rearm(u64 deadline)
{
}

#define MASKED 0x10000
#define LEVEL  0x8000
#define REMOTE 0x4000

static int setup(void **state)
{
	fake_reset(state);
	return ioapic_create(NULL);
}

static void line(unsigned gsi, bool level)
{
	fake_irqchip_ops->set(fake_irqchip, gsi, level);
}

static u32 get(u8 index)
{
	fake_mmio_write(IOAPIC_BASE, 4, index);
	return fake_mmio_read(IOAPIC_BASE + 0x10, 4);
}

static void set(u8 index, u32 val)
{
	fake_mmio_write(IOAPIC_BASE, 4, index);
	fake_mmio_write(IOAPIC_BASE + 0x10, 4, val);
}

static void program(unsigned pin, u32 low, u32 high)
{
	set(0x11 + 2 * pin, high);
	set(0x10 + 2 * pin, low);
}

static void identification(void **state)
{
	assert_int_equal(get(1), 0x00170020);
	set(0, 0xFFFFFFFF);
	assert_int_equal(get(0), 0x0F000000);
	assert_int_equal(get(2), 0x0F000000);
	assert_int_equal(get(3), 0);
	assert_int_equal(get(0x40), 0);
	set(0x40, 0x55);
	set(0xFF, 0x55);
	assert_int_equal(get(0x10), MASKED);
	assert_int_equal(get(0x3E), MASKED);
	assert_int_equal(get(0x3F), 0);
	assert_int_equal(fake_mmio_read(IOAPIC_BASE + 0x20, 4), 0);
}

static void edge_sends_once(void **state)
{
	program(4, 0x41 | 1 << 11, 0x03000000);
	line(4, true);
	line(4, true);
	assert_int_equal(fake_apic_msgs, 1);
	assert_int_equal(fake_apic_msg.vector, 0x41);
	assert_int_equal(fake_apic_msg.dest, 3);
	assert_true(fake_apic_msg.logical);
	assert_false(fake_apic_msg.level);
	assert_int_equal(fake_apic_msg.delivery, 0);
	line(4, false);
	line(4, true);
	assert_int_equal(fake_apic_msgs, 2);
}

static void masked_edge_is_lost(void **state)
{
	program(4, 0x41 | MASKED, 0);
	line(4, true);
	program(4, 0x41, 0);
	assert_int_equal(fake_apic_msgs, 0);
}

static void the_timer_is_on_pin_2(void **state)
{
	program(0, 0x30, 0);
	program(2, 0x32, 0);
	line(0, true);
	assert_int_equal(fake_apic_msgs, 1);
	assert_int_equal(fake_apic_msg.vector, 0x32);
}

static void level_waits_for_eoi(void **state)
{
	program(9, 0x59 | LEVEL, 0);
	line(9, true);
	assert_int_equal(fake_apic_msgs, 1);
	assert_true(fake_apic_msg.level);
	assert_int_equal(get(0x10 + 18), 0x59 | LEVEL | REMOTE);
	line(9, false);
	line(9, true);
	assert_int_equal(fake_apic_msgs, 1);
	fake_eoi(fake_eoi_chip, 0x58);
	assert_int_equal(fake_apic_msgs, 1);
	fake_eoi(fake_eoi_chip, 0x59); /* still asserted: again */
	assert_int_equal(fake_apic_msgs, 2);
	line(9, false);
	fake_mmio_write(IOAPIC_BASE + 0x40, 4, 0x59); /* the EOI register does the same */
	assert_int_equal(fake_apic_msgs, 2);
	assert_int_equal(get(0x10 + 18), 0x59 | LEVEL);
}

static void masked_level_comes_when_unmasked(void **state)
{
	program(9, 0x59 | LEVEL | MASKED, 0);
	line(9, true);
	assert_int_equal(fake_apic_msgs, 0);
	program(9, 0x59 | LEVEL, 0);
	assert_int_equal(fake_apic_msgs, 1);
	/* Remote IRR is read-only, and goes by switching to edge. */
	set(0x10 + 18, 0x59 | LEVEL);
	assert_int_equal(get(0x10 + 18), 0x59 | LEVEL | REMOTE);
	set(0x10 + 18, 0x59 | MASKED);
	assert_int_equal(get(0x10 + 18), 0x59 | MASKED);
}

static void nobody_accepts(void **state)
{
	fake_apic_deaf = true;
	program(9, 0x59 | LEVEL, 0);
	line(9, true);
	assert_int_equal(get(0x10 + 18), 0x59 | LEVEL);
	fake_eoi(fake_eoi_chip, 0);
	assert_int_equal(get(0x10 + 18), 0x59 | LEVEL);
	fake_apic_deaf = false;
	fake_eoi(fake_eoi_chip, 0); /* somebody might now */
	assert_int_equal(get(0x10 + 18), 0x59 | LEVEL | REMOTE);
	assert_int_equal(fake_apic_msgs, 1);
	fake_eoi(fake_eoi_chip, 0);
	assert_int_equal(fake_apic_msgs, 1);
	/* and a line that is no longer asserted sends nothing */
	line(9, false);
	fake_eoi(fake_eoi_chip, 0x59);
	assert_int_equal(fake_apic_msgs, 1);
}

static void eoi_of_a_shared_vector(void **state)
{
	program(16, 0x60 | LEVEL, 0);
	program(23, 0x60 | LEVEL, 0);
	line(16, true);
	line(23, true);
	assert_int_equal(fake_apic_msgs, 2);
	line(16, false);
	fake_eoi(fake_eoi_chip, 0x60);
	assert_int_equal(fake_apic_msgs, 3);
	line(23, false);
	fake_eoi(fake_eoi_chip, 0x60);
	assert_int_equal(get(0x10 + 46), 0x60 | LEVEL);
	assert_int_equal(fake_apic_msgs, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(identification, setup),
		cmocka_unit_test_setup(edge_sends_once, setup),
		cmocka_unit_test_setup(masked_edge_is_lost, setup),
		cmocka_unit_test_setup(the_timer_is_on_pin_2, setup),
		cmocka_unit_test_setup(level_waits_for_eoi, setup),
		cmocka_unit_test_setup(masked_level_comes_when_unmasked, setup),
		cmocka_unit_test_setup(nobody_accepts, setup),
		cmocka_unit_test_setup(eoi_of_a_shared_vector, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
