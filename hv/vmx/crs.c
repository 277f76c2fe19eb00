/* CR0, CR3, CR4 and EFER of a guest: which bits are the guest's own, and what a change of the others does.
 *
 * With unrestricted guest the hardware runs every mode. Without it CR0.PE and CR0.PG are stuck at 1: then
 * protected mode without paging runs on an identity map of 4 GiB that stands in for the guest's CR3, and
 * real mode is refused. */

#include "host/cpu.h"
#include "lib/errno.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

/* A page of 4 MiB entries that map all to itself, at a guest-physical address that no guest RAM uses. */
#define IDENTITY_MAP_GPA 0xFEFFC000ULL
#define IDENTITY_ENTRY	 0xE7 /* present, writable, user, accessed, dirty, 4 MiB */

#define CR4_GUEST_OWNED                                                                                      \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE | CR4_OSFXSR |         \
	 CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_PKE)

#define EFER_GUEST     (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)
#define AR_CS_LONG     BIT(13)
#define AR_BUSY_TSS    0x8B
#define PDPTE_RESERVED 0x1E6ULL /* SDM 3A table 4-8, low bits */

static bool unrestricted(void)
{
	return vmx_has(CTL_PROC2, PROC2_UNRESTRICTED_GUEST);
}

static u64 cr0_mask(void)
{
	u64 mask = vmx_caps.cr0_must | CR0_PG | CR0_CD | CR0_NW;

	return unrestricted() ? mask & ~CR0_PE : mask | CR0_PE;
}

static u64 cr4_mask(void)
{
	u64 own = CR4_GUEST_OWNED & vmx_caps.cr4_may & ~vmx_caps.cr4_must;

	return ~(unrestricted() ? own : own & ~(CR4_PAE | CR4_PSE));
}

u64 vmx_guest_cr0(void)
{
	u64 mask = cr0_mask();

	return (vmread(VMCS_GUEST_CR0) & ~mask) | (vmread(VMCS_CR0_SHADOW) & mask);
}

u64 vmx_guest_cr4(void)
{
	u64 mask = cr4_mask();

	return (vmread(VMCS_GUEST_CR4) & ~mask) | (vmread(VMCS_CR4_SHADOW) & mask);
}

/* Is the identity map standing in for the guest's paging? */
static bool on_identity_map(const struct vcpu *v)
{
	return ((const struct vmx_vcpu *)v)->proc & PROC_CR3_LOAD_EXITING;
}

u64 vmx_guest_cr3(struct vcpu *v)
{
	return on_identity_map(v) ? to_vmx(v)->cr3 : vmread(VMCS_GUEST_CR3);
}

/* PAE paging keeps the four PDPTEs in the CPU; with EPT they live in the VMCS and a change of mode that was
 * emulated has to fetch them (SDM 3C 27.3.2.4). */
static int load_pdptes(struct vcpu *v, u64 cr3)
{
	u64 pdpte[4];

	if (guest_read(v->vm, cr3 & 0xFFFFFFE0, pdpte, sizeof(pdpte)))
		return -EPERM;
	for (unsigned i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & PDPTE_RESERVED))
			return -EPERM;
	vmwrite(VMCS_GUEST_PDPTE0, pdpte[0]);
	vmwrite(VMCS_GUEST_PDPTE1, pdpte[1]);
	vmwrite(VMCS_GUEST_PDPTE2, pdpte[2]);
	vmwrite(VMCS_GUEST_PDPTE3, pdpte[3]);
	return 0;
}

static int make_identity_map(struct vcpu *v)
{
	u64 entries[4];

	if (slat_walk(&v->vm->slat, IDENTITY_MAP_GPA, entries) == 1 && vmx_ept_format.present(entries[0]))
		return 0;
	u32 *map = vm_zalloc(v->vm, PAGE_SIZE);

	if (!map)
		return -ENOMEM;
	for (u32 i = 0; i < 1024; i++)
		map[i] = i << 22 | IDENTITY_ENTRY;
	return slat_map(&v->vm->slat, IDENTITY_MAP_GPA, (u64)map, PAGE_SIZE, SLAT_R | SLAT_W, NULL);
}

