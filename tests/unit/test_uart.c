#include "support.h"

#include "dev/devices.h"
#include "dev/machine.h"

void host_timer_rearm(u64 deadline)
{
}

#define PORT(reg) (PORT_COM1 + (reg))
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static unsigned in(unsigned reg)
{
	return fake_in(PORT(reg), 1);
}

static void out(unsigned reg, unsigned val)
{
	fake_out(PORT(reg), 1, val);
}

static int setup(void **state)
{
	fake_reset(state);
	return uart_create(NULL);
}

static void sends_at_once(void **state)
{
	out(LCR, 3);
	for (const char *s = "hello"; *s; s++) {
		assert_int_equal(in(LSR)&0x60, 0x60);
		out(DATA, *s);
	}
	assert_string_equal(fake_console_out, "hello");
	assert_false(fake_irq[IRQ_COM1]);
}

static void divisor_latch_hides_data_and_ier(void **state)
{
	out(IER, 5);
	out(LCR, 0x83);
	out(DATA, 0x0C);
	out(IER, 0x01);
	assert_int_equal(in(DATA), 0x0C);
	assert_int_equal(in(IER), 0x01);
	out(LCR, 3);
	assert_int_equal(in(IER), 5);
	assert_int_equal(fake_console_len, 0);
}

/* What Linux' autoconfig() asks. */
static void probes_as_16550a(void **state)
{
	out(IER, 0);
	assert_int_equal(in(IER)&0x0F, 0);
	out(IER, 0x0F);
	assert_int_equal(in(IER)&0x0F, 0x0F);
	out(IER, 0);
	out(MCR, 0x1A);
	assert_int_equal(in(MSR)&0xF0, 0x90);
	out(MCR, 0);
	assert_int_equal(in(MSR)&0xF0, 0xB0);
	out(6 + 1, 0x5A);
	assert_int_equal(in(SCR), 0x5A);
	assert_int_equal(in(IIR) >> 6, 0);
	out(IIR, 1);
	assert_int_equal(in(IIR) >> 6, 3);
}

/* serial8250_do_startup(): is THRE raised again when its enable bit is set again? */
static void thre_interrupt_on_every_enable(void **state)
{
	out(IER, 2);
	assert_true(fake_irq[IRQ_COM1]);
	assert_int_equal(in(IIR)&0x0F, 2);
	assert_false(fake_irq[IRQ_COM1]);
	assert_int_equal(in(IIR)&0x0F, 1);
	out(IER, 0);
	out(IER, 2);
	assert_int_equal(in(IIR)&0x0F, 2);
	out(IER, 0);
	assert_int_equal(in(IIR)&0x0F, 1);
}

static void thre_interrupt_after_each_write(void **state)
{
	unsigned rises;

	out(IER, 2);
	in(IIR);
	out(DATA, 'a');
	assert_true(fake_irq[IRQ_COM1]);
	/* Without FIFO every byte gives an edge even if nobody reads IIR. */
	rises = fake_irq_rises[IRQ_COM1];
	out(DATA, 'b');
	assert_int_equal(fake_irq_rises[IRQ_COM1], rises + 1);
	out(IIR, 1);
	out(DATA, 'c');
	assert_int_equal(fake_irq_rises[IRQ_COM1], rises + 1);
	assert_int_equal(in(IIR), 0xC2);
	out(DATA, 'd');
	assert_int_equal(fake_irq_rises[IRQ_COM1], rises + 2);
	assert_string_equal(fake_console_out, "abcd");
}

static void receives_with_trigger_levels(void **state)
{
	out(IIR, 0x41); /* FIFO, trigger at 4 */
	out(IER, 1);
	fake_console_type("abc");
	assert_true(fake_irq[IRQ_COM1]);
	assert_int_equal(in(IIR), 0xCC); /* below the level: as a timeout */
	assert_int_equal(in(LSR)&1, 1);
	fake_console_type("defghijklmnopqrstuv");
	assert_int_equal(in(IIR), 0xC4);
	for (char c = 'a'; c <= 'v'; c++)
		assert_int_equal(in(DATA), c);
	assert_int_equal(in(LSR)&1, 0);
	assert_false(fake_irq[IRQ_COM1]);
	assert_int_equal(in(DATA), 0);
}

static void receives_without_fifo(void **state)
{
	out(IER, 1);
	fake_console_type("xyz");
	assert_int_equal(in(IIR), 4);
	assert_int_equal(in(DATA), 'x');
	assert_true(fake_irq[IRQ_COM1]);
	assert_int_equal(in(DATA), 'y');
	assert_int_equal(in(DATA), 'z');
	assert_false(fake_irq[IRQ_COM1]);
}

static void fifo_clear_drops_input(void **state)
{
	out(IIR, 1);
	fake_console_type("12");
	out(IIR, 3);
	assert_int_equal(in(LSR)&1, 0);
}

static void loopback_receives_what_it_sends(void **state)
{
	out(IIR, 1);
	out(MCR, 0x10);
	out(IER, 5);
	for (int i = 0; i < 17; i++)
		out(DATA, i);
	assert_int_equal(fake_console_len, 0);
	assert_int_equal(in(IIR)&0x0F, 6); /* overrun comes first */
	assert_int_equal(in(LSR)&3, 3);
	assert_int_equal(in(LSR)&3, 1);
	for (int i = 0; i < 16; i++)
		assert_int_equal(in(DATA), i);
	fake_console_type("k");
	assert_int_equal(in(LSR)&1, 0);
	out(MCR, 0);
	assert_int_equal(in(DATA), 'k');
}

static void modem_status_deltas(void **state)
{
	out(IER, 8);
	assert_false(fake_irq[IRQ_COM1]);
	out(MCR, 0x14); /* loop: RI on, DCD, DSR and CTS off */
	assert_true(fake_irq[IRQ_COM1]);
	assert_int_equal(in(IIR), 0);
	assert_int_equal(in(MSR), 0x4B);
	assert_false(fake_irq[IRQ_COM1]);
	out(MCR, 0x10);
	assert_int_equal(in(MSR), 0x04);
}

static void wide_access_is_bytes(void **state)
{
	fake_out(PORT(MCR), 2, 0x0003);
	assert_int_equal(in(MCR), 3);
	assert_int_equal(fake_in(PORT(MCR), 2), 0x6003);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sends_at_once, setup),
		cmocka_unit_test_setup(divisor_latch_hides_data_and_ier, setup),
		cmocka_unit_test_setup(probes_as_16550a, setup),
		cmocka_unit_test_setup(thre_interrupt_on_every_enable, setup),
		cmocka_unit_test_setup(thre_interrupt_after_each_write, setup),
		cmocka_unit_test_setup(receives_with_trigger_levels, setup),
		cmocka_unit_test_setup(receives_without_fifo, setup),
		cmocka_unit_test_setup(fifo_clear_drops_input, setup),
		cmocka_unit_test_setup(loopback_receives_what_it_sends, setup),
		cmocka_unit_test_setup(modem_status_deltas, setup),
		cmocka_unit_test_setup(wide_access_is_bytes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
