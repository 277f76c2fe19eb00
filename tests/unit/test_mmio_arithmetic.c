/* Arithmetic on device memory. */
#include "fake_device.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(more_arithmetic),
	};

	return cmocka_run_group_tests_name("mmio_arithmetic", tests, NULL, NULL);
}
