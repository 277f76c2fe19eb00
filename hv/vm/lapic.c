/* The registers of a vcpu's local APIC (SDM 3A chapter 11) and its modes. */

#include "vm/lapic.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "vm/lapic_internal.h"
#include "vm/vm.h"

#define MSR_APIC_BASE	 0x1B
#define MSR_TSC_DEADLINE 0x6E0
#define MSR_X2APIC	 0x800

#define VERSION	       0x50014 /* integrated; the last of 6 LVT entries is 5; no EOI-broadcast suppression */
#define DFR_ONES       0x0FFFFFFFU
#define ICR_RESERVED   0xFFF32000U /* of an x2APIC's low half; bit 12, now always 0, may be written back */
#define APIC_BASE_RSVD (~(LAPIC_BASE | APIC_BASE_BSP | APIC_BASE_EXTD | APIC_BASE_EN))

#define REG(offset) ((offset) >> 4)
#define REGS	    LAPIC_REGS

/* Bits that the guest can change, by register; what an x2APIC's guest may write without #GP besides. */
enum { M_NONE, M_8, M_HIGH_8, M_DFR, M_SVR, M_ICR, M_LVTT, M_LVT, M_LINT, M_LVTERR, M_ALL, M_TDCR };
static const u32 masks[] = {0,	     0xFF,    0xFF000000, 0xF0000000, 0x3FF,	  0xCCFFF,
			    0x700FF, 0x107FF, 0x1A7FF,	  0x100FF,    0xFFFFFFFF, 0x0B};
static const u8 writable[64] = {
	[REG(LAPIC_TPR)] = M_8,	    [REG(LAPIC_LDR)] = M_HIGH_8,  [REG(LAPIC_DFR)] = M_DFR,
	[REG(LAPIC_SVR)] = M_SVR,   [REG(LAPIC_ICR)] = M_ICR,	  [REG(LAPIC_ICR2)] = M_HIGH_8,
	[REG(LAPIC_LVTT)] = M_LVTT, [REG(LAPIC_LVTTHMR)] = M_LVT, [REG(LAPIC_LVTPC)] = M_LVT,
	[REG(LAPIC_LVT0)] = M_LINT, [REG(LAPIC_LVT1)] = M_LINT,	  [REG(LAPIC_LVTERR)] = M_LVTERR,
	[REG(LAPIC_TMICT)] = M_ALL, [REG(LAPIC_TDCR)] = M_TDCR,	  [REG(LAPIC_SELF_IPI)] = M_8,
};
#define LVT_STATUS     BIT(12) /* read-only */
#define LVT_REMOTE_IRR BIT(14)

#define BOTH_WRITE                                                                                           \
	(REGS(LAPIC_TPR, 1) | REGS(LAPIC_EOI, 1) | REGS(LAPIC_SVR, 1) | REGS(LAPIC_ESR, 1) |                 \
	 REGS(LAPIC_ICR, 1) | LAPIC_LVTS | REGS(LAPIC_TMICT, 1) | REGS(LAPIC_TDCR, 1))
static const u64 xapic_known =
	LAPIC_READABLE | BOTH_WRITE | REGS(LAPIC_DFR, 1) | REGS(LAPIC_ICR2, 1) | REGS(0x90, 1); /* 90h: APR */

/* --- registers --- */

static void write_svr(struct vcpu *v, u32 val)
{
	struct lapic *l = &v->lapic;

	*lapic_reg(l, LAPIC_SVR) = val;
	if (val & SVR_ENABLE) {
		lapic_broadcast_eoi(v, 0);
		return;
	}
	/* Software-disabled: all local interrupts masked until enabled again (SDM 3A 11.4.7.2). */
	for (u32 lvt = LAPIC_LVTT; lvt <= LAPIC_LVTERR; lvt += 16)
		*lapic_reg(l, lvt) |= LVT_MASKED;
}

static void write_lvt(struct vcpu *v, u32 reg, u32 val)
{
	struct lapic *l = &v->lapic;

	if (!(*lapic_reg(l, LAPIC_SVR) & SVR_ENABLE))
		val |= LVT_MASKED;
	*lapic_reg(l, reg) = val;
	if (reg == LAPIC_LVT0)
		vcpu_kick(v, EV_INTERRUPT); /* the 8259s may have waited for it */
}

