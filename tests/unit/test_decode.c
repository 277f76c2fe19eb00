/* Instruction lengths and operands. */
#include <string.h>

#include "support.h"

#include "lib/errno.h"
#include "vm/decode.h"
#include "vm/vcpu.h"

struct sample {
	unsigned bits;
	const char *code; /* its length is the instruction's */
	size_t len;
};
#define S(bits, code)                                                                                        \
	{                                                                                                    \
		bits, code, sizeof(code) - 1                                                                 \
	}

static const struct sample samples[] = {
	S(64, "\x89\x02"),					   /* mov %eax,(%rdx) */
	S(64, "\x8B\x05\x10\x20\x30\x40"),			   /* mov 0x40302010(%rip),%eax */
	S(64, "\x44\x8B\xBC\xC8\x78\x56\x34\x12"),		   /* mov 0x12345678(%rax,%rcx,8),%r15d */
	S(64, "\xC7\x40\x10\x01\x00\x00\x00"),			   /* movl $1,0x10(%rax) */
	S(64, "\x66\xC7\x40\x10\x01\x00"),			   /* movw $1,0x10(%rax) */
	S(64, "\x48\xC7\x04\x25\x00\x10\x00\x00\x01\x00\x00\x00"), /* movq $1,0x1000 */
	S(64, "\xA1\x01\x02\x03\x04\x05\x06\x07\x08"),		   /* movabs */
	S(64, "\x67\xA1\x01\x02\x03\x04"), S(32, "\xA1\x01\x02\x03\x04"), S(16, "\xA1\x01\x02"),
	S(64, "\x48\xB8\x01\x02\x03\x04\x05\x06\x07\x08"), /* mov $imm64,%rax */
	S(64, "\xB8\x01\x02\x03\x04"), S(16, "\xB8\x01\x02"), S(16, "\x66\xB8\x01\x02\x03\x04"),
	S(16, "\x8A\x0E\x34\x12"),					      /* mov 0x1234,%cl */
	S(16, "\x8A\x40\x12"),						      /* mov 0x12(%bx,%si),%al */
	S(16, "\x8A\x87\x34\x12"),					      /* mov 0x1234(%bx),%al */
	S(16, "\x67\x8A\x04\x25\x01\x02\x03\x04"),			      /* a32 mov 0x04030201,%al */
	S(32, "\x67\x8A\x06\x34\x12"), S(32, "\x8B\x44\x24\x08"),	      /* mov 8(%esp),%eax */
	S(32, "\x8B\x04\x8D\x01\x02\x03\x04"), S(64, "\xF0\x48\x0F\xB1\x0A"), /* lock cmpxchg %rcx,(%rdx) */
	S(64, "\xF3\xA4"), S(64, "\xF3\x48\xA5"), S(64, "\x0F\xB6\x02"), S(64, "\x48\x63\x02"),
	S(64, "\xF6\x02\x80"),		   /* testb $0x80,(%rdx) */
	S(64, "\xF7\x02\x01\x00\x00\x00"), /* testl $1,(%rdx) */
	S(64, "\xF7\x1A"),		   /* negl (%rdx) */
	S(64, "\x0F\xBA\x2A\x03"),	   /* btsl $3,(%rdx) */
	S(64, "\x0F\xC3\x02"), S(64, "\x0F\x38\xF1\x02"), S(64, "\x66\x0F\x3A\x0F\xC1\x08"),
	S(64, "\x81\x22\x01\x00\x00\x00"), S(64, "\x83\x0A\x01"), S(32, "\x82\x0A\x01"),
	/* what CPUs without a next-RIP field need */
	S(64, "\x0F\xA2"),		  /* cpuid */
	S(64, "\x0F\x32"),		  /* rdmsr */
	S(64, "\x0F\x30"),		  /* wrmsr */
	S(64, "\xF4"),			  /* hlt */
	S(64, "\x0F\x01\xD9"),		  /* vmmcall */
	S(64, "\x0F\x01\xC1"),		  /* vmcall */
	S(64, "\x0F\x01\x3A"),		  /* invlpg (%rdx) */
	S(64, "\x0F\x01\x7C\x24\x08"),	  /* invlpg 8(%rsp) */
	S(64, "\x0F\x08"),		  /* invd */
	S(64, "\x0F\x09"),		  /* wbinvd */
	S(64, "\x0F\x01\xD1"),		  /* xsetbv */
	S(64, "\x0F\x31"),		  /* rdtsc */
	S(64, "\x0F\x01\xF9"),		  /* rdtscp */
	S(64, "\x0F\x33"),		  /* rdpmc */
	S(64, "\x0F\x20\xC0"),		  /* mov %cr0,%rax */
	S(64, "\x44\x0F\x22\xC0"),	  /* mov %rax,%cr8 */
	S(16, "\x0F\x22\x46"),		  /* mov %esi,%cr0 with mod=1: still a register */
	S(64, "\xF0\x0F\x20\xC0"),	  /* AMD's mov %cr8,%rax */
	S(32, "\x0F\x23\xF8"),		  /* mov %eax,%db7 */
	S(16, "\x0F\x01\xF0"),		  /* lmsw %ax */
	S(16, "\x0F\x01\x26\x34\x12"),	  /* smsw 0x1234 */
	S(16, "\x0F\x06"),		  /* clts */
	S(32, "\xE4\x60"),		  /* in $0x60,%al */
	S(32, "\xED"),			  /* in (%dx),%eax */
	S(32, "\xF3\x6C"),		  /* rep insb */
	S(32, "\x66\xF3\x6F"),		  /* rep outsw */
	S(32, "\xCD\x80"),		  /* int $0x80 */
	S(32, "\xCC"), S(64, "\x48\xCF"), /* iretq */
	S(64, "\xF3\x90"),		  /* pause */
	S(64, "\x0F\x01\xC8"), S(64, "\x0F\x01\xC9"), S(16, "\x0F\x01\x16\x34\x12"), /* lgdt */
	S(64, "\x0F\x00\xD8"),							     /* ltr */
	S(64, "\x0F\x00\xC8"),							     /* str */
	S(64, "\x0F\x00\xC0"),							     /* sldt */
	S(64, "\xE8\x01\x02\x03\x04"), S(64, "\x66\xE8\x01\x02\x03\x04"), S(32, "\x66\xE8\x01\x02"),
	S(16, "\x0F\x84\x01\x02"), S(32, "\x9A\x01\x02\x03\x04\x05\x06"), S(16, "\xEA\x01\x02\x03\x04"),
	S(64, "\xC8\x01\x02\x03"), S(64, "\xDB\xE3"), S(32, "\x40"), S(32, "\xC4\x02"), /* les (%edx),%eax */
	S(32, "\x8F\x02"),								/* pop (%edx) */
};

