/* Moves to and from device memory and other pages that are no RAM, and how their code is found. */
#include "fake_device.h"

static void moves(void **state)
{
	setup(64);
	vcpu.regs[RAX] = 0x1122334455667788;
	RUN("\x89\x02", 0); /* mov %eax,(%rdx) */
	assert_true(at(0) == 0x55667788);
	assert_int_equal(last_size, 4);
	RUN("\x48\x89\x02", 8);
	assert_true(at(8) == 0x1122334455667788);
	RUN("\x66\x89\x02", 16);
	assert_true(at(16) == 0x7788);
	RUN("\x88\x22", 24); /* mov %ah,(%rdx) */
	assert_true(at(24) == 0x77);
	vcpu.regs[RSP] = 1; /* not the guest's while it runs */
	vregs[VREG_RSP] = 0xABCD;
	RUN("\x40\x88\x22", 24); /* mov %spl,(%rdx) */
	assert_true(at(24) == 0xCD);
	RUN("\xC7\x02\xFE\xFF\xFF\xFF", 32);
	assert_true(at(32) == 0xFFFFFFFE);
	RUN("\x48\xC7\x02\xFE\xFF\xFF\xFF", 32);
	assert_true(at(32) == (u64)-2);
	RUN("\xA3\x28\x00\xC0\xFE\x00\x00\x00\x00", 40);
	assert_true(at(40) == 0x55667788);
	RUN("\x0F\xC3\x02", 48); /* movnti */
	assert_true(at(48) == 0x55667788);

	put(0, 0xF1F2F3F4F5F6F7F8);
	vcpu.regs[RCX] = ~0ULL;
	RUN("\x8B\x0A", 0); /* mov (%rdx),%ecx: the upper half goes */
	assert_true(vcpu.regs[RCX] == 0xF5F6F7F8);
	vcpu.regs[RCX] = ~0ULL;
	RUN("\x66\x8B\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xFFFFFFFFFFFFF7F8);
	RUN("\x8A\x2A", 0); /* mov (%rdx),%ch */
	assert_true(vcpu.regs[RCX] == 0xFFFFFFFFFFFFF8F8);
	RUN("\x4C\x8B\x3A", 0);
	assert_true(vcpu.regs[R15] == 0xF1F2F3F4F5F6F7F8);
	RUN("\x8B\x22", 0); /* mov (%rdx),%esp */
	assert_true(vregs[VREG_RSP] == 0xF5F6F7F8);
	RUN("\x0F\xB6\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xF8);
	RUN("\x48\x0F\xB7\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xF7F8);
	RUN("\x0F\xBE\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xFFFFFFF8);
	RUN("\x48\x0F\xBF\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xFFFFFFFFFFFFF7F8);
	RUN("\x48\x63\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xFFFFFFFFF5F6F7F8);
	RUN("\x0F\x38\xF0\x0A", 0);
	assert_true(vcpu.regs[RCX] == 0xF8F7F6F5);
	RUN("\x0F\x38\xF1\x0A", 56);
	assert_true(at(56) == 0xF5F6F7F8);
	RUN("\xA1\x00\x00\xC0\xFE\x00\x00\x00\x00", 0);
	assert_true(vcpu.regs[RAX] == 0xF5F6F7F8);
}

/* The remembered walk and instruction give way to every change. */
static void remembered_code(void **state)
{
	u64 *table = (u64 *)(ram + 0x8000);

	setup(64);
	vregs[VREG_CR0] |= CR0_PG;
	vregs[VREG_CR4] = CR4_PAE;
	vregs[VREG_CR3] = 0x8000;
	table[0] = 0x9003;	     /* PML4 */
	table[512] = 0xA003;	     /* PDPT */
	table[1024] = 0xB003;	     /* directory */
	table[1536 + 0x40] = 0x2003; /* 40000h and 41000h: two pages of code */
	table[1536 + 0x41] = 0x3003;
	memcpy(ram + 0x2000, "\x89\x02", 2); /* mov %eax,(%rdx) */
	memcpy(ram + 0x3000, "\x89\x0A", 2); /* mov %ecx,(%rdx) */
	vcpu.regs[RAX] = 1;
	vcpu.regs[RCX] = 2;
	for (unsigned i = 0; i < 3; i++) {
		vcpu.rip = 0x40000;
		exit_mmio(&vcpu, DEV_GPA + 4 * i);
		assert_int_equal(at(4 * i), 1);
	}
	/* new code at the same place */
	memcpy(ram + 0x2000, "\x66\x89\x0A", 3);
	skipped = 0;
	vcpu.rip = 0x40000;
	exit_mmio(&vcpu, DEV_GPA);
	assert_int_equal(at(0) & 0xFFFF, 2);
	assert_int_equal(skipped, 3);
	/* another page behind the address, by the last entry and by one above */
	memcpy(ram + 0x2000, "\x89\x02", 2);
	table[1536 + 0x40] = 0x3003;
	vcpu.rip = 0x40000;
	exit_mmio(&vcpu, DEV_GPA + 16);
	assert_int_equal(at(16), 2);
	table[1024] = 0xC003;
	table[2048 + 0x40] = 0x2003;
	vcpu.rip = 0x40000;
	exit_mmio(&vcpu, DEV_GPA + 20);
	assert_int_equal(at(20), 1);
	/* another CR3 */
	table[2560] = 0xE003; /* PML4 at D000 */
	table[3072] = 0xB083; /* a large page cannot be at this level's address: reserved bits */
	vregs[VREG_CR3] = 0xD000;
	vcpu.rip = 0x40000;
	exit_mmio(&vcpu, DEV_GPA);
	assert_int_equal(exception, X86_PF);
	/* gone */
	exception = -1;
	vregs[VREG_CR3] = 0x8000;
	table[2048 + 0x40] = 0;
	vcpu.rip = 0x40000;
	exit_mmio(&vcpu, DEV_GPA);
	assert_int_equal(exception, X86_PF);
	/* the same bytes, but 32-bit code: INC EAX, not REX */
	memcpy(ram + 0x1000, "\x40\x88\x22", 3);
	vregs[VREG_CR0] &= ~CR0_PG;
	vcpu.rip = CODE;
	vregs[VREG_RSP] = 0x55;
	exception = -1;
	exit_mmio(&vcpu, DEV_GPA + 32);
	assert_int_equal(at(32), 0x55);
	segs[SEG_CS].attr = 0xC09B;
	vcpu.rip = CODE;
	exit_mmio(&vcpu, DEV_GPA + 32);
	assert_int_equal(ended, VM_DIED);
}

static void lapic_page(void **state)
{
	setup(64);
	lapic_reg[0x30 / 4] = 0x50014;
	run("\x8B\x0A", 2, LAPIC_BASE + 0x30);
	assert_true(vcpu.regs[RCX] == 0x50014);
	run("\x8A\x0A", 2, LAPIC_BASE + 0x32);
	assert_true(vcpu.regs[RCX] == 0x50005);
	run("\x89\x0A", 2, LAPIC_BASE + 0x80);
	assert_int_equal(lapic_reg[0x80 / 4], 0x50005);
	run("\x88\x0A", 2, LAPIC_BASE + 0x80);
	assert_int_equal(lapic_reg[0x80 / 4], 0x50005);
	/* not while it is in x2APIC mode */
	vcpu.lapic.base |= APIC_BASE_EXTD;
	run("\x8B\x0A", 2, LAPIC_BASE + 0x30);
	assert_true(vcpu.regs[RCX] == 0xFFFFFFFF);
	assert_int_equal(vm.unclaimed_reads, 1);
}

static void rom_writes(void **state)
{
	setup(64);
	rom[4] = 0x12;
	run("\x88\x0A", 2, ROM_GPA + 4);
	assert_int_equal(skipped, 2);
	assert_int_equal(rom[4], 0x12);
	vcpu.regs[RCX] = 1;
	run("\x00\x0A", 2, ROM_GPA + 4); /* reads it, writes nothing */
	assert_int_equal(skipped, 2);
	assert_int_equal(rom[4], 0x12);
}

static void unknown(void **state)
{
	static const char *const codes[] = {"\x0F\x11\x02", "\x90",	"\xF7\x22",
					    "\xC5\xF8\x77", "\x8F\x02", "\x89\xC0"};

	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		setup(64);
		run(codes[i], strlen(codes[i]), DEV_GPA);
		assert_int_equal(ended, VM_DIED);
		assert_int_equal(skipped, 0);
		assert_int_equal(dev_reads + dev_writes, 0);
	}
	assert_non_null(strstr(death, "MMIO at 0xfec00000"));
	assert_non_null(strstr(death, "89c0"));
	/* code in device memory */
	setup(64);
	vcpu.rip = DEV_GPA;
	exit_mmio(&vcpu, DEV_GPA);
	assert_int_equal(ended, VM_DIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),      cmocka_unit_test(remembered_code), cmocka_unit_test(lapic_page),
		cmocka_unit_test(rom_writes), cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests_name("mmio", tests, NULL, NULL);
}
