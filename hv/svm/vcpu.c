/* AMD-V on this CPU, and the life of a VMCB (APM 2 15.4, 15.5). */

#include "host/cpu.h"
#include "host/msr.h"
#include "host/page.h"
#include "host/percpu.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "svm/svm.h"
#include "vm/vm.h"

#define VM_CR_SVMDIS	      BIT(4)
#define MSR_INTERRUPT_PENDING 0xC0010055U
#define HALT_TO_C1E	      (BIT(27) | BIT(28)) /* SmiOnCmpHalt, C1eOnCmpHalt */

struct svm_caps svm_caps;

int svm_check(void)
{
	if (cpuid(0x80000000, 0).eax < 0x8000000A || !(cpuid(0x80000001, 0).ecx & BIT(2))) {
		printk("pxHV: this AMD CPU has no AMD-V (CPUID 80000001h:ECX bit 2, SVM, is 0).\n%s",
		       cpuid(1, 0).ecx & BIT(31)
			       ? "It is a virtual CPU: its hypervisor does not offer AMD-V. Under KVM, load "
				 "kvm_amd with nested=1 and use -cpu host; in QEMU without KVM, -cpu max.\n"
			       : "Use a PC with AMD-V or VT-x, or `tools/pxhv run --engine qemu` on any "
				 "PC.\n");
		return -ENODEV;
	}
	struct cpuid_regs r = cpuid(0x8000000A, 0);
	u64 vm_cr;

	if (!rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS)) {
		printk("pxHV: the firmware has switched AMD-V off (MSR %#x VM_CR bit 4, SVMDIS, is 1).\n"
		       "Switch on \"SVM Mode\" in the firmware setup, then turn the PC off and on.\n",
		       MSR_VM_CR);
		return -ENODEV;
	}
	svm_caps.asids = r.ebx;
	svm_caps.tcg = cpuid(1, 0).ecx & BIT(31) && cpuid(0x40000000, 0).ebx == 0x54474354; /* TCGT */
	svm_caps.npt_1g = cpuid(0x80000001, 0).edx & BIT(26);
	/* QEMU's default CPU has nested paging and does not say so. */
	if (!(r.edx & BIT(0)) && !(cpuid(1, 0).ecx & BIT(31))) {
		printk("pxHV: this CPU's AMD-V has no nested paging (CPUID 8000000Ah:EDX bit 0 is 0), which "
		       "pxHV "
		       "needs: AMD CPUs have it from 2007 on (Barcelona). Try another PC, or "
		       "`tools/pxhv run --engine qemu`.\n");
		return -ENODEV;
	}
	if (svm_caps.asids < 2) {
		printk("pxHV: this CPU's AMD-V offers %u ASIDs (CPUID 8000000Ah:EBX), pxHV needs 2.\n",
		       svm_caps.asids);
		return -ENODEV;
	}
	return 0;
}

static int svm_enable(void)
{
	struct cpu *c = this_cpu();
	u64 pending;

	c->vendor = page_alloc();
	if (!c->vendor)
		return -ENOMEM;
	/* In C1E the LAPIC timer stops, and a HLT of all cores is the way there (family 10h, erratum 400). */
	if (!rdmsr_safe(MSR_INTERRUPT_PENDING, &pending) && pending & HALT_TO_C1E)
		wrmsr_safe(MSR_INTERRUPT_PENDING, pending & ~HALT_TO_C1E);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, (u64)c->vendor);
	svm_caps.real_mode = svm_probe_real_mode();
	return 0;
}

static void svm_disable(void)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
	page_free(this_cpu()->vendor);
}

static void write_controls(struct svm_vcpu *x)
{
	void *b = x->vmcb;

	*vmcb_intercept_cr_read(b) = *vmcb_intercept_cr_write(b) = (u16)BIT(8);
	*vmcb_intercept_exceptions(b) = SVM_EXCEPTIONS;
	*vmcb_intercept1(b) = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_RDPMC | INTERCEPT_CPUID |
			      INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA | INTERCEPT_IOIO |
			      INTERCEPT_MSR | INTERCEPT_TASK_SWITCH | INTERCEPT_FERR_FREEZE |
			      (u32)INTERCEPT_SHUTDOWN;
	*vmcb_intercept2(b) = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL | INTERCEPT2_VMLOAD | INTERCEPT2_VMSAVE |
			      INTERCEPT2_STGI | INTERCEPT2_CLGI | INTERCEPT2_SKINIT | INTERCEPT2_MONITOR |
			      INTERCEPT2_MWAIT | INTERCEPT2_XSETBV;
	*vmcb_iopm_base(b) = (u64)x->iopm;
	*vmcb_msrpm_base(b) = (u64)x->msrpm;
	*vmcb_tsc_offset(b) = x->v.tsc_offset;
	*vmcb_asid(b) = 1 + (x->v.vm->id * VM_MAX_VCPUS + x->v.index) % (svm_caps.asids - 1);
	*vmcb_v_intr(b) = V_INTR_MASKING | V_IGN_TPR | V_INTR_PRIO_MAX;
	*vmcb_np_enable(b) = 1;
	*vmcb_n_cr3(b) = (u64)x->v.vm->slat.root;
	*vmcb_g_pat(b) = SVM_PAT_RESET;
	*vmcb_dr6(b) = 0xFFFF0FF0;
}