static void lengths(void **state)
{
	struct insn i;

	for (unsigned n = 0; n < ARRAY_SIZE(samples); n++) {
		const struct sample *s = &samples[n];
		u8 code[INSN_MAX];

		memset(code, 0xCC, sizeof(code));
		memcpy(code, s->code, s->len);
		if (decode_insn(code, sizeof(code), s->bits, &i) || i.len != s->len)
			fail_msg("sample %u: length %u, not %zu", n, i.len, s->len);
		/* Every shorter piece asks for more. */
		for (size_t avail = 0; avail < s->len; avail++)
			assert_int_equal(decode_insn(code, avail, s->bits, &i), -ERANGE);
	}
}

static struct insn decode(unsigned bits, const char *code, size_t len)
{
	struct insn i;

	assert_int_equal(decode_insn((const u8 *)code, len, bits, &i), 0);
	return i;
}
#define DECODE(bits, code) decode(bits, code, sizeof(code) - 1)

static void operands(void **state)
{
	struct insn i = DECODE(64, "\x45\x89\x3C\x24"); /* mov %r15d,(%r12) */

	assert_int_equal(insn_reg(&i), R15);
	assert_int_equal(insn_rm(&i), R12);
	assert_int_equal(i.op_size, 4);
	assert_int_equal(i.addr_size, 8);
	i = DECODE(64, "\x48\xC7\x00\xFF\xFF\xFF\xFF");
	assert_int_equal(i.op_size, 8);
	assert_true(i.imm == ~0ULL);
	i = DECODE(64, "\x83\x08\x80");
	assert_true(i.imm == (u64)-128);
	i = DECODE(32, "\x66\x64\x89\x03");
	assert_int_equal(i.op_size, 2);
	assert_int_equal(i.seg, SEG_FS);
	i = DECODE(64, "\x2E\x89\x03"); /* CS is ignored in 64-bit code */
	assert_int_equal(i.seg, SEG_DS);
	i = DECODE(16, "\x26\xA3\xFE\xFF"); /* the offset is not sign-extended */
	assert_int_equal(i.seg, SEG_ES);
	assert_true(i.imm == 0xFFFE);
	i = DECODE(64, "\x48\x66\xA5"); /* REX before another prefix counts for nothing */
	assert_int_equal(i.op_size, 2);
	assert_int_equal(i.rex, 0);
	i = DECODE(64, "\x88\x20");
	assert_int_equal(i.op_size, 1);
	i = DECODE(64, "\xF0\xF3\x0F\xC1\x00");
	assert_true(i.lock);
	assert_int_equal(i.rep, 0xF3);
	assert_int_equal(i.map, MAP_0F);
	i = DECODE(64, "\x0F\xB6\x00"); /* the size is the destination's */
	assert_int_equal(i.op_size, 4);
	i = DECODE(16, "\x67\x66\x8B\x00");
	assert_int_equal(i.op_size, 4);
	assert_int_equal(i.addr_size, 4);
}

static void refused(void **state)
{
	static const struct sample bad[] = {
		S(64, "\x06"), /* push %es */
		S(64, "\x60"), /* pusha */
		S(64, "\xEA\x01\x02\x03\x04\x05\x06"),
		S(64, "\xC5\xF8\x77"), /* VEX */
		S(32, "\xC5\xF8\x77"),
		S(64, "\x62\xF1\x7C\x48\x10\x00"), /* EVEX */
		S(64, "\x8F\xE8\x78\xA2"),	   /* XOP */
		S(64, "\x0F\x0F\xC1\xBF"),	   /* 3DNow! */
		S(64, "\x0F\x24\xC0"),
		S(64, "\xD6"),
		S(64, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66"),
		S(64, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x89"), /* 16 bytes */
	};
	struct insn i;

	for (unsigned n = 0; n < ARRAY_SIZE(bad); n++) {
		u8 code[INSN_MAX] = {0};

		memcpy(code, bad[n].code, MIN(bad[n].len, sizeof(code)));
		if (decode_insn(code, sizeof(code), bad[n].bits, &i) != -EINVAL)
			fail_msg("sample %u is taken", n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(operands),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
