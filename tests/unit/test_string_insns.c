/* String instructions on device memory. */
#include "fake_device.h"

static void strings(void **state)
{
	setup(64);
	for (unsigned i = 0; i < 64; i++)
		ram[0x2000 + i] = i;
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RDI] = 0x3000;
	vcpu.regs[RCX] = 16;
	/* Paging is off, so that no linear address reaches the device by itself: map it by a RAM slot's
	 * absence. */
	vm.slots[0].size = 0x3000;
	vm.mmio[0].base = 0x3000;
	RUN("\xF3\xA5", 0); /* rep movsl to the device */
	assert_memory_equal(dev, ram + 0x2000, 64);
	assert_true(vcpu.regs[RSI] == 0x2040 && vcpu.regs[RDI] == 0x3040 && vcpu.regs[RCX] == 0);
	assert_int_equal(dev_writes, 16);

	vcpu.regs[RDI] = 0x3008;
	vcpu.regs[RAX] = 0xAB;
	vcpu.regs[RCX] = 3;
	vregs[VREG_RFLAGS] |= RFLAGS_DF;
	RUN("\xF3\xAA", 0); /* rep stosb, downwards */
	assert_true(vcpu.regs[RDI] == 0x3005);
	assert_memory_equal(dev + 6, "\xAB\xAB\xAB", 3);
	vregs[VREG_RFLAGS] &= ~RFLAGS_DF;

	vcpu.regs[RSI] = 0x3010;
	RUN("\x48\xAD", 0); /* lodsq */
	assert_true(vcpu.regs[RAX] == 0x1716151413121110 && vcpu.regs[RSI] == 0x3018);

	vcpu.regs[RDI] = 0x3010;
	vcpu.regs[RAX] = 0x14;
	vcpu.regs[RCX] = 16;
	RUN("\xF2\xAE", 0); /* repne scasb */
	assert_true(vcpu.regs[RDI] == 0x3015 && vcpu.regs[RCX] == 11 && vregs[VREG_RFLAGS] & RFLAGS_ZF);

	vcpu.regs[RSI] = 0x2010;
	vcpu.regs[RDI] = 0x3010;
	vcpu.regs[RCX] = 16;
	dev[0x13] = 0;
	RUN("\xF3\xA6", 0); /* repe cmpsb */
	assert_true(vcpu.regs[RCX] == 12 && !(vregs[VREG_RFLAGS] & (RFLAGS_ZF | RFLAGS_CF)));

	vcpu.regs[RCX] = 0;
	RUN("\xF3\xA4", 0);
	assert_true(vcpu.regs[RDI] == 0x3014);
	vcpu.regs[RSI] = 0x2000;
	RUN("\xA4", 0); /* no REP: RCX does not matter */
	assert_true(dev[0x14] == 0 && vcpu.regs[RCX] == 0);

	/* A long one comes again for the rest. */
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RDI] = 0x3000;
	vcpu.regs[RCX] = 300;
	run("\xF3\xA4", 2, 0x3000);
	assert_int_equal(skipped, 0);
	assert_true(vcpu.regs[RCX] == 300 - 256);
	exit_mmio(&vcpu, 0x3100);
	assert_int_equal(skipped, 2);
	assert_true(vcpu.regs[RDI] == 0x3000 + 300);
}

static void sixteen_bits(void **state)
{
	setup(16);
	segs[SEG_CS].base = 0x1000;
	segs[SEG_DS].base = 0x2000;
	segs[SEG_ES].base = 0x3000;
	vm.slots[0].size = 0x3000;
	vm.mmio[0].base = 0x3000;
	vcpu.rip = 0x10;
	memcpy(ram + 0x1010, "\xF3\xA4", 2);
	ram[0x2FFF] = 0x5A;
	ram[0x2000] = 0xA5;
	segs[SEG_DS].base = 0x2FFF - 0xFFFF; /* SI wraps */
	vcpu.regs[RSI] = 0x1234FFFF;
	vcpu.regs[RDI] = 0x56780010;
	vcpu.regs[RCX] = 0x9ABC0001;
	exit_mmio(&vcpu, 0x3010);
	assert_int_equal(skipped, 2);
	assert_int_equal(dev[0x10], 0x5A);
	assert_true(vcpu.regs[RSI] == 0x12340000 && vcpu.regs[RDI] == 0x56780011 &&
		    vcpu.regs[RCX] == 0x9ABC0000);
	/* ARPL is no MOVSXD here */
	memcpy(ram + 0x1000 + vcpu.rip, "\x63\x07", 2);
	exit_mmio(&vcpu, 0x3010);
	assert_int_equal(ended, VM_DIED);
}