static int svm_create(struct vcpu *v)
{
	struct svm_vcpu *x = to_svm(v);

	memset(x->iopm, 0xFF, SVM_IOPM_SIZE);
	x->iret_rip = ~0ULL;
	svm_msrpm_init(x);
	write_controls(x);
	__asm__ volatile("vmsave %0" ::"a"(x->host_state) : "memory");
	return 0;
}

static int svm_run(struct vcpu *v)
{
	this_cpu()->vcpu = v;
	svm_enter(v);
	return 0;
}

static const char *svm_no_real_mode(void)
{
	return svm_caps.real_mode ? NULL
				  : "nested paging leaves it untranslated, a fault of QEMU before 7.2.15";
}

static void svm_tsc_offset_changed(struct vcpu *v)
{
	*vmcb_tsc_offset(to_svm(v)->vmcb) = v->tsc_offset;
}

const char *svm_why_invalid(void *b)
{
	u64 cr0 = *vmcb_cr0(b), cr4 = *vmcb_cr4(b), efer = *vmcb_efer(b);

	if (svm_caps.tcg)
		return "; QEMU has mixed the host's state into it since";
	/* The checks of APM 2 15.5.1, most likely first. */
	if (!(efer & EFER_SVME))
		return ": EFER.SVME is 0";
	if ((cr0 & CR0_NW) && !(cr0 & CR0_CD))
		return ": CR0.NW without CR0.CD";
	if (cr0 >> 32)
		return ": CR0 bits 63-32";
	if ((efer & EFER_LME) && (cr0 & CR0_PG) && !(cr4 & CR4_PAE))
		return ": long mode without CR4.PAE";
	if ((efer & EFER_LME) && (cr0 & CR0_PG) && !(cr0 & CR0_PE))
		return ": CR0.PG without CR0.PE";
	if ((efer & EFER_LME) && (cr0 & CR0_PG) && (vmcb_cs(b)->attr & 0x600) == 0x600)
		return ": CS.L and CS.D both 1";
	if (*vmcb_dr7(b) >> 32 || *vmcb_dr6(b) >> 32)
		return ": DR6 or DR7 bits 63-32";
	if (!*vmcb_asid(b))
		return ": ASID 0";
	return ": reserved bits of CR3, CR4 or EFER, or the event to be injected";
}

const struct vcpu_ops svm_ops = {
	.name = "AMD-V",
	.enabled = "EFER.SVME set, AMD-V is on",
	.created = "VMCB ready, nested page table",
	.entry = "VMRUN",
	.vcpu_size = sizeof(struct svm_vcpu),
	.check = svm_check,
	.enable = svm_enable,
	.disable = svm_disable,
	.slat = &svm_npt_format,
	.slat_max_level = svm_npt_max_level,
	.no_real_mode = svm_no_real_mode,
	.create = svm_create,
	.run = svm_run,
	.get = svm_get,
	.set = svm_set,
	.get_seg = svm_get_seg,
	.set_seg = svm_set_seg,
	.set_mode = svm_set_mode,
	.skip = svm_skip,
	.inject = svm_inject,
	.can_take_interrupt = svm_can_take_interrupt,
	.can_take_nmi = svm_can_take_nmi,
	.interrupt_window = svm_interrupt_window,
	.nmi_window = svm_nmi_window,
	.rdmsr = svm_rdmsr,
	.wrmsr = svm_wrmsr,
	.tlb_flush = svm_tlb_flush,
	.tsc_offset_changed = svm_tsc_offset_changed,
	.debug = svm_debug,
	.trace_exit = svm_trace_exit,
	.exit_name = svm_exit_name,
	.feature = svm_feature,
};
