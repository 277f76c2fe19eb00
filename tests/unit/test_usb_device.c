/* A USB device's descriptors, which may be anything, and what the controller is told of them. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/xhci.h"
#include "lib/errno.h"

#define PORT   3
#define SUPER  (4 << 10)
#define HIGH   (3 << 10)
#define HERE   3 /* PORTSC: connected, enabled */
#define PORTSC ((0x400 + 0x10 * (PORT - 1)) / 4)

static const u8 stick[] = {
	9, 2, 44,   0, 1, 5, 0, 0x80, 50,		 /* the configuration is number 5 */
	9, 4, 0,    0, 2, 8, 6, 0x50, 0,		 /* the disk's interface */
	7, 5, 0x81, 2, 0, 4, 0, 6,    0x30, 15, 0, 0, 0, /* IN, with a burst */
	7, 5, 0x02, 2, 0, 4, 0, 6,    0x30, 3,	0, 0, 0,
};

static struct xhci x;
static u32 registers[0x500 / 4], doorbells[XHCI_SLOTS + 1], speed, requests[8], request_count;
static u8 config[255];
static struct usb_device *u;
static u32 commands[16], command_count, configured[64];
static int failing; /* command's number, or -1 */

bool xhci_works(const struct xhci *h)
{
	return true;
}

void xhci_clear(struct usb_pipe *p)
{
	p->at = 0;
	p->cycle = 1;
}

void usb_make_room(struct usb_pipe *p, u32 trbs)
{
	p->at = 0;
}

void xhci_put(struct usb_pipe *p, u64 ptr, u32 status, u32 control)
{
	p->trb[p->at++] = (struct trb){ptr, status, control | p->cycle};
}

/* Commands and requests succeed. */
int xhci_command(struct xhci *h, u64 ptr, u32 control)
{
	assert_in_range(command_count, 0, ARRAY_SIZE(commands) - 1);
	h->new_slot = 2;
	commands[command_count] = control;
	if ((control & 63 << 10) == TRB_CONFIGURE_ENDPOINT)
		memcpy(configured, (void *)ptr, sizeof(configured));
	return (int)command_count++ == failing ? -EIO : 0;
}

void xhci_events(struct xhci *h)
{
	const struct trb *t = u->rings[USB_CONTROL];

	requests[request_count++ % ARRAY_SIZE(requests)] = (u32)t->ptr;
	if (t->ptr >> 48) {
		assert_true(t->ptr >> 48 <= sizeof(config) && t[1].ptr == (u64)u->data);
		memcpy(u->data, config, t->ptr >> 48);
	}
	u->pipe[USB_CONTROL].code = USB_SUCCESS;
}

/* While the driver waits for a port its reset ends. */
void delay(u32 ms)
{
	registers[PORTSC] = HERE | speed;
}

static int setup(void **state)
{
	fake_reset(state);
	if (!u)
		u = aligned_alloc(PAGE_SIZE, ALIGN_UP(sizeof(*u), PAGE_SIZE));
	memset(u, 0, sizeof(*u));
	memset(registers, 0, sizeof(registers));
	memset(config, 0, sizeof(config));
	memcpy(config, stick, sizeof(stick));
	x = (struct xhci){.op = registers, .doorbell = doorbells, .context_words = 8};
	u->x = &x;
	u->port = PORT;
	speed = SUPER;
	command_count = request_count = 0;
	failing = -1;
	return 0;
}