/* Writes val, cut to the writable bits, to a register that is writable in the current mode. */
static void write_reg(struct vcpu *v, u32 reg, u32 val)
{
	struct lapic *l = &v->lapic;

	val &= masks[writable[REG(reg)]];
	switch (reg) {
	case LAPIC_EOI:
		lapic_end_of_interrupt(v);
		break;
	case LAPIC_TPR:
		*lapic_reg(l, reg) = val;
		lapic_kick_if_pending(v);
		break;
	case LAPIC_ICR:
		*lapic_reg(l, reg) = val;
		lapic_send_ipi(v, val,
			       lapic_is_x2apic(l) ? *lapic_reg(l, LAPIC_ICR + 4)
						  : *lapic_reg(l, LAPIC_ICR2) >> 24);
		break;
	case LAPIC_SELF_IPI:
		if (val < 16)
			lapic_error(v, ESR_SEND_VECTOR);
		else
			lapic_set_irr(v, (u8)val, false);
		break;
	case LAPIC_TMICT:
		*lapic_reg(l, reg) = val;
		lapic_timer_start(v);
		break;
	case LAPIC_TDCR:
		*lapic_reg(l, reg) = val;
		lapic_timer_divide(v);
		break;
	case LAPIC_SVR:
		write_svr(v, val);
		break;
	case LAPIC_ESR: /* makes what was noted since the last write visible */
		*lapic_reg(l, reg) = l->errors;
		l->errors = 0;
		break;
	case LAPIC_LVTT:
		write_lvt(v, reg, val);
		lapic_timer_mode(v);
		break;
	case LAPIC_LVTTHMR:
	case LAPIC_LVTPC:
	case LAPIC_LVT0:
	case LAPIC_LVT1:
	case LAPIC_LVTERR:
		write_lvt(v, reg, val);
		break;
	case LAPIC_DFR:
		val |= DFR_ONES;
		/* fall through */
	case LAPIC_LDR:
	case LAPIC_ICR2:
		*lapic_reg(l, reg) = val;
		break;
	}
}

static u32 read_reg(struct vcpu *v, u32 reg)
{
	if (reg == LAPIC_TMCCT)
		return lapic_timer_count(v);
	if (reg == LAPIC_PPR)
		return lapic_update_ppr(&v->lapic);
	return *lapic_reg(&v->lapic, reg);
}

u32 lapic_read(struct vcpu *v, u32 offset)
{
	offset &= 0xFFC;
	if (offset & 0xC) /* registers are the first 4 of each 16 bytes */
		return 0;
	if (offset >= 0x400 || !(xapic_known >> REG(offset) & 1)) {
		lapic_error(v, ESR_ADDRESS);
		return 0;
	}
	return read_reg(v, offset);
}

void lapic_write(struct vcpu *v, u32 offset, u32 val)
{
	offset &= 0xFFC;
	if (offset & 0xC)
		return;
	if (offset >= 0x400 || !(xapic_known >> REG(offset) & 1))
		lapic_error(v, ESR_ADDRESS);
	else
		write_reg(v, offset, val);
}

void lapic_after_write(struct vcpu *v, u32 offset)
{
	struct lapic *l = &v->lapic;
	u32 reg = offset & 0x3F0, val = *lapic_reg(l, reg);

	if (reg == LAPIC_ID)
		*lapic_reg(l, reg) = v->index << 24; /* hardware let the guest change what is read-only */
	else
		write_reg(v, reg, val);
}

/* --- modes --- */

static void set_id(struct vcpu *v)
{
	struct lapic *l = &v->lapic;
	u32 id = v->index;

	*lapic_reg(l, LAPIC_ID) = lapic_is_x2apic(l) ? id : id << 24;
	/* The x2APIC's logical ID is derived: cluster and bit (SDM 3A 11.12.10.2). */
	*lapic_reg(l, LAPIC_LDR) = lapic_is_x2apic(l) ? (id >> 4) << 16 | 1U << (id & 15) : 0;
}

static void reset_registers(struct vcpu *v)
{
	struct lapic *l = &v->lapic;

	memset(l->page, 0, PAGE_SIZE);
	lapic_timer_reset(v);
	l->errors = 0;
	set_id(v);
	*lapic_reg(l, LAPIC_VERSION) = VERSION;
	*lapic_reg(l, LAPIC_DFR) = ~0U;
	*lapic_reg(l, LAPIC_SVR) = 0xFF;
	for (u32 lvt = LAPIC_LVTT; lvt <= LAPIC_LVTERR; lvt += 16)
		*lapic_reg(l, lvt) = LVT_MASKED;
}

