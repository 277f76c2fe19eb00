#include "support.h"

#include <string.h>

#include "debug/gdb_packet.h"
#include "debug/gdb_regs.h"

static struct gdb_packet packet;
static struct gdb_text text;
static char sent[3 * GDB_PACKET_MAX];
static size_t sent_len;

static void putc_sent(u8 c)
{
	assert_in_range(sent_len, 0, sizeof(sent) - 2);
	sent[sent_len++] = (char)c;
	sent[sent_len] = 0;
}

static enum gdb_input feed(const char *s, size_t len)
{
	enum gdb_input last = GDB_MORE;

	for (size_t i = 0; i < len; i++)
		last = gdb_packet_byte(&packet, (u8)s[i]);
	return last;
}

static int reset(void **state)
{
	memset(&packet, 0, sizeof(packet));
	gdb_clear(&text);
	sent_len = 0;
	return 0;
}

static void frames_are_found(void **state)
{
	assert_int_equal(feed("+$g#67", 6), GDB_PACKET);
	assert_string_equal(packet.data, "g");
	assert_int_equal(feed("noise$m0,4#fd", 13), GDB_PACKET);
	assert_string_equal(packet.data, "m0,4");
	assert_int_equal(feed("$?#3F", 5), GDB_PACKET);
	assert_int_equal(feed("\x03", 1), GDB_INTERRUPT);
	assert_int_equal(feed("-", 1), GDB_NACK);
}

static void damage_is_seen(void **state)
{
	assert_int_equal(feed("$g#68", 5), GDB_BAD);
	assert_int_equal(feed("$g#6x", 5), GDB_BAD);
	assert_int_equal(feed("$g#-7", 5), GDB_BAD);
	assert_int_equal(feed("$cut sho$g#67", 13), GDB_PACKET); /* one that was cut short */
	assert_string_equal(packet.data, "g");
	assert_int_equal(feed("$\x03#03", 5), GDB_PACKET); /* no Ctrl-C in a packet */
}

static void escapes(void **state)
{
	assert_int_equal(feed("$X}\x03}]#d5", 8), GDB_MORE);
	assert_int_equal(packet.len, 3);
	assert_memory_equal(packet.data, "X#}", 3);
	gdb_put_bytes(&text, "a$#}*\0", 6);
	gdb_send(&text, putc_sent);
	assert_int_equal(feed(sent, sent_len), GDB_PACKET);
	assert_int_equal(packet.len, 6);
	assert_memory_equal(packet.data, "a$#}*\0", 6);
}

static void overlong_packets_are_bad(void **state)
{
	feed("$", 1);
	for (unsigned i = 0; i < GDB_PACKET_MAX; i++)
		feed("\x01", 1);
	assert_int_equal(feed("#00", 3), GDB_PACKET);
	feed("$", 1);
	for (unsigned i = 0; i < GDB_PACKET_MAX + 256; i++)
		feed("\x01", 1);
	assert_int_equal(feed("#00", 3), GDB_BAD);
	for (unsigned i = 0; i < GDB_PACKET_MAX; i++)
		gdb_put(&text, "xy");
	assert_true(text.full);
	assert_int_equal(text.len, GDB_PACKET_MAX);
}

static void numbers(void **state)
{
	const char *s = "ffFF0,x";
	u64 n;
	u8 bytes[3];

	assert_true(gdb_number(&s, &n));
	assert_int_equal(n, 0xFFFF0);
	assert_int_equal(*s, 'x'); /* the comma is passed, too */
	s = "10000000000000000";
	assert_false(gdb_number(&s, &n));
	s = ",";
	assert_false(gdb_number(&s, &n));
	s = "01fE2";
	assert_true(gdb_bytes(&s, bytes, 2));
	assert_memory_equal(bytes, "\x01\xFE", 2);
	assert_false(gdb_bytes(&s, bytes, 1));
	gdb_put_number(&text, 0);
	gdb_put_number(&text, ~0ULL);
	gdb_put_hex(&text, "\x0A\xF0", 2);
	assert_string_equal(text.data, "0ffffffffffffffff0af0");
	s = "vCont;c";
	assert_true(gdb_word(&s, "vCont"));
	assert_false(gdb_word(&s, ";s"));
	assert_string_equal(s, ";c");
}