void vmx_load_mode(struct vcpu *v, u64 cr0, u64 cr4, u64 efer, u64 cr3)
{
	struct vmx_vcpu *x = to_vmx(v);
	u64 hw0 = (cr0 & ~(CR0_CD | CR0_NW)) | vmx_caps.cr0_must;
	u64 hw4 = (cr4 | vmx_caps.cr4_must | CR4_MCE) & vmx_caps.cr4_may;

	if (unrestricted()) {
		hw0 = (hw0 & ~(CR0_PE | CR0_PG)) | (cr0 & (CR0_PE | CR0_PG));
		vmwrite(VMCS_GUEST_CR3, cr3);
	} else if (!(cr0 & CR0_PE)) {
		vm_died(v->vm,
			"real mode at rip %#llx: this CPU's VT-x lacks 'unrestricted guest' (secondary "
			"control bit 7), without which only protected and long mode run",
			(unsigned long long)v->rip);
		return;
	} else {
		bool identity = !(cr0 & CR0_PG);

		if (identity && make_identity_map(v)) {
			vm_died(v->vm, "no memory for the identity map");
			return;
		}
		x->cr3 = cr3;
		vmx_set_proc(v, PROC_CR3_LOAD_EXITING | PROC_CR3_STORE_EXITING,
			     identity || (vmx_caps.must[CTL_PROC] & PROC_CR3_LOAD_EXITING));
		if (identity)
			hw4 = (hw4 & ~(CR4_PAE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)) | CR4_PSE;
		vmwrite(VMCS_GUEST_CR3, identity ? IDENTITY_MAP_GPA : cr3);
	}
	vmwrite(VMCS_CR0_MASK, cr0_mask());
	vmwrite(VMCS_CR0_SHADOW, cr0);
	vmwrite(VMCS_GUEST_CR0, hw0);
	vmwrite(VMCS_CR4_MASK, cr4_mask());
	vmwrite(VMCS_CR4_SHADOW, cr4);
	vmwrite(VMCS_GUEST_CR4, hw4);
	vmwrite(VMCS_GUEST_EFER, efer);

	u32 entry = efer & EFER_LMA ? x->entry | ENTRY_IA32E : x->entry & ~(u32)ENTRY_IA32E;

	if (entry != x->entry)
		vmwrite(VMCS_ENTRY_CONTROLS, x->entry = entry);
	vmx_vpid_flush(v);
}

int vmx_set_cr0(struct vcpu *v, u64 val)
{
	u64 old = vmx_guest_cr0(), cr4 = vmx_guest_cr4(), cr3 = vmx_guest_cr3(v);
	u64 efer = vmread(VMCS_GUEST_EFER);

	val |= CR0_ET;
	if (val >> 32 || ((val & CR0_PG) && !(val & CR0_PE)) || ((val & CR0_NW) && !(val & CR0_CD)))
		return -EPERM;
	if (val & ~old & CR0_PG) {
		if (efer & EFER_LME) {
			if (!(cr4 & CR4_PAE) || (vmread(VMCS_GUEST_CS_AR) & AR_CS_LONG))
				return -EPERM;
			efer |= EFER_LMA;
			/* A 16-bit busy TSS would fail the entry; hardware would go on with it. */
			vmwrite(VMCS_GUEST_TR_AR, (vmread(VMCS_GUEST_TR_AR) & ~0xFFULL) | AR_BUSY_TSS);
		}
	} else if (old & ~val & CR0_PG) {
		if ((efer & EFER_LMA) && (vmread(VMCS_GUEST_CS_AR) & AR_CS_LONG))
			return -EPERM;
		if (!(efer & EFER_LMA) || !(cr4 & CR4_PCIDE))
			efer &= ~EFER_LMA;
		else
			return -EPERM;
	}
	if ((val & CR0_PG) && (cr4 & CR4_PAE) && !(efer & EFER_LMA) && ((val ^ old) & CR0_PG) &&
	    load_pdptes(v, cr3))
		return -EPERM;
	vmx_load_mode(v, val, cr4, efer, cr3);
	return 0;
}

