/* Lines of the monitor: what they mean, and what they say of memory, walks and faults. */
#include "debug/disasm.h"
#include "debug/gdb_internal.h"
#include "debug/insns.h"
#include "debug/mon.h"
#include "debug/monitor.h"
#include "fake_vcpu.h"

struct gdb gdb;
struct monitor monitor;
static struct vm_config config = {.name = "m", .kind = GUEST_FLAT};
static struct cpu_state state;
static char said[8192];

struct vm *vm_console_active(void)
{
	return &vm;
}

unsigned disassemble(const u8 *bytes, size_t avail, unsigned bits, u64 rip, char *buf, size_t size)
{
	ksnprintf(buf, size, "instruction");
	return 1;
}

void insns_end(struct vcpu *v)
{
}

void mon_info_host(struct mon *m)
{
}

void console_set_quiet(bool quiet)
{
}

void vcpu_get_state(struct vcpu *v, struct cpu_state *s)
{
	*s = state;
}

void vcpu_set_state(struct vcpu *v, const struct cpu_state *s)
{
	state = *s;
}

static const char *exit_name(u64 reason)
{
	return reason == 10 ? "CPUID" : reason == 12 ? "HLT" : "?";
}

static void out(const char *s)
{
	assert_in_range(strlen(said) + strlen(s), 0, sizeof(said) - 1);
	strcat(said, s);
}

static int setup(void **state_)
{
	make_vcpu(64);
	memset(&state, 0, sizeof(state));
	monitor = (struct monitor){0};
	gdb.vm = NULL;
	vm.config = &config;
	ops.exit_name = exit_name;
	state.rip = CODE;
	state.gpr[RAX] = 0x20;
	for (unsigned i = 0; i < 256; i++)
		ram[CODE + i] = (u8)i;
	return 0;
}

/* The command says text. */
static void expect(const char *command, const char *text)
{
	char line[400];

	strcpy(line, command);
	said[0] = 0;
	monitor_command(line, out);
	assert_string_equal(said, text);
}

static void formats(void **state_)
{
	static const char bad[] = "the format is /N (to 4096), one of x d u c s i, one of b h w g\n";

	expect("x 0x1000", "00001000: 03020100\n");
	expect("x/2xb 0x1001", "00001001: 01 02\n");
	expect("x/xh 0x1000", "00001000: 0100\n");
	expect("x/g 0x1000", "00001000: 0706050403020100\n");
	expect("x/1db 0x10ff", "000010ff: -1\n");
	expect("x/ub 4351", "000010ff: 255\n");
	expect("x/b2x 0x1000", "00001000: 00 01\n");
	expect("x /2b 0x1000", "00001000: 00 01\n");
	expect("xp/3c 0x1041", "00001041:ABC\n");
	ram[CODE + 0x45] = 0;
	expect("x/s 0x1041", "00001041:ABCD\n");
	expect("x/5xw 0x1000", "00001000: 03020100 07060504 0b0a0908 0f0e0d0c\n00001010: 13121110\n");
	expect("x/i 0x1090", "00001090: 90                   instruction\n");
	for (const char *const *s = (const char *const[]){"x/q 0", "x/4097x 0", "x/99999999999999999999x 0",
							  "x/x8/ 0", NULL};
	     *s; s++)
		expect(*s, bad);
	expect("x", "an address is missing\n");
	expect("x/4x", "an address is missing\n");
}

static void addresses(void **state_)
{
	expect("x/b rip", "00001000: 00\n");
	expect("x/b $rip+rax-0x1e", "00001002: 02\n");
	expect("x/b rip+", "'rip+' is no number, register, or sum of them\n");
	expect("x/b 0x", "'0x' is no number, register, or sum of them\n");
	expect("x/b 12ab", "'12ab' is no number, register, or sum of them\n");
	expect("x/b 18446744073709551616", "'18446744073709551616' is no number, register, or sum of them\n");
	expect("x/b 0xffffffffffffffff", "ffffffffffffffff: not mapped\n");
	expect("xp/g 0x1fffc", "0001fffc: no RAM\n");
	expect("xp/2g 0x1fff8", "0001fff8: 0000000000000000\n00020000: no RAM\n");
	expect("disas 0x20000", "00020000: not mapped\n");
}