int lapic_create(struct vcpu *v)
{
	v->lapic.page = vm_zalloc(v->vm, PAGE_SIZE);
	if (!v->lapic.page)
		return -ENOMEM;
	lapic_timer_create(v);
	lapic_reset(v);
	return 0;
}

void lapic_reset(struct vcpu *v)
{
	struct lapic *l = &v->lapic;

	l->base = LAPIC_BASE | APIC_BASE_EN | (v->index ? 0 : APIC_BASE_BSP);
	l->init_received = l->sipi_received = false;
	reset_registers(v);
	*lapic_reg(l, LAPIC_LVT0) = LVT_EXTINT;
	*lapic_reg(l, LAPIC_LVT1) = LVT_NMI;
}

/* SDM 3A 11.12.5: from x2APIC the only way back is through disabled, and into it only from xAPIC. */
static int write_base(struct vcpu *v, u64 val)
{
	struct lapic *l = &v->lapic;
	u64 old = l->base, mode = val & (APIC_BASE_EN | APIC_BASE_EXTD);

	if ((val & APIC_BASE_RSVD) || (val & PAGE_MASK) != LAPIC_BASE || mode == APIC_BASE_EXTD)
		return -EPERM;
	if (mode == APIC_BASE_EN && (old & APIC_BASE_EXTD))
		return -EPERM;
	if ((mode & APIC_BASE_EXTD) && !(old & APIC_BASE_EN))
		return -EPERM;
	l->base = val;
	if (!((old ^ val) & (APIC_BASE_EN | APIC_BASE_EXTD)))
		return 0;
	if (!mode) {
		reset_registers(v); /* what it held is lost */
	} else {
		set_id(v);
		*lapic_reg(l, LAPIC_ICR2) = 0;
	}
	if (v->ops->apic_mode)
		v->ops->apic_mode(v);
	vcpu_kick(v, EV_INTERRUPT);
	return 0;
}

/* --- MSRs --- */

/* 0 if reg, by its MSR's distance to the first, may be accessed as those of known may; -ENOENT if it is no
 * such MSR. */
static int x2apic_access(const struct lapic *l, u32 reg, u64 known)
{
	if (reg > 0xFF)
		return -ENOENT;
	return lapic_is_x2apic(l) && reg < 0x40 && known >> reg & 1 ? 0 : -EPERM;
}

int lapic_rdmsr(struct vcpu *v, u32 msr, u64 *val)
{
	struct lapic *l = &v->lapic;
	u32 reg = (msr - MSR_X2APIC) * 16;
	int err;

	if (msr == MSR_APIC_BASE) {
		*val = l->base;
		return 0;
	}
	if (msr == MSR_TSC_DEADLINE) {
		*val = l->tsc_deadline;
		return 0;
	}
	err = x2apic_access(l, msr - MSR_X2APIC, LAPIC_READABLE);
	if (err)
		return err;
	*val = read_reg(v, reg);
	if (reg == LAPIC_ICR)
		*val |= (u64)*lapic_reg(l, LAPIC_ICR + 4) << 32;
	return 0;
}

static u32 x2apic_allowed(u32 reg)
{
	u32 mask = masks[writable[REG(reg)]];

	if (LAPIC_LVTS >> REG(reg) & 1)
		mask |= LVT_STATUS;
	if (reg == LAPIC_LVT0 || reg == LAPIC_LVT1)
		mask |= LVT_REMOTE_IRR;
	return mask;
}

int lapic_wrmsr(struct vcpu *v, u32 msr, u64 val)
{
	struct lapic *l = &v->lapic;
	u32 reg = (msr - MSR_X2APIC) * 16;
	int err;

	if (likely(msr == MSR_TSC_DEADLINE)) {
		lapic_timer_set_deadline(v, val);
		return 0;
	}
	if (msr == MSR_APIC_BASE)
		return write_base(v, val);
	err = x2apic_access(l, msr - MSR_X2APIC, BOTH_WRITE | REGS(LAPIC_SELF_IPI, 1));
	if (err)
		return err;
	if (reg == LAPIC_ICR) {
		if ((u32)val & ICR_RESERVED)
			return -EPERM;
		*lapic_reg(l, LAPIC_ICR + 4) = val >> 32;
	} else if (val & ~(u64)x2apic_allowed(reg)) {
		return -EPERM;
	}
	write_reg(v, reg, (u32)val);
	return 0;
}
