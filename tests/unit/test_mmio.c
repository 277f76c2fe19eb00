/* Instructions on device memory. */
#include "fake_vcpu.h"

#define DEV_GPA 0xFEC00000

static u8 dev[PAGE_SIZE];
static unsigned dev_reads, dev_writes, last_size;
static u32 lapic_reg[1024];

static u64 dev_read(void *d, u64 offset, unsigned size)
{
	u64 val = 0;

	dev_reads++;
	last_size = size;
	memcpy(&val, dev + offset, size);
	return val;
}

static void dev_write(void *d, u64 offset, unsigned size, u64 val)
{
	dev_writes++;
	last_size = size;
	memcpy(dev + offset, &val, size);
}

static const struct mmio_ops dev_ops = {dev_read, dev_write};

u32 lapic_read(struct vcpu *v, u32 offset)
{
	return lapic_reg[offset / 4];
}

void lapic_write(struct vcpu *v, u32 offset, u32 val)
{
	lapic_reg[offset / 4] = val;
}

static void setup(unsigned bits)
{
	make_vcpu(bits);
	memset(dev, 0, sizeof(dev));
	memset(lapic_reg, 0, sizeof(lapic_reg));
	dev_reads = dev_writes = 0;
	vm.mmio_count = 1;
	vm.mmio[0] = (struct mmio_range){.base = DEV_GPA, .size = PAGE_SIZE, .ops = &dev_ops};
}

static void run(const char *code, size_t len, u64 gpa)
{
	memcpy(ram + vcpu.rip, code, len);
	skipped = 0;
	exit_mmio(&vcpu, gpa);
}
/* Runs code on the device at offset and checks that it was skipped as a whole. */
#define RUN(code, offset)                                                                                    \
	do {                                                                                                 \
		run(code, sizeof(code) - 1, DEV_GPA + (offset));                                             \
		assert_int_equal(skipped, sizeof(code) - 1);                                                 \
		assert_int_equal(exception, -1);                                                             \
	} while (0)

static void put(unsigned offset, u64 val)
{
	memcpy(dev + offset, &val, 8);
}

static u64 at(unsigned offset)
{
	u64 val;

	memcpy(&val, dev + offset, 8);
	return val;
}

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

/* Each operation against the PC's own. */
#define NATIVE(insn)                                                                                         \
	({                                                                                                   \
		u64 f_;                                                                                      \
		__asm__ volatile("push %2; popf; " insn " %3, %0; pushf; pop %1"                             \
				 : "+r"(mem), "=r"(f_)                                                       \
				 : "r"(flags), "r"(src)                                                      \
				 : "cc");                                                                    \
		f_;                                                                                          \
	})
#define CHECK(T, insn, code, mask)                                                                           \
	do {                                                                                                 \
		T mem = (T)a, src = (T)b;                                                                    \
		u64 flags = carry ? 0x203 : 0x202, want;                                                     \
                                                                                                             \
		put(0, mem);                                                                                 \
		vcpu.regs[RCX] = src;                                                                        \
		vregs[VREG_RFLAGS] = flags;                                                                  \
		want = NATIVE(insn);                                                                         \
		RUN(code, 0);                                                                                \
		assert_true((T)at(0) == mem);                                                                \
		assert_int_equal(vregs[VREG_RFLAGS] & (mask), want & (mask));                                \
	} while (0)

static void arithmetic(void **state)
{
	static const u64 values[] = {
		0,	    1,		0x7F,	    0x80,	0xFF,	    0x7FFF, 0x8000,
		0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x12345678, 1ULL << 63, ~0ULL,  0x0F0F0F0F0F0F0F0F};
	enum { ALL = 0x8D5, LOGIC = 0x8C5 };

	setup(64);
	for (unsigned i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(values) * 2; i++) {
		u64 a = values[i / 2 % ARRAY_SIZE(values)], b = values[i / 2 / ARRAY_SIZE(values)];
		bool carry = i & 1;

		vcpu.rip = CODE;
		CHECK(u8, "addb", "\x00\x0A", ALL);
		CHECK(u8, "sbbb", "\x18\x0A", ALL);
		CHECK(u16, "adcw", "\x66\x11\x0A", ALL);
		CHECK(u16, "subw", "\x66\x29\x0A", ALL);
		CHECK(u32, "addl", "\x01\x0A", ALL);
		CHECK(u32, "cmpl", "\x39\x0A", ALL);
		CHECK(u32, "andl", "\xF0\x21\x0A", LOGIC);
		CHECK(u32, "orl", "\x09\x0A", LOGIC);
		CHECK(u64, "adcq", "\x48\x11\x0A", ALL);
		CHECK(u64, "sbbq", "\x48\x19\x0A", ALL);
		CHECK(u64, "xorq", "\x48\x31\x0A", LOGIC);
		CHECK(u64, "testq", "\x48\x85\x0A", LOGIC);
	}
}

