/* What an xHCI controller is told, on registers in memory. */
#include "support.h"

#include <string.h>

#include "host/xhci.h"
#include "lib/errno.h"

/* Registers by their offset / 4. */
enum { USBCMD, USBSTS, ERDP = 6 };

static struct xhci x;
static u32 op[2], interrupter[8], doorbell;

void mmio_write_address(volatile u32 *reg, const volatile void *p)
{
	memcpy((void *)reg, &p, sizeof(p));
}

static bool waited;

bool wait_bits(const volatile u32 *reg, u32 mask, u32 want, u32 ms)
{
	assert_ptr_equal(reg, &op[USBSTS]);
	assert_int_equal(want, 1); /* halted, which takes up to 16 ms */
	waited = true;
	return true;
}

bool is_past(u64 deadline)
{
	fake_tsc += tsc_hz / 100;
	return fake_tsc >= deadline;
}

static int setup(void **state)
{
	fake_reset(state);
	memset(op, 0, sizeof(op));
	memset(&x, 0, sizeof(x));
	x.op = op;
	x.interrupter = interrupter;
	x.doorbell = &doorbell;
	x.command.trb = x.commands;
	x.event_cycle = 1;
	op[USBCMD] = 1; /* it runs */
	return 0;
}

static void events_are_taken(void **state)
{
	u64 at;

	interrupter[ERDP] = interrupter[ERDP + 1] = ~0U;
	xhci_events(&x);
	assert_int_equal(interrupter[ERDP], ~0U); /* none yet */
	x.events[0].control = TRB_COMMAND_EVENT | 5 << 24 | 1;
	xhci_events(&x);
	memcpy(&at, &interrupter[ERDP], sizeof(at));
	assert_int_equal(at, (u64)&x.events[1] | 8);
	assert_int_equal(x.new_slot, 5);
}

/* A controller that does not answer is stopped, and asked no more: whether it says that it has stopped or
 * not. */
static void silence_costs_once(void **state)
{
	u64 after;

	assert_int_equal(xhci_command(&x, 0, TRB_ENABLE_SLOT), -EIO);
	assert_true(waited);
	assert_int_equal(op[USBCMD], 0);
	after = fake_tsc;
	assert_int_equal(xhci_command(&x, 0, TRB_ENABLE_SLOT), -EIO);
	assert_int_equal(fake_tsc, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(events_are_taken, setup),
		cmocka_unit_test_setup(silence_costs_once, setup),
	};

	return cmocka_run_group_tests_name("xhci", tests, NULL, NULL);
}