static void registers_go_there_and_back(void **state)
{
	struct gdb_target wide = {true, 64}, real = {false, 16};
	struct cpu_state s = {.rip = 0x1234, .rflags = 2, .cr3 = 0x5000}, t = {0};
	const char *p = text.data;

	s.gpr[RBX] = 0x1122334455667788;
	s.seg[SEG_CS].base = 0x7C00;
	for (unsigned n = 0; gdb_reg_size(&wide, n); n++)
		gdb_reg_put(&wide, &s, n, &text);
	for (unsigned n = 0; gdb_reg_size(&wide, n); n++) {
		const char *q = p;

		gdb_reg_set(&wide, &t, n, &q);
		p += 2 * gdb_reg_size(&wide, n);
	}
	assert_int_equal(*p, 0);
	assert_int_equal(t.gpr[RBX], s.gpr[RBX]);
	assert_int_equal(t.rip, 0x1234);
	assert_int_equal(t.cr3, 0x5000);
	assert_int_equal(gdb_reg_size(&wide, 200), 0);

	gdb_clear(&text);
	gdb_reg_put(&real, &s, 8, &text); /* linear outside 64-bit code */
	assert_string_equal(text.data, "348e0000");
	p = "007d0000";
	assert_true(gdb_reg_set(&real, &s, 8, &p));
	assert_int_equal(s.rip, 0x100);
	p = "0";
	assert_false(gdb_reg_set(&real, &s, 8, &p));
	s.seg[SEG_CS].selector = 0x10;
	p = "10000000";
	assert_true(gdb_reg_set(&real, &s, 10, &p)); /* cs as it is */
	p = "18000000";
	assert_false(gdb_reg_set(&real, &s, 10, &p));
	p = "00000000000000000000";
	assert_false(gdb_reg_set(&real, &s, 16, &p)); /* st0 */
}

static void description_comes_in_pieces(void **state)
{
	struct gdb_target wide = {true, 64};
	static char whole[16384];
	unsigned total = 0;

	do {
		gdb_clear(&text);
		text.skip = total;
		gdb_target_xml(&wide, &text);
		memcpy(whole + total, text.data, text.len);
		total += text.len;
	} while (text.full);
	assert_in_range(total, 1000, sizeof(whole) - GDB_PACKET_MAX);
	for (unsigned at = 0; at < total; at += 100) {
		gdb_clear(&text);
		text.skip = at;
		text.room = 100;
		gdb_target_xml(&wide, &text);
		assert_int_equal(text.len, MIN(100, total - at));
		assert_int_equal(text.full, total - at > 100);
		assert_memory_equal(whole + at, text.data, text.len);
	}
	assert_non_null(strstr(whole, "<architecture>i386:x86-64</architecture>"));
	assert_non_null(strstr(whole, "<reg name=\"fs_base\" bitsize=\"64\" type=\"int64\"/>"));
	assert_non_null(strstr(whole, "<reg name=\"eflags\" bitsize=\"32\" type=\"flags\"/>"));
	assert_non_null(
		strstr(whole, "<flags id=\"flags\" size=\"4\"><field name=\"CF\" start=\"0\" end=\"0\"/>"));
	assert_non_null(strstr(whole, "<field name=\"AC\" start=\"18\" end=\"18\"/></flags>"));
	assert_string_equal(whole + total - 9, "</target>");
	gdb_clear(&text);
	text.skip = ~0ULL;
	gdb_target_xml(&wide, &text);
	assert_int_equal(text.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(frames_are_found, reset),
		cmocka_unit_test_setup(damage_is_seen, reset),
		cmocka_unit_test_setup(escapes, reset),
		cmocka_unit_test_setup(overlong_packets_are_bad, reset),
		cmocka_unit_test_setup(numbers, reset),
		cmocka_unit_test_setup(registers_go_there_and_back, reset),
		cmocka_unit_test_setup(description_comes_in_pieces, reset),
	};

	return cmocka_run_group_tests_name("gdb_packet", tests, NULL, NULL);
}