static void more_arithmetic(void **state)
{
	setup(64);
	put(0, 0x10);
	vcpu.regs[RCX] = 0x30;
	RUN("\x2B\x0A", 0); /* sub (%rdx),%ecx */
	assert_true(vcpu.regs[RCX] == 0x20);
	RUN("\x3B\x0A", 0); /* cmp: nothing is written */
	assert_true(vcpu.regs[RCX] == 0x20 && dev_writes == 0);
	RUN("\x83\x0A\x81", 0); /* orl $-127,(%rdx) */
	assert_true(at(0) == 0xFFFFFF91);
	RUN("\x81\x22\xF0\x00\x00\x00", 0);
	assert_true(at(0) == 0x90);
	RUN("\xF6\x02\x80", 0);
	assert_int_equal(vregs[VREG_RFLAGS] & RFLAGS_ZF, 0);
	RUN("\xF6\x02\x01", 0);
	assert_true(vregs[VREG_RFLAGS] & RFLAGS_ZF);
	RUN("\xF7\x12", 0); /* notl */
	assert_true(at(0) == 0xFFFFFF6F);
	RUN("\xF7\x1A", 0); /* negl */
	assert_true(at(0) == 0x91 && vregs[VREG_RFLAGS] & RFLAGS_CF);
	RUN("\xFF\x02", 0); /* incl keeps CF */
	assert_true(at(0) == 0x92 && vregs[VREG_RFLAGS] & RFLAGS_CF);
	RUN("\xFE\x0A", 0);
	assert_true(at(0) == 0x91);
	vcpu.regs[RCX] = 5;
	RUN("\x87\x0A", 0); /* xchg */
	assert_true(at(0) == 5 && vcpu.regs[RCX] == 0x91);
	RUN("\xF0\x0F\xC1\x0A", 0); /* lock xadd */
	assert_true(at(0) == 0x96 && vcpu.regs[RCX] == 5);
	vcpu.regs[RAX] = 0x96;
	RUN("\x0F\xB1\x0A", 0); /* cmpxchg, equal */
	assert_true(at(0) == 5 && vregs[VREG_RFLAGS] & RFLAGS_ZF);
	RUN("\x0F\xB1\x0A", 0);
	assert_true(at(0) == 5 && vcpu.regs[RAX] == 5 && !(vregs[VREG_RFLAGS] & RFLAGS_ZF));
	RUN("\x0F\xBA\x2A\x07", 0); /* btsl $7 */
	assert_true(at(0) == 0x85 && !(vregs[VREG_RFLAGS] & RFLAGS_CF));
	RUN("\x0F\xBA\x32\x07", 0); /* btrl $7 */
	assert_true(at(0) == 5 && vregs[VREG_RFLAGS] & RFLAGS_CF);
	vcpu.regs[RCX] = 33; /* the address is four bytes on then */
	RUN("\x0F\xBB\x0A", 4);
	assert_true(at(4) == 2);
	RUN("\x0F\xA3\x0A", 4);
	assert_true(vregs[VREG_RFLAGS] & RFLAGS_CF);
}

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
		cmocka_unit_test(moves),	   cmocka_unit_test(arithmetic),
		cmocka_unit_test(more_arithmetic), cmocka_unit_test(strings),
		cmocka_unit_test(sixteen_bits),	   cmocka_unit_test(page_fault_in_string),
		cmocka_unit_test(remembered_code), cmocka_unit_test(lapic_page),
		cmocka_unit_test(rom_writes),	   cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests_name("mmio", tests, NULL, NULL);
}