static void lines(void **state_)
{
	char line[400];

	expect("", "");
	expect("  \t ", "");
	expect("nonsense", "no command 'nonsense'; try help\n");
	expect("s", "no command 's'; try help\n"); /* step or stop */
	expect("1 2 3 4 5 6 7", "too many words\n");
	memset(line, 'y', sizeof(line) - 1);
	line[255] = 0;
	expect(line, "no command 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'; try help\n");
	expect("i ex", "0 exits in all:\n");
	expect("info exitss", "info vms|regs|cpu|exits|mem|ept|irq|devices|clock|host\n");
	expect("info", "info vms|regs|cpu|exits|mem|ept|irq|devices|clock|host\n");
	expect("help nm", "nmi                  send an NMI\n");
	expect("sto", "00001000: 00                   instruction\n");
	assert_true(monitor.stopped);
	expect("info vms", "m (flat, (null), 0 MiB, 1 CPU): is stopped\n");
	expect("cont", "");
	assert_false(monitor.stopped);
	expect("step 0", "1 to 100000 steps\n");
	expect("step 7", "");
	assert_int_equal(monitor.steps, 7);
	gdb.vm = &vm;
	expect("cont", "GDB has the VM: use its own command\n");
}

static void registers(void **state_)
{
	expect("set rax rip+1", "");
	assert_int_equal(state.gpr[RAX], CODE + 1);
	expect("set cs 0x1234", "not a selector alone: base and limit would not follow\n");
	assert_int_equal(state.seg[SEG_CS].selector, 0);
	expect("set rax rip + 1", "set REG VALUE\n");
	expect("x/2xw rsp + 8", "x [/NFU] ADDR\n");
	expect("p rip", "no command 'p'; try help\n");
	expect("stop now", "stop \n");
	expect("set xyz 1", "no register 'xyz'\n");
	vcpu.halted = true;
	vcpu.rip = state.rip;
	expect("set rbx 1", "");
	assert_true(vcpu.halted);
	expect("set rip rip+1", "");
	assert_false(vcpu.halted); /* it is not behind its HLT any more */
	expect("set rax", "set REG VALUE\n");
}

static void exits(void **state_)
{
	for (u32 i = 0; i < 70; i++) {
		u32 reason = i % 2 ? 12 : 10;

		vcpu.ring_pos += EXIT_POS;
		*vcpu_exit(&vcpu, vcpu_exits(&vcpu)) =
			(struct exit_record){.rip = i, .reason = reason, .tsc = 100 + i * i};
		vcpu.exit_counts[reason]++;
	}
	vcpu_exit(&vcpu, 69)->tsc += 20000000;
	vcpu_exit(&vcpu, 70)->tsc += 20000000;
	expect("trace 4",
	       "the last 4 of 70 exits, in ticks since the one before:\n"
	       "     0  0000000000000042 CPUID               20M 0000000000000044 CPUID         \n"
	       "   133  0000000000000043 HLT                137  0000000000000045 HLT           \n");
	vcpu_exit(&vcpu, 70)->reason = 0x1234;
	expect("trace 1", "the last 1 of 70 exits, in ticks since the one before:\n"
			  "     0  0000000000000045 1234          \n");
	expect("info exits", "70 exits in all:\n        35  CPUID\n        35  HLT\n");
}

static void chain(void **state_)
{
	struct mon_sink sink;
	struct mon m;

	vcpu.chain.state =
		(struct cpu_state){.efer = EFER_LMA, .seg[SEG_IDTR] = {.base = 0x2000, .limit = 0x10F}};
	vcpu.chain.state.gpr[RSP] = 0x8000;
	vcpu.chain.count = 4;
	vcpu.chain.fault[0].vector = X86_UD;
	vcpu.chain.fault[1].vector = X86_GP;
	vcpu.chain.fault[1].delivering = 0x80000306;
	vcpu.chain.fault[1].error = 0x32;
	vcpu.chain.fault[2].vector = X86_PF;
	vcpu.chain.fault[2].delivering = 0x80000B0D;
	vcpu.chain.fault[2].error = PF_WRITE;
	vcpu.chain.fault[2].addr = 0x7FF8;
	vcpu.chain.fault[3].vector = X86_GP;
	vcpu.chain.fault[3].delivering = 0x80000031;
	vcpu.chain.fault[3].error = 0x18A;
	said[0] = 0;
	mon_init(&m, &vm, &sink, out);
	mon_show_chain(&m);
	assert_string_equal(
		said,
		"first #UD\n"
		" then #GP (error 32) on delivery of #UD 06: gate 6 at 2060, 0000000000000000, is empty\n"
		" then #PF (error 2) on delivery of #GP 0d: write of 7ff8: not mapped, on the stack\n"
		" then #GP (error 18a) on delivery of interrupt 31: the IDT ends before gate 49 (limit "
		"10f)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(formats, setup), cmocka_unit_test_setup(addresses, setup),
		cmocka_unit_test_setup(lines, setup),	cmocka_unit_test_setup(registers, setup),
		cmocka_unit_test_setup(exits, setup),	cmocka_unit_test_setup(chain, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