static void test_a_stick(void **state)
{
	const u32 *slot = configured + 8, *in = configured + (1 + 3) * 8, *out = configured + (1 + 4) * 8;

	assert_int_equal(usb_attach(u), 0);
	assert_ptr_equal(x.slots[2], u);
	assert_int_equal(x.contexts[2], (u64)u->context);
	assert_int_equal(configured[1], 1 | 1 << 3 | 1 << 4); /* slot, IN of endpoint 1, OUT of 2 */
	assert_int_equal(slot[0], 4U << 27 | 4 << 20);
	assert_int_equal(slot[1], PORT << 16);
	assert_int_equal(in[1], 1024 << 16 | 15 << 8 | 6 << 3 | 3 << 1);
	assert_int_equal(in[2], (u32)(u64)u->rings[USB_IN] | 1);
	assert_int_equal(out[1], 1024 << 16 | 3 << 8 | 2 << 3 | 3 << 1);
	assert_int_equal(requests[request_count - 1], 5 << 16 | 0x0900);
	assert_true(usb_is_there(u));
	registers[PORTSC] |= 1 << 17; /* out and in again */
	assert_false(usb_is_there(u));
	usb_detach(u);
	assert_null(x.slots[2]);
	assert_int_equal(commands[command_count - 1], TRB_DISABLE_SLOT | 2 << 24);
}

static void test_wide_contexts(void **state)
{
	x.context_words = 16;
	speed = HIGH;
	assert_int_equal(usb_attach(u), 0);
	assert_int_equal(configured[16], 4U << 27 | 3 << 20);
	assert_int_equal(u->input[2 * 16 + 1], 64 << 16 | 4 << 3 | 3 << 1);
}

static void test_what_is_no_disk(void **state)
{
	speed = 1 << 10; /* a mouse */
	assert_int_equal(usb_attach(u), -ENODEV);
	assert_int_equal(command_count, 0);
	speed = SUPER;
	config[9 + 5] = 9;
	assert_int_equal(usb_attach(u), -ENODEV);
	assert_non_null(strstr(captured(), "USB port 3: a hub"));
	config[9 + 5] = 8;
	config[9 + 7] = 0x62; /* UAS only */
	assert_int_equal(usb_attach(u), -ENODEV);
}

static void test_failing_commands(void **state)
{
	for (failing = 0; failing < 3; failing++) {
		command_count = 0;
		assert_int_equal(usb_attach(u), -EIO);
		usb_detach(u);
		assert_int_equal(u->slot, 0);
	}
}

static void test_packets_that_follow(void **state)
{
	struct dma_segment seg[] = {{0x10000, 0x10000}, {0x30000, 512}, {0x40000, 1024}};
	const struct trb *t = u->rings[USB_IN];

	assert_int_equal(usb_attach(u), 0);
	usb_put(&u->pipe[USB_IN], seg, 3, true);
	assert_int_equal(t[0].status, 0x10000 | 2 << 17);
	assert_int_equal(t[0].control, TRB_NORMAL | TRB_CHAIN | TRB_SHORT | 1);
	assert_int_equal(t[1].status, 512 | 1 << 17);
	assert_int_equal(t[2].status, 1024);
	assert_int_equal(t[2].control, TRB_NORMAL | TRB_TELL | TRB_SHORT | 1);
}

static void test_any_descriptors(void **state)
{
	u32 taken = 0;

	for (u32 i = 0; i < 20000; i++) {
		memcpy(config, stick, sizeof(stick));
		for (u32 k = 0; k < 1 + i % 4; k++)
			config[(u32)rand() % (i & 1 ? sizeof(stick) : sizeof(config))] = (u8)rand();
		config[2] = (u8)(i & 2 ? rand() : config[2]);
		command_count = 0;
		if (!usb_attach(u)) {
			taken++;
			for (u32 k = 0; k < USB_PIPES; k++)
				assert_true(u->pipe[k].packet && u->pipe[k].dci < 32);
		}
		usb_detach(u);
	}
	assert_in_range(taken, 1000, 19999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_stick, setup),
		cmocka_unit_test_setup(test_wide_contexts, setup),
		cmocka_unit_test_setup(test_what_is_no_disk, setup),
		cmocka_unit_test_setup(test_failing_commands, setup),
		cmocka_unit_test_setup(test_packets_that_follow, setup),
		cmocka_unit_test_setup(test_any_descriptors, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