int vmx_set_cr4(struct vcpu *v, u64 val)
{
	u64 cr0 = vmx_guest_cr0(), old = vmx_guest_cr4(), cr3 = vmx_guest_cr3(v);
	u64 efer = vmread(VMCS_GUEST_EFER);

	if (val & ~((CR4_GUEST_OWNED | CR4_MCE) & vmx_caps.cr4_may))
		return -EPERM;
	if ((efer & EFER_LMA) ? !(val & CR4_PAE) : (val & CR4_PCIDE))
		return -EPERM;
	if ((val & ~old & CR4_PCIDE) && (cr3 & 0xFFF))
		return -EPERM;
	if ((cr0 & CR0_PG) && (val & CR4_PAE) && !(efer & EFER_LMA) && load_pdptes(v, cr3))
		return -EPERM;
	vmx_load_mode(v, cr0, val, efer, cr3);
	return 0;
}

int vmx_set_efer(struct vcpu *v, u64 val)
{
	u64 cr0 = vmx_guest_cr0(), old = vmread(VMCS_GUEST_EFER);

	if ((val & ~EFER_GUEST) || ((cr0 & CR0_PG) && ((val ^ old) & EFER_LME)))
		return -EPERM;
	/* LMA is the CPU's, whatever is written (APM 2 3.1.7). */
	vmwrite(VMCS_GUEST_EFER, (val & ~EFER_LMA) | (old & EFER_LMA));
	vmx_vpid_flush(v);
	return 0;
}

static int set_cr3(struct vcpu *v, u64 val)
{
	u64 cr0 = vmx_guest_cr0(), cr4 = vmx_guest_cr4();
	bool lma = vmread(VMCS_GUEST_EFER) & EFER_LMA;
	bool flush = !(cr4 & CR4_PCIDE) || !(val & BIT(63));

	if (lma && (cr4 & CR4_PCIDE))
		val &= ~BIT(63);
	if (lma && val >> 52)
		return -EPERM;
	if ((cr0 & CR0_PG) && (cr4 & CR4_PAE) && !lma && load_pdptes(v, val))
		return -EPERM;
	to_vmx(v)->cr3 = val;
	if (unrestricted() || (cr0 & CR0_PG))
		vmwrite(VMCS_GUEST_CR3, val);
	if (flush)
		vmx_vpid_flush(v);
	return 0;
}

static u64 *gpr_slot(struct vcpu *v, unsigned r, u64 *rsp)
{
	if (r != RSP)
		return &v->regs[r];
	*rsp = vmread(VMCS_GUEST_RSP);
	return rsp;
}

static int write_cr(struct vcpu *v, unsigned cr, u64 val)
{
	/* Outside 64-bit mode the register is 32 bits wide. */
	if (vcpu_code_bits(v) != 64)
		val = (u32)val;
	switch (cr) {
	case 0:
		return vmx_set_cr0(v, val);
	case 3:
		return set_cr3(v, val);
	case 4:
		return vmx_set_cr4(v, val);
	default: /* CR8 */
		if (val > 15)
			return -EPERM;
		lapic_write(v, LAPIC_TPR, (u32)val << 4);
		return 0;
	}
}

/* SDM 3C table 28-3. */
void vmx_exit_cr(struct vcpu *v)
{
	u64 q = vmread(VMCS_EXIT_QUALIFICATION), rsp, cr0;
	unsigned cr = q & 15, r = (q >> 8) & 15;
	int err = 0;

	switch ((q >> 4) & 3) {
	case 0:
		err = write_cr(v, cr, *gpr_slot(v, r, &rsp));
		break;
	case 1: {
		u64 val = cr == 3 ? vmx_guest_cr3(v) : lapic_read(v, LAPIC_TPR) >> 4;

		if (r == RSP)
			vmwrite(VMCS_GUEST_RSP, val);
		else
			v->regs[r] = val;
		break;
	}
	case 2: /* CLTS */
		err = vmx_set_cr0(v, vmx_guest_cr0() & ~CR0_TS);
		break;
	default: /* LMSW sets PE, MP, EM, TS; it cannot clear PE */
		cr0 = vmx_guest_cr0();
		err = vmx_set_cr0(v, (cr0 & ~0xEULL) | ((q >> 16) & 0xF));
	}
	if (err)
		vcpu_gp(v);
	else
		v->ops->skip(v, 0);
}