static void page_fault_in_string(void **state)
{
	u32 *directory = (u32 *)(ram + 0x8000);

	setup(32);
	vregs[VREG_CR0] |= CR0_PG;
	vregs[VREG_CR4] = CR4_PSE;
	vregs[VREG_CR3] = 0x8000;
	segs[SEG_SS].attr = 0x60; /* level 3 */
	directory[0] = 0x87;	  /* 0-4M as is, for users too */
	directory[1] = 0xFEC00087;
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RDI] = 0x7FFFFE;
	vcpu.regs[RCX] = 4;
	run("\xF3\xA4", 2, DEV_GPA + 0xFFE);
	assert_int_equal(exception, X86_PF);
	assert_int_equal(exception_error, PF_WRITE | PF_USER);
	assert_true(cr2 == 0x800000 && vcpu.regs[RCX] == 2 && vcpu.regs[RDI] == 0x800000);
	assert_int_equal(skipped, 0);
	/* and in the fetch */
	exception = -1;
	vcpu.rip = 0xC00000;
	exit_mmio(&vcpu, DEV_GPA);
	assert_int_equal(exception, X86_PF);
	assert_true(cr2 == 0xC00000);
	/* code that begins in one page and ends in one that is not there */
	exception = -1;
	vm.slots[0].gpa = 0x400000 - RAM_SIZE;
	vregs[VREG_CR3] = 0x400000 - RAM_SIZE + 0x8000;
	directory[1] = 0;
	vcpu.rip = 0x3FFFFF;
	ram[RAM_SIZE - 1] = 0x89;
	exit_mmio(&vcpu, DEV_GPA);
	assert_int_equal(exception, X86_PF);
	assert_true(cr2 == 0x400000);
}

/* MOVSB, or what else code is, with one segment changed: the exception, -1 for none. */
static int with(enum seg seg, u16 attr, u32 limit, const char *code)
{
	struct segment old = segs[seg];

	segs[seg].attr = attr;
	segs[seg].limit = limit;
	exception = -1;
	vcpu.rip = CODE;
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RDI] = 0x3000;
	run(code, strlen(code), 0x3000);
	segs[seg] = old;
	assert_true(exception >= 0 ? !skipped : skipped == strlen(code));
	return exception;
}

#define MOVSB "\xA4"

static void rights(void **state)
{
	setup(32);
	assert_int_equal(with(SEG_ES, 0xC093, ~0U, MOVSB), -1);
	assert_int_equal(with(SEG_ES, 0xC091, ~0U, MOVSB), X86_GP); /* read-only */
	assert_int_equal(with(SEG_ES, 0xC09B, ~0U, MOVSB), X86_GP); /* code */
	assert_int_equal(with(SEG_ES, 0x193, ~0U, MOVSB), X86_GP);
	assert_int_equal(exception_error, 0);
	assert_int_equal(with(SEG_DS, 0xC091, ~0U, MOVSB), -1);
	assert_int_equal(with(SEG_DS, 0xC099, ~0U, MOVSB), X86_GP); /* execute-only */
	assert_int_equal(with(SEG_DS, 0xC09B, ~0U, MOVSB), -1);
	assert_int_equal(with(SEG_ES, 0xC091, ~0U, "\xA6"), -1); /* CMPSB only reads */
	assert_int_equal(with(SEG_SS, 0x193, ~0U, "\x36\xA4"), X86_SS);
	assert_int_equal(with(SEG_SS, 0x193, ~0U, MOVSB), -1);

	setup(64);
	assert_int_equal(with(SEG_ES, 0x191, 0, MOVSB), -1);

	setup(16); /* what protected mode left there */
	assert_int_equal(with(SEG_ES, 0x91, 0xFFFF, MOVSB), -1);
	assert_int_equal(with(SEG_ES, 0x93, 0x2FFF, MOVSB), X86_GP);
}

static void limits(void **state)
{
	setup(32);
	assert_int_equal(with(SEG_ES, 0x4093, 0x3000, MOVSB), -1);
	assert_int_equal(with(SEG_ES, 0x4093, 0x2FFF, MOVSB), X86_GP);
	assert_int_equal(with(SEG_ES, 0x4093, 0x3003, "\xA5"), -1); /* MOVSD */
	assert_int_equal(with(SEG_ES, 0x4093, 0x3002, "\xA5"), X86_GP);
	assert_int_equal(with(SEG_ES, 0x4097, 0x2FFF, MOVSB), -1); /* expand-down */
	assert_int_equal(with(SEG_ES, 0x4097, 0x3000, MOVSB), X86_GP);

	setup(16);
	vregs[VREG_CR0] = CR0_PE;
	assert_int_equal(with(SEG_ES, 0x97, 0x2FFF, MOVSB), -1);
	segs[SEG_ES].attr = 0x97; /* a small one's upper end is FFFFh */
	segs[SEG_ES].limit = 0x2FFF;
	vcpu.rip = CODE;
	vcpu.regs[RDI] = 0xFFFF;
	run("\xA5", 1, 0);
	assert_int_equal(exception, X86_GP);

	/* The second iteration is beyond the limit, where the first was not. */
	setup(32);
	segs[SEG_ES].limit = 0x3001;
	vcpu.regs[RSI] = 0x2000;
	vcpu.regs[RDI] = 0x3000;
	vcpu.regs[RCX] = 3;
	run("\xF3\xA4", 2, 0x3000);
	assert_int_equal(exception, X86_GP);
	assert_true(vcpu.regs[RCX] == 1 && vcpu.regs[RDI] == 0x3002 && !skipped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),
		cmocka_unit_test(sixteen_bits),
		cmocka_unit_test(page_fault_in_string),
		cmocka_unit_test(rights),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("string_insns", tests, NULL, NULL);
}
