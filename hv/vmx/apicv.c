/* The vcpu's LAPIC done by hardware: APIC-register virtualization and virtual-interrupt delivery (SDM 3C 30),
 * for xAPIC through the APIC-access page, for x2APIC through the MSR bitmap. CPUs without all of it leave
 * everything to vm/lapic.c. */

#include "lib/errno.h"
#include "vm/exits.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

#define X2APIC_MSR(reg) (0x800U + (reg) / 16)
#define MODE_BITS	(PROC2_APIC_ACCESSES | PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS)
#define EPT_ADDR	0x000FFFFFFFFFF000ULL

/* The APIC-access page is the VM's: all its vcpus see one mapping. Hardware uses its address only. */
static u64 access_page(struct vm *vm)
{
	u64 e[4];

	if (slat_walk(&vm->slat, LAPIC_BASE, e) == 1 && e[0])
		return e[0] & EPT_ADDR;
	void *page = vm_zalloc(vm, PAGE_SIZE);

	if (!page || slat_map(&vm->slat, LAPIC_BASE, (u64)page, PAGE_SIZE, SLAT_R | SLAT_W))
		return 0;
	return (u64)page;
}

int vmx_apicv_create(struct vcpu *v)
{
	if (!vmx_has_apicv())
		return 0;
	u64 page = access_page(v->vm);

	if (!page)
		return -ENOMEM;
	vmwrite(VMCS_VIRTUAL_APIC_ADDR, (u64)v->lapic.page);
	vmwrite(VMCS_APIC_ACCESS_ADDR, page);
	vmwrite(VMCS_TPR_THRESHOLD, 0);
	vmx_apic_mode(v);
	return 0;
}

/* A level-triggered vector's EOI has to reach the IOAPIC, so it exits; an edge-triggered one's does not. */
static void set_eoi_exit(u8 vector, bool on)
{
	enum vmcs_field f = (enum vmcs_field)(VMCS_EOI_EXIT_BITMAP0 + 2 * (vector / 64));
	u64 old = vmread(f), new = on ? old | BIT(vector % 64) : old & ~BIT(vector % 64);

	if (new != old)
		vmwrite(f, new);
}

static bool is_level(const struct lapic *l, u8 vector)
{
	return *(const u32 *)(l->page + LAPIC_TMR + (vector / 32) * 16) & BIT(vector % 32);
}

/* Hardware takes over: it starts from what the page holds. */
static void sync_status(const struct lapic *l)
{
	int rvi = lapic_highest(l, LAPIC_IRR), svi = lapic_highest(l, LAPIC_ISR);

	vmwrite(VMCS_GUEST_INTERRUPT_STATUS, (u64)MAX(svi, 0) << 8 | (u64)MAX(rvi, 0));
	for (unsigned i = 0; i < 4; i++) {
		const u32 *tmr = (const u32 *)(l->page + LAPIC_TMR + 32 * i);

		vmwrite(VMCS_EOI_EXIT_BITMAP0 + 2 * i, (u64)tmr[4] << 32 | tmr[0]);
	}
}

/* Bochs, by its VMCS regions: revision 2Bh and 4096 bytes, where CPUs take some 1 KiB. */
static bool delivers_early(void)
{
	return (vmx_caps.basic & 0x1FFF7FFFFFFFULL) == 0x10000000002BULL;
}

/* A workaround: with a virtual interrupt pending, Bochs 2.7 delivers it whatever IF is as soon as one of the
 * host's interrupts comes. So a guest that cannot take one has an interrupt window armed, which keeps it from
 * becoming pending (SDM 3C 30.2.1); what waits behind another looks at that again at the other's EOI; and
 * self-IPIs exit, but for those of an xAPIC's shorthand, which cannot. */
static void hold_back(struct vcpu *v, u64 status)
{
	if (status & 0xFF && delivers_early() && !vmx_can_take_interrupt(v))
		vmx_interrupt_window(v, true);
}

/* In x2APIC mode reads come from the page, but for the timer's count; TPR, EOI and self-IPI writes go there.
 */
static void intercept_x2apic(struct vmx_vcpu *x, bool on)
{
	const u64 from_page = LAPIC_READABLE & ~LAPIC_REGS(LAPIC_TMCCT, 1);

	for (u32 reg = LAPIC_ID; reg <= LAPIC_TDCR; reg += 16)
		vmx_msr_intercept(x, X2APIC_MSR(reg), on || !(from_page >> (reg >> 4) & 1), true);
	vmx_msr_intercept(x, X2APIC_MSR(LAPIC_TPR), on, on);
	vmx_msr_intercept(x, X2APIC_MSR(LAPIC_EOI), true, on);
	vmx_msr_intercept(x, X2APIC_MSR(LAPIC_SELF_IPI), true, on || delivers_early());
}

void vmx_apic_mode(struct vcpu *v)
{
	struct vmx_vcpu *x = to_vmx(v);
	u64 base = v->lapic.base;
	u32 bits = 0;

	if (!vmx_has_apicv())
		return;
	if ((base & APIC_BASE_EXTD) && vmx_has(CTL_PROC2, PROC2_X2APIC))
		bits = PROC2_X2APIC;
	else if ((base & (APIC_BASE_EN | APIC_BASE_EXTD)) == APIC_BASE_EN && (base & PAGE_MASK) == LAPIC_BASE)
		bits = PROC2_APIC_ACCESSES;
	if (bits)
		bits |= PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS;
	x->proc2 = (x->proc2 & ~MODE_BITS) | bits;
	vmwrite(VMCS_PROC_CONTROLS2, x->proc2);
	vmx_set_proc(v, PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING, !bits);
	vmx_set_proc(v, PROC_TPR_SHADOW, bits);
	intercept_x2apic(x, !(bits & PROC2_X2APIC));
	if (bits && !v->virtual_interrupts)
		sync_status(&v->lapic);
	v->virtual_interrupts = bits;
}

bool vmx_apic_irr(struct vcpu *v, u8 vector)
{
	if (!v->virtual_interrupts)
		return false;
	u64 status = vmread(VMCS_GUEST_INTERRUPT_STATUS);

	*(u32 *)(v->lapic.page + LAPIC_IRR + (vector / 32) * 16) |= (u32)BIT(vector % 32);
	set_eoi_exit(vector, is_level(&v->lapic, vector));
	if (unlikely(status && delivers_early())) { /* somebody's EOI is due before this one's */
		set_eoi_exit(vector, true);
		set_eoi_exit((u8)status, true);
		set_eoi_exit((u8)(status >> 8), true);
	}
	if (vector > (u8)status)
		vmwrite(VMCS_GUEST_INTERRUPT_STATUS, status = (status & 0xFF00) | vector);
	hold_back(v, status);
	return true;
}

void vmx_exit_apic_access(struct vcpu *v)
{
	u64 q = vmread(VMCS_EXIT_QUALIFICATION);

	vmx_take_vectoring(v);
	if (((q >> 12) & 15) > 1)
		vm_died(v->vm, "code fetch or event delivery from the LAPIC page at rip %#llx",
			(unsigned long long)v->rip);
	else
		exit_mmio(v, LAPIC_BASE + (q & 0xFFF));
}

void vmx_exit_apic_write(struct vcpu *v)
{
	lapic_after_write(v, vmread(VMCS_EXIT_QUALIFICATION) & 0xFF0);
}

void vmx_exit_eoi(struct vcpu *v)
{
	lapic_eoi_induced(v, (u8)vmread(VMCS_EXIT_QUALIFICATION));
	hold_back(v, vmread(VMCS_GUEST_INTERRUPT_STATUS));
}
