/* VMXON, and the life of a VMCS: SDM 3C 24.7, 25.11. */

#include "host/cpu.h"
#include "host/gdt.h"
#include "host/msr.h"
#include "host/page.h"
#include "host/percpu.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/exits.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

#define VMX_REGION_REVISION 0x7FFFFFFFU
#define BACKSTOP_HZ	    200 /* how often a guest is interrupted, in its own time */
#define PAT_RESET	    0x0007040600070406ULL

/* VMXON, VMCLEAR, VMPTRLD of a region: 0, or -EINVAL when the CPU does not take it. */
#define VMX_REGION_OP(op)                                                                                    \
	static int op(void *region)                                                                          \
	{                                                                                                    \
		u64 pa = (u64)region;                                                                        \
		bool fail;                                                                                   \
		__asm__ volatile(#op " %1" : "=@ccbe"(fail) : "m"(pa) : "memory");                           \
		return fail ? -EINVAL : 0;                                                                   \
	}
VMX_REGION_OP(vmxon)
VMX_REGION_OP(vmclear)
VMX_REGION_OP(vmptrld)

/* What every VMCS and VMXON region begins with. */
static u32 vmx_revision(void)
{
	return (u32)vmx_caps.basic & VMX_REGION_REVISION;
}

static int vmx_enable(void)
{
	struct cpu *c = this_cpu();
	u32 *region = page_alloc();
	u64 fc = rdmsr(MSR_FEATURE_CONTROL);

	if (!(fc & BIT(0)))
		wrmsr(MSR_FEATURE_CONTROL, fc | BIT(0) | BIT(2));
	write_cr0((read_cr0() & ~(CR0_CD | CR0_NW)) | vmx_caps.cr0_must);
	write_cr4(read_cr4() | CR4_VMXE | vmx_caps.cr4_must);
	if (!region)
		return -ENOMEM;
	c->vendor = region;
	*region = vmx_revision();
	if (vmxon(region)) {
		printk("pxHV: VMXON failed on CPU %u (region %#llx, IA32_VMX_BASIC %#llx)\n", c->index,
		       (unsigned long long)region, (unsigned long long)vmx_caps.basic);
		return -ENODEV;
	}
	return 0;
}

static void vmx_disable(void)
{
	__asm__ volatile("vmxoff" ::: "cc", "memory");
	write_cr4(read_cr4() & ~CR4_VMXE);
	page_free(this_cpu()->vendor);
}

void vmx_set_proc(struct vcpu *v, u32 bits, bool on)
{
	struct vmx_vcpu *x = to_vmx(v);
	u32 new = on ? x->proc | bits : x->proc & ~bits;

	if (new != x->proc)
		vmwrite(VMCS_PROC_CONTROLS, x->proc = new);
}

/* The preemption timer's rate is the TSC's, shifted. It is saved at exits, so that a guest which exits all
 * the time is reached too. */
void vmx_start_backstop(void)
{
	if (vmx_has(CTL_PIN, PIN_PREEMPTION_TIMER))
		vmwrite(VMCS_PREEMPTION_TIMER, MAX((tsc_hz / BACKSTOP_HZ) >> (vmx_caps.misc & 31), 1ULL));
}

static void write_controls(struct vmx_vcpu *x)
{
	x->proc = vmx_caps.base[CTL_PROC] | PROC_CR8_LOAD_EXITING | PROC_CR8_STORE_EXITING;
	/* CPUs without TRUE controls have CR3 exiting among the must bits; others need it not. */
	x->proc2 = vmx_caps.base[CTL_PROC2];
	x->entry = vmx_caps.base[CTL_ENTRY];
	vmwrite(VMCS_PIN_CONTROLS, vmx_caps.base[CTL_PIN]);
	vmwrite(VMCS_PROC_CONTROLS, x->proc);
	vmwrite(VMCS_PROC_CONTROLS2, x->proc2);
	vmwrite(VMCS_EXIT_CONTROLS, vmx_caps.base[CTL_EXIT]);
	vmwrite(VMCS_ENTRY_CONTROLS, x->entry);
	vmwrite(VMCS_IO_BITMAP_A, (u64)x->io_bitmaps);
	vmwrite(VMCS_IO_BITMAP_B, (u64)x->io_bitmaps + PAGE_SIZE);
	vmwrite(VMCS_MSR_BITMAP, (u64)x->msr_bitmap);
	vmwrite(VMCS_EPT_POINTER, vmx_ept_pointer(&x->v.vm->slat));
	if (vmx_has(CTL_PROC2, PROC2_VPID))
		vmwrite(VMCS_VPID, x->vpid);
	vmx_start_backstop();
}

static void write_host_state(void)
{
	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_CR3, read_cr3());
	vmwrite(VMCS_HOST_CR4, read_cr4());
	vmwrite(VMCS_HOST_GS_BASE, (u64)this_cpu());
	vmwrite(VMCS_HOST_TR_BASE, tss_base());
	vmwrite(VMCS_HOST_GDTR_BASE, gdt_base());
	vmwrite(VMCS_HOST_IDTR_BASE, idt_base());
	vmwrite(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmwrite(VMCS_HOST_RIP, (u64)vmx_exit_entry);
}

/* Fields that are the same in every VMCS, guest state that no start state sets among them. */
static void write_constants(void)
{
	static const struct {
		u16 field, value;
	} constants[] = {
		{VMCS_PF_ERROR_MASK, 0},	  {VMCS_PF_ERROR_MATCH, 0},
		{VMCS_CR3_TARGET_COUNT, 0},	  {VMCS_EXIT_MSR_STORE_COUNT, 0},
		{VMCS_EXIT_MSR_LOAD_COUNT, 0},	  {VMCS_ENTRY_MSR_LOAD_COUNT, 0},
		{VMCS_HOST_CS_SELECTOR, HOST_CS}, {VMCS_HOST_SS_SELECTOR, HOST_DS},
		{VMCS_HOST_DS_SELECTOR, HOST_DS}, {VMCS_HOST_ES_SELECTOR, HOST_DS},
		{VMCS_HOST_FS_SELECTOR, 0},	  {VMCS_HOST_GS_SELECTOR, 0},
		{VMCS_HOST_TR_SELECTOR, HOST_TR}, {VMCS_HOST_FS_BASE, 0},
		{VMCS_HOST_SYSENTER_CS, 0},	  {VMCS_HOST_SYSENTER_ESP, 0},
		{VMCS_HOST_SYSENTER_EIP, 0},	  {VMCS_GUEST_DEBUGCTL, 0},
		{VMCS_GUEST_INTERRUPTIBILITY, 0}, {VMCS_GUEST_ACTIVITY, 0},
		{VMCS_GUEST_PENDING_DEBUG, 0},	  {VMCS_GUEST_SYSENTER_CS, 0},
		{VMCS_GUEST_SYSENTER_ESP, 0},	  {VMCS_GUEST_SYSENTER_EIP, 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(constants); i++)
		vmwrite(constants[i].field, constants[i].value);
	vmwrite(VMCS_VMCS_LINK_POINTER, ~0ULL);
	vmwrite(VMCS_GUEST_PAT, PAT_RESET);
	vmwrite(VMCS_EXCEPTION_BITMAP, VMX_EXCEPTIONS);
}

static void vmx_destroy(struct vcpu *v)
{
	vmclear(to_vmx(v)->vmcs);
}

static int vmx_create(struct vcpu *v)
{
	struct vmx_vcpu *x = to_vmx(v);

	x->vmcs[0] = vmx_revision();
	x->vpid = vmx_has(CTL_PROC2, PROC2_VPID) ? (u16)(v->vm->id * VM_MAX_VCPUS + v->index + 1) : 0;
	if (vmclear(x->vmcs) || vmptrld(x->vmcs)) {
		printk("pxHV: this CPU does not accept a VMCS at %#llx\n", (unsigned long long)x->vmcs);
		return -ENODEV;
	}
	memset(x->io_bitmaps, 0xFF, sizeof(x->io_bitmaps));
	vmx_msr_bitmap_init(x);
	write_controls(x);
	write_host_state();
	write_constants();
	vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
	if (!vmx_has(CTL_PROC2, PROC2_RDTSCP))
		cpuid_policy_hide(0x80000001, 3, (u32)BIT(27));
	if (!vmx_has(CTL_PROC2, PROC2_INVPCID))
		cpuid_policy_hide(7, 1, (u32)BIT(10));
	vmx_ept_flush(v);
	vmx_vpid_flush(v);
	return vmx_apicv_create(v);
}

static int vmx_run(struct vcpu *v)
{
	struct vmx_vcpu *x = to_vmx(v);

	this_cpu()->vcpu = v;
	vmptrld(x->vmcs);

	int vmfail = vmx_enter(v);

	if (!vmfail)
		return 0;
	/* Of a VMCS that is launched and bad, VMLAUNCH only says "not clear"; clear it to hear the real
	 * error. */
	if (vmfail == 2 && vmread(VMCS_INSTRUCTION_ERROR) == 4) {
		vmclear(x->vmcs);
		vmptrld(x->vmcs);
		vmfail = vmx_enter(v);
	}
	vmx_explain_entry_failure(v, 0, vmfail);
	vm_died(v->vm, "VM entry failed");
	return -EIO;
}

static void vmx_tsc_offset_changed(struct vcpu *v)
{
	vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
}

static const char *vmx_no_real_mode(void)
{
	return vmx_has(CTL_PROC2, PROC2_UNRESTRICTED_GUEST)
		       ? NULL
		       : "this CPU lacks 'unrestricted guest' (secondary control bit 7, MSR 0x48b bit 39), "
			 "which Intel CPUs have from 2010 on (Westmere); 64-bit guests run";
}

const struct vcpu_ops vmx_ops = {
	.name = "VT-x",
	.enabled = "VMXON executed successfully!",
	.created = "VMCS ready, EPT",
	.entry = "VMLAUNCH",
	.vcpu_size = sizeof(struct vmx_vcpu),
	.check = vmx_check,
	.enable = vmx_enable,
	.disable = vmx_disable,
	.slat = &vmx_ept_format,
	.slat_max_level = vmx_ept_max_level,
	.no_real_mode = vmx_no_real_mode,
	.create = vmx_create,
	.destroy = vmx_destroy,
	.run = vmx_run,
	.get = vmx_get,
	.set = vmx_set,
	.get_seg = vmx_get_seg,
	.set_seg = vmx_set_seg,
	.set_mode = vmx_set_mode,
	.skip = vmx_skip,
	.inject = vmx_inject,
	.can_take_interrupt = vmx_can_take_interrupt,
	.can_take_nmi = vmx_can_take_nmi,
	.interrupt_window = vmx_interrupt_window,
	.nmi_window = vmx_nmi_window,
	.rdmsr = vmx_rdmsr,
	.wrmsr = vmx_wrmsr,
	.apic_mode = vmx_apic_mode,
	.apic_irr = vmx_apic_irr,
	.tlb_flush = vmx_ept_flush,
	.tsc_offset_changed = vmx_tsc_offset_changed,
	.debug = vmx_debug,
	.trace_exit = vmx_trace_exit,
	.exit_name = vmx_exit_name,
	.feature = vmx_feature,
};
