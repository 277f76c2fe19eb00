/* Breakpoints: INT3 in guest memory, and the debug registers (SDM 3B 18.2). */
#include "debug/gdb_internal.h"
#include "host/cpu.h"
#include "lib/errno.h"

#define INT3	  0xCC
#define DR6_RESET 0xFFFF0FF0ULL
#define DR7_FIXED 0x400ULL

struct gdb gdb;

static struct gdb_break *find(enum gdb_break_type asked, u64 addr, u64 len)
{
	for (unsigned i = 0; i < GDB_BREAKS; i++) {
		struct gdb_break *b = &gdb.breaks[i];

		if (b->used && b->asked == asked && b->addr == addr && b->len == len)
			return b;
	}
	return NULL;
}

struct gdb_break *gdb_break_at(u64 addr, enum gdb_break_type type)
{
	for (unsigned i = 0; i < GDB_BREAKS; i++)
		if (gdb.breaks[i].used && gdb.breaks[i].type == type && gdb.breaks[i].addr == addr)
			return &gdb.breaks[i];
	return NULL;
}

struct gdb_break *gdb_break_by_slots(u32 slots)
{
	for (unsigned i = 0; i < GDB_BREAKS; i++)
		if (gdb.breaks[i].used && gdb.breaks[i].type != BREAK_SOFT &&
		    (slots & BIT(gdb.breaks[i].slot)))
			return &gdb.breaks[i];
	return NULL;
}

static int take_slot(struct gdb_break *b)
{
	u32 taken = 0;

	if (b->len != 1 && b->len != 2 && b->len != 4 && b->len != 8)
		return -EINVAL;
	if (b->addr & (b->len - 1u))
		return -EINVAL;
	for (unsigned i = 0; i < GDB_BREAKS; i++)
		if (gdb.breaks[i].used && gdb.breaks[i].type != BREAK_SOFT)
			taken |= (u32)BIT(gdb.breaks[i].slot);
	for (b->slot = 0; b->slot < GDB_HW_SLOTS; b->slot++)
		if (!(taken & BIT(b->slot)))
			return 0;
	return -ENOSPC;
}

/* An INT3; or, where nothing is mapped yet, a debug register, so that a kernel's addresses may be named
 * before it has its page tables. */
static int make_soft(struct vcpu *v, struct gdb_break *b)
{
	u8 *p = gdb_memory(v, b->addr, &b->gpa);

	if (!p) {
		b->type = BREAK_HARD;
		b->len = 1;
		return take_slot(b);
	}
	b->saved = *p;
	*p = INT3;
	return 0;
}

int gdb_break_insert(struct vcpu *v, enum gdb_break_type type, u64 addr, u64 len)
{
	struct gdb_break *b = gdb.breaks;
	int err;

	/* What is code has no length. */
	if (type <= BREAK_HARD)
		len = 1;
	if (find(type, addr, len))
		return 0;
	while (b < gdb.breaks + GDB_BREAKS && b->used)
		b++;
	if (b == gdb.breaks + GDB_BREAKS || len > 8)
		return -ENOSPC;
	*b = (struct gdb_break){.addr = addr, .type = (u8)type, .asked = (u8)type, .len = (u8)len};
	err = type == BREAK_SOFT ? make_soft(v, b) : take_slot(b);
	b->used = !err;
	return err;
}

static void remove(struct gdb_break *b)
{
	u8 *p = b->type == BREAK_SOFT ? guest_ptr(gdb.vm, b->gpa, 1) : NULL;

	if (p && *p == INT3) /* else the guest has put something else there */
		*p = b->saved;
	b->used = false;
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
		if (gdb.breaks[i].used)
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
	u64 dr7 = DR7_FIXED;

	for (unsigned i = 0; i < GDB_BREAKS; i++) {
		const struct gdb_break *b = &gdb.breaks[i];

		if (b->used && b->type != BREAK_SOFT) {
			dr[b->slot] = b->addr;
			dr7 |= dr7_bits(b->slot, b->type, b->len);
		}
	}
	if (step->has_landing) {
		unsigned slot = 0;

		while (slot < GDB_HW_SLOTS - 1 && (dr7 & 2ULL << 2 * slot))
			slot++;
		dr7 &= ~(0xFULL << (16 + 4 * slot));
		dr[slot] = step->landing;
		dr7 |= dr7_bits(slot, BREAK_HARD, 1);
	}
	return dr7;
}

void gdb_break_apply(struct vcpu *v)
{
	u64 dr[GDB_HW_SLOTS] = {0}, dr7 = wanted(&gdb.vcpu[v->index].step, dr);
	u32 old = v->debug;

	v->debug = (old & DEBUG_STEP) | (dr7 != DR7_FIXED ? DEBUG_REGISTERS : 0);
	for (unsigned i = 0; i < GDB_BREAKS; i++)
		if (gdb.breaks[i].used && gdb.breaks[i].type == BREAK_SOFT)
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
