#include "fake_vcpu.h"

#include "debug/gdb_internal.h"
#include "vm/debug.h"

#define STACK 0x18000 /* beyond what SS, which is not big, could reach in other code */

static struct gdb_vcpu stepped;

struct gdb_vcpu *gdb_vcpu(struct vcpu *v)
{
	return &stepped;
}

void gdb_break_stop(struct vcpu *v)
{
}

void gdb_break_apply(struct vcpu *v)
{
}

/* Before an instruction of these bytes, the guest's flags all but TF set on its stack. */
static void before(u8 first, u8 second)
{
	make_vcpu(64);
	ram[CODE] = first;
	ram[CODE + 1] = second;
	vregs[VREG_RSP] = STACK;
	ram[STACK + 1] = 0xFF;
	gdb_step_begin(&vcpu);
	assert_true(vcpu.debug & DEBUG_STEP);
	assert_true(vregs[VREG_RFLAGS] & RFLAGS_TF);
}

static void after(u8 high)
{
	gdb_step_end(&vcpu);
	assert_false(vcpu.debug & DEBUG_STEP);
	assert_int_equal(ram[STACK + 1], high);
}

static void tf_is_ours(void **state)
{
	before(0x90, 0); /* NOP */
	vcpu.rip++;
	after(0xFF);
	assert_false(vregs[VREG_RFLAGS] & RFLAGS_TF);
}

static void pushed_flags_are_cleaned(void **state)
{
	before(0x9C, 0); /* PUSHF */
	vcpu.rip++;
	after(0xFE);
	before(0x66, 0x9C);
	vcpu.rip += 2;
	after(0xFE);
}

static void loaded_tf_is_the_guests(void **state)
{
	before(0x9D, 0); /* POPF */
	vcpu.rip++;
	after(0xFF);
	assert_true(vregs[VREG_RFLAGS] & RFLAGS_TF);
}

/* Somebody wants it to stop while its next instruction is to be stepped. */
static void stopped_before_it_ran(void **state)
{
	before(0x9C, 0);
	after(0xFF);
	assert_false(vregs[VREG_RFLAGS] & RFLAGS_TF);
	before(0x9D, 0);
	after(0xFF);
	assert_false(vregs[VREG_RFLAGS] & RFLAGS_TF);
}

static void interrupt_lands_in_its_handler(void **state)
{
	make_vcpu(16);
	ram[CODE] = 0xCD;
	ram[CODE + 1] = 0x21;
	ram[0x84] = 0x34;
	ram[0x85] = 0x12;
	ram[0x87] = 0x01; /* 0100:1234 */
	gdb_step_begin(&vcpu);
	assert_false(vcpu.debug & DEBUG_STEP);
	assert_true(stepped.step.has_landing);
	assert_int_equal(stepped.step.landing, 0x1000 + 0x1234);
	gdb_step_end(&vcpu);
	assert_false(stepped.step.has_landing);
}

/* A gate that INT n may not use from level 3: it faults, which TF sees and a landing does not. */
static void a_gate_that_refuses(void **state)
{
	for (u64 dpl = 0; dpl <= 3; dpl += 3) {
		u64 gate = 0x5000 | BIT(47) | dpl << 45 | 0xEULL << 40;

		make_vcpu(64);
		vregs[VREG_CR0] |= CR0_PE;
		vregs[VREG_EFER] |= EFER_LMA;
		segs[SEG_SS].attr = 3 << 5;
		segs[SEG_IDTR] = (struct segment){.base = 0x4000, .limit = 0xFFF};
		memcpy(ram + 0x4000 + 0x30 * 16, &gate, sizeof(gate));
		ram[CODE] = 0xCD;
		ram[CODE + 1] = 0x30;
		gdb_step_begin(&vcpu);
		assert_int_equal(stepped.step.has_landing, dpl == 3);
		assert_int_equal(!!(vcpu.debug & DEBUG_STEP), dpl == 0);
		gdb_step_end(&vcpu);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tf_is_ours),
		cmocka_unit_test(pushed_flags_are_cleaned),
		cmocka_unit_test(loaded_tf_is_the_guests),
		cmocka_unit_test(stopped_before_it_ran),
		cmocka_unit_test(interrupt_lands_in_its_handler),
		cmocka_unit_test(a_gate_that_refuses),
	};

	return cmocka_run_group_tests_name("gdb_step", tests, NULL, NULL);
}
