/* Breakpoints: INT3 in guest memory, and the debug registers (SDM 3B 18.2). */
#include "debug/gdb_internal.h"
#include "host/cpu.h"
#include "lib/errno.h"

#define INT3	  0xCC
#define DR6_RESET 0xFFFF0FF0ULL
#define DR7_FIXED 0x400ULL

struct gdb gdb;

__noinline struct gdb_vcpu *gdb_vcpu(struct vcpu *v)
{
	return &gdb.vcpu[v->index];
}

static struct gdb_break *find(enum gdb_break_type type, u64 addr, u64 len)
{
	for (struct gdb_break *b = gdb.breaks; b < gdb.breaks + GDB_BREAKS; b++)
		if (b->len && b->type == type && b->addr == addr && b->len == len)
			return b;
	return NULL;
}

bool gdb_break_at(u64 addr)
{
	return find(BREAK_SOFT, addr, 1) >= gdb.breaks + GDB_HW_SLOTS;
}

int gdb_break_insert(struct vcpu *v, enum gdb_break_type type, u64 addr, u64 len)
{
	struct gdb_break *b = gdb.breaks, *end = gdb.breaks + GDB_HW_SLOTS;
	u8 *p = NULL;
	u64 gpa;

	/* What is code has no length. */
	if (type <= BREAK_HARD)
		len = 1;
	if (find(type, addr, len))
		return 0;
	if (len - 1 > 7 || (len & (len - 1)) || (addr & (len - 1)))
		return -EINVAL;
	/* An INT3; or, where nothing is mapped yet, a debug register, so that a kernel's addresses may be
	 * named before it has its page tables. */
	if (type == BREAK_SOFT)
		p = gdb_memory(v, addr, &gpa);
	if (p) {
		b = end;
		end = gdb.breaks + GDB_BREAKS;
	}
	while (b->len)
		if (++b == end)
			return -ENOSPC;
	*b = (struct gdb_break){.addr = addr, .type = (u8)type, .len = (u8)len};
	if (p) {
		b->gpa = gpa;
		b->saved = *p;
		*p = INT3;
	}
	return 0;
}

static void remove(struct gdb_break *b)
{
	u8 *p = b >= gdb.breaks + GDB_HW_SLOTS && b->len ? guest_ptr(gdb.vm, b->gpa, 1) : NULL;

	if (p && *p == INT3) /* else the guest has put something else there */
		*p = b->saved;
	b->len = 0;
}

void gdb_break_remove(enum gdb_break_type type, u64 addr, u64 len)
{
	struct gdb_break *b = find(type, addr, type <= BREAK_HARD ? 1 : len);

	if (b)
		remove(b);
}

void gdb_break_remove_all(void)
{
	for (unsigned i = 0; i < GDB_BREAKS; i++)
		remove(&gdb.breaks[i]);
}

/* DR7's bits for slot: enabled, what accesses, length. */
static u64 dr7_bits(unsigned slot, u8 type, u8 len)
{
	static const u8 access[BREAK_TYPES] = {0, 0, 1, 3, 3};
	u64 size = len == 8 ? 2 : len - 1u;

	return 2ULL << 2 * slot | (u64)(access[type] | size << 2) << (16 + 4 * slot);
}

static void load_registers(struct vcpu *v, const u64 dr[GDB_HW_SLOTS], u64 dr7)
{
	write_dr0(dr[0]);
	write_dr1(dr[1]);
	write_dr2(dr[2]);
	write_dr3(dr[3]);
	v->ops->set(v, VREG_DR7, dr7);
}

/* The landing of a step takes the last slot if all are taken. */
static u64 wanted(const struct gdb_step *step, u64 dr[GDB_HW_SLOTS])
{
	u64 dr7 = DR7_FIXED, landing = 0;

	for (unsigned i = 0; i < GDB_HW_SLOTS; i++) {
		const struct gdb_break *b = &gdb.breaks[i];

		if (step->has_landing && !landing && (!b->len || i == GDB_HW_SLOTS - 1)) {
			dr[i] = step->landing;
			dr7 |= landing = dr7_bits(i, BREAK_HARD, 1);
		} else if (b->len) {
			dr[i] = b->addr;
			dr7 |= dr7_bits(i, b->type, b->len);
		}
	}
	return dr7;
}

void gdb_break_apply(struct vcpu *v)
{
	u64 dr[GDB_HW_SLOTS] = {0}, dr7 = wanted(&gdb_vcpu(v)->step, dr);
	u32 old = v->debug;

	v->debug = (old & DEBUG_STEP) | (dr7 != DR7_FIXED ? DEBUG_REGISTERS : 0);
	for (unsigned i = GDB_HW_SLOTS; i < GDB_BREAKS; i++)
		if (gdb.breaks[i].len)
			v->debug |= DEBUG_BREAK;
	if (!(old & DEBUG_REGISTERS)) {
		v->own_dr[0] = read_dr0();
		v->own_dr[1] = read_dr1();
		v->own_dr[2] = read_dr2();
		v->own_dr[3] = read_dr3();
		v->own_dr[7] = v->ops->get(v, VREG_DR7);
	}
	v->own_dr[6] = v->ops->get(v, VREG_DR6);
	if (v->debug & DEBUG_REGISTERS)
		load_registers(v, dr, dr7);
	else if (old & DEBUG_REGISTERS)
		load_registers(v, v->own_dr, v->own_dr[7]);
	if (v->debug & (DEBUG_STEP | DEBUG_REGISTERS))
		v->ops->set(v, VREG_DR6, DR6_RESET);
	v->ops->debug(v);
}

void gdb_break_stop(struct vcpu *v)
{
	if (v->debug & (DEBUG_STEP | DEBUG_REGISTERS))
		v->ops->set(v, VREG_DR6, v->own_dr[6]);
}
