#include "support.h"

#include <string.h>

#include "dev/fw_cfg.h"
#include "dev/machine.h"
#include "guest_memory.h"

int guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	void *p = guest_ptr(vm, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(buf, p, len);
	return 0;
}

#define COMMAND 0x1000
#define BUFFER	0x2000

enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

static int fresh(void **state)
{
	struct fw_cfg *made;

	fake_reset(state);
	make_vm(GUEST_FIRMWARE, 64 * KiB);
	assert_int_equal(fw_cfg_create(&test_vm, &made), 0);
	fw_cfg_add(made, "etc/one", "first", 5);
	fw_cfg_add(made, "etc/none", NULL, 5);
	fw_cfg_add(made, "etc/two", "the second", 10);
	return 0;
}

/* Runs a DMA command and returns its control word, the error bit at most. */
static u32 dma(u32 control, u32 len, u64 address)
{
	struct {
		u32 control, len;
		u64 address;
	} c = {__builtin_bswap32(control), __builtin_bswap32(len), __builtin_bswap64(address)};

	memcpy(test_ram + COMMAND, &c, sizeof(c));
	fake_out(PORT_FW_CFG + 4, 4, 0);
	fake_out(PORT_FW_CFG + 8, 4, __builtin_bswap32(COMMAND));
	memcpy(&c, test_ram + COMMAND, sizeof(c));
	return __builtin_bswap32(c.control);
}

static void select_key(u16 key)
{
	fake_out(PORT_FW_CFG, 2, key);
}

static void read_bytes(void *buf, unsigned n)
{
	for (u8 *p = buf; n--;)
		*p++ = (u8)fake_in(PORT_FW_CFG + 1, 1);
}

static void by_port(void **state)
{
	u8 b[16];

	select_key(0);
	read_bytes(b, 6);
	assert_memory_equal(b, "QEMU\0\0", 6);
	select_key(1);
	read_bytes(b, 4);
	assert_memory_equal(b, "\3\0\0", 4);
	select_key(5);
	assert_int_equal(fake_in(PORT_FW_CFG + 1, 1), 1);
	select_key(0x21);
	read_bytes(b, 12);
	assert_memory_equal(b, "the second\0", 12);
	select_key(0x22); /* no such file */
	assert_int_equal(fake_in(PORT_FW_CFG + 1, 1), 0);
	select_key(0xFFFF);
	assert_int_equal(fake_in(PORT_FW_CFG + 1, 1), 0);
	assert_int_equal(fake_in(PORT_FW_CFG + 4, 4), 0x554D4551);
	assert_int_equal(fake_in(PORT_FW_CFG + 8, 4), 0x47464320);
	assert_int_equal(fake_in(PORT_FW_CFG + 7, 2), 0x2055);
}

static void directory(void **state)
{
	u8 b[4 + 2 * 64];

	select_key(0x19);
	read_bytes(b, sizeof(b));
	assert_memory_equal(b, "\0\0\0\2", 4);
	assert_memory_equal(b + 4, "\0\0\0\5\0\x20\0\0etc/one", 16);
	assert_memory_equal(b + 68, "\0\0\0\n\0\x21\0\0etc/two", 16);
}

static void by_dma(void **state)
{
	assert_int_equal(dma(0x21 << 16 | SELECT | READ, 3, BUFFER), 0);
	assert_memory_equal(test_ram + BUFFER, "the\xA5", 4);
	assert_int_equal(dma(SKIP, 1, 0), 0);
	assert_int_equal(dma(READ, 8, BUFFER), 0);
	assert_memory_equal(test_ram + BUFFER, "second\0\0\xA5", 9);
	assert_int_equal(dma(READ, 2, BUFFER), 0);
	assert_memory_equal(test_ram + BUFFER, "\0\0con", 5);
	assert_int_equal(dma(0x20 << 16 | SELECT, 0, 0), 0);
	assert_int_equal(dma(SKIP, ~0u, 0), 0);
	assert_int_equal(fake_in(PORT_FW_CFG + 1, 1), 0);
}

static void hostile_dma(void **state)
{
	assert_int_equal(dma(0x20 << 16 | SELECT | READ, 4, 64 * KiB - 2), ERROR);
	assert_int_equal(dma(0x20 << 16 | SELECT | READ, 5, ~0ULL - 1), ERROR);
	assert_int_equal(dma(READ, ~0u, 0), ERROR);
	assert_int_equal(dma(0x20 << 16 | SELECT | WRITE, 4, BUFFER), ERROR);
	assert_int_equal(dma(0x20 << 16 | SELECT | READ, 0, ~0ULL), ERROR);
	/* a command that is not in RAM, or not all of it */
	fake_out(PORT_FW_CFG + 4, 4, ~0u);
	fake_out(PORT_FW_CFG + 8, 4, ~0u);
	fake_out(PORT_FW_CFG + 4, 4, 0);
	fake_out(PORT_FW_CFG + 8, 4, __builtin_bswap32(64 * KiB - 8));
	/* over itself */
	assert_int_equal(dma(0x20 << 16 | SELECT | READ, 5, COMMAND), 0);
	assert_memory_equal(test_ram + COMMAND, "\0\0\0\0t", 5);
}

static void odd_accesses_do_nothing(void **state)
{
	select_key(0x20);
	fake_out(PORT_FW_CFG, 1, 0x21);
	fake_out(PORT_FW_CFG + 1, 1, 0x21);
	fake_out(PORT_FW_CFG + 5, 2, 0x21);
	fake_out(PORT_FW_CFG + 8, 1, 0x21);
	assert_int_equal(fake_in(PORT_FW_CFG, 2), 0);
	assert_int_equal(fake_in(PORT_FW_CFG + 1, 1), 'f');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(by_port, fresh),
		cmocka_unit_test_setup(directory, fresh),
		cmocka_unit_test_setup(by_dma, fresh),
		cmocka_unit_test_setup(hostile_dma, fresh),
		cmocka_unit_test_setup(odd_accesses_do_nothing, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
