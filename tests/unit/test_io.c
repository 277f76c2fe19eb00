/* IN, OUT, INS and OUTS. */
#include "fake_vcpu.h"

static u32 in_value, log_count;
static struct {
	u16 port;
	u8 size;
	u32 val;
} last;
static u8 out_bytes[16384];

u32 bus_pio_read(struct vm *vm, u16 port, unsigned size)
{
	last.port = port;
	last.size = size;
	log_count++;
	return in_value++;
}

void bus_pio_write(struct vm *vm, u16 port, unsigned size, u32 val)
{
	last.port = port;
	last.size = size;
	last.val = val;
	if (size == 1)
		out_bytes[log_count % sizeof(out_bytes)] = val;
	log_count++;
}

u32 lapic_read(struct vcpu *v, u32 offset)
{
	return 0;
}

void lapic_write(struct vcpu *v, u32 offset, u32 val)
{
}

static void setup(unsigned bits)
{
	make_vcpu(bits);
	memset(&last, 0, sizeof(last));
	log_count = in_value = 0;
}

/* An exit of INS or OUTS in code of bits: writes the instruction to CODE first. */
static void io_string(unsigned bits, u16 port, unsigned size, bool in, bool rep, unsigned addr_size,
		      enum seg seg)
{
	u8 *code = ram + CODE;

	vcpu.rip = CODE;
	vcpu.regs[RDX] = port;
	if (rep)
		*code++ = 0xF3;
	if (seg == SEG_FS)
		*code++ = 0x64;
	if (size == (bits == 16 ? 4 : 2))
		*code++ = 0x66;
	if (addr_size * 8 != bits)
		*code++ = 0x67;
	*code++ = (in ? 0x6C : 0x6E) + (size > 1);
	skipped = 0;
	exit_io_string(&vcpu);
}

static void plain(void **state)
{
	setup(64);
	vcpu.regs[RAX] = 0x1122334455667788;
	exit_io(&vcpu, 0x21, 1, false);
	assert_int_equal(last.val, 0x88);
	exit_io(&vcpu, 0x21, 2, false);
	assert_int_equal(last.val, 0x7788);
	exit_io(&vcpu, 0xCF8, 4, false);
	assert_int_equal(last.val, 0x55667788);
	assert_int_equal(last.port, 0xCF8);
	assert_int_equal(skipped, 3);
	in_value = 0xAABBCCDD;
	exit_io(&vcpu, 0x60, 1, true);
	assert_true(vcpu.regs[RAX] == 0x11223344556677DD);
	in_value = 0xAABBCCDD;
	exit_io(&vcpu, 0x60, 2, true);
	assert_true(vcpu.regs[RAX] == 0x112233445566CCDD);
	in_value = 0xAABBCCDD;
	exit_io(&vcpu, 0x60, 4, true);
	assert_true(vcpu.regs[RAX] == 0xAABBCCDD);
}

static void strings(void **state)
{
	setup(64);
	memcpy(ram + 0x2000, "hello", 5);
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RCX] = 5;
	io_string(64, 0xE9, 1, false, true, 8, SEG_DS);
	assert_memory_equal(out_bytes, "hello", 5);
	assert_true(vcpu.regs[RSI] == 0x2005 && vcpu.regs[RCX] == 0);
	assert_int_equal(last.port, 0xE9);
	assert_int_equal(skipped, 2);
	/* zero times */
	io_string(64, 0xE9, 1, false, true, 8, SEG_DS);
	assert_int_equal(log_count, 5);
	assert_int_equal(skipped, 2);
	/* once, RCX or not */
	vcpu.regs[RDI] = 0x2FFE;
	in_value = 0x04030201;
	io_string(64, 0x1F0, 4, true, false, 8, SEG_DS);
	assert_memory_equal(ram + 0x2FFE, "\1\2\3\4", 4); /* across two pages */
	assert_true(vcpu.regs[RDI] == 0x3002 && vcpu.regs[RCX] == 0);
	/* downwards, in 16-bit registers that wrap */
	setup(16);
	segs[SEG_ES].base = 0x1000;
	vregs[VREG_RFLAGS] |= RFLAGS_DF;
	in_value = 0x11;
	vcpu.regs[RDI] = 0xAAAA0002;
	vcpu.regs[RCX] = 0xBBBB0002;
	io_string(16, 0x1F0, 2, true, true, 2, SEG_DS);
	assert_memory_equal(ram + 0x1000, "\x12\0\x11\0", 4);
	assert_true(vcpu.regs[RDI] == 0xAAAAFFFE && vcpu.regs[RCX] == 0xBBBB0000);
	/* FS in 64-bit code, 32-bit addresses */
	setup(64);
	segs[SEG_FS].base = 0x4000;
	ram[0x4010] = 0x77;
	vcpu.regs[RSI] = 0xFF00000010;
	io_string(64, 0xE9, 1, false, false, 4, SEG_FS);
	assert_int_equal(last.val, 0x77);
	assert_true(vcpu.regs[RSI] == 0x11);
}

static void bounded(void **state)
{
	setup(64);
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RCX] = 5000;
	io_string(64, 0xE9, 1, false, true, 8, SEG_DS);
	assert_int_equal(skipped, 0);
	assert_true(vcpu.regs[RCX] == 5000 - 256 && vcpu.regs[RSI] == 0x2100);
	for (unsigned n = 2; n <= 20; n++) {
		io_string(64, 0xE9, 1, false, true, 8, SEG_DS);
		assert_int_equal(skipped, n < 20 ? 0 : 2);
	}
	assert_int_equal(log_count, 5000);
}

static void faults(void **state)
{
	u32 *directory = (u32 *)(ram + 0x8000);

	setup(32);
	vregs[VREG_CR0] |= CR0_PG;
	vregs[VREG_CR4] = CR4_PSE;
	vregs[VREG_CR3] = 0x8000;
	directory[0] = 0x83;
	vcpu.regs[RDI] = 0x3FFFFC;
	vcpu.regs[RCX] = 3;
	io_string(32, 0x1F0, 4, true, true, 4, SEG_DS);
	assert_int_equal(exception, X86_PF);
	assert_int_equal(exception_error, PF_WRITE);
	assert_true(cr2 == 0x400000 && vcpu.regs[RCX] == 2);
	assert_int_equal(log_count, 1);
	/* the second page of one element: the port must not see it */
	vcpu.regs[RDI] = 0x3FFFFE;
	io_string(32, 0x1F0, 4, true, true, 4, SEG_DS);
	assert_int_equal(log_count, 1);
	assert_int_equal(skipped, 0);
	/* non-canonical */
	setup(64);
	vregs[VREG_CR0] |= CR0_PG;
	vregs[VREG_CR4] = CR4_PAE;
	vregs[VREG_CR3] = 0x8000;
	memset(directory, 0, 0x2000);
	((u64 *)directory)[0] = 0x9003;
	((u64 *)directory)[512] = 0x83; /* 1 GiB to itself */
	vcpu.regs[RSI] = 0x8000000000000000;
	io_string(64, 0x1F0, 1, false, false, 8, SEG_DS);
	assert_int_equal(exception, X86_GP);
}

static void read_only_target(void **state)
{
	setup(64);
	in_value = 0x55;
	vcpu.regs[RDI] = ROM_GPA;
	io_string(64, 0x1F0, 1, true, false, 8, SEG_DS);
	assert_int_equal(rom[0], 0);
	assert_int_equal(skipped, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),  cmocka_unit_test(strings),	      cmocka_unit_test(bounded),
		cmocka_unit_test(faults), cmocka_unit_test(read_only_target),
	};

	return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
