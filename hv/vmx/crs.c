/* CR0, CR3, CR4 and EFER of a guest: which bits are the guest's own, and what a change of the others does.
 *
 * With unrestricted guest the hardware runs every mode. Without it CR0.PE and CR0.PG are stuck at 1: then
 * protected mode without paging runs on an identity map of 4 GiB that stands in for the guest's CR3, and
 * real mode is refused. */

#include "host/cpu.h"
#include "lib/errno.h"
#include "vm/emulate.h"
#include "vm/vm.h"
#include "vmx/vmx.h"

/* A page of 4 MiB entries that map all to itself, at a guest-physical address that no guest RAM uses. */
#define IDENTITY_MAP_GPA 0xFEFFC000ULL
#define IDENTITY_ENTRY	 0xE7 /* present, writable, user, accessed, dirty, 4 MiB */

#define CR4_GUEST_OWNED                                                                                      \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCE | CR4_OSFXSR |         \
	 CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP | CR4_PKE)

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

/* Address bits that this CPU does not have. */
static u64 beyond_memory(void)
{
	return ~0ULL << (cpuid(0x80000008, 0).eax & 0xFF);
}

/* PAE paging keeps the four PDPTEs in the CPU; with EPT they live in the VMCS and a change of mode that was
 * emulated has to fetch them (SDM 3C 27.3.2.4). */
static int load_pdptes(struct vcpu *v, const struct cpu_mode *m)
{
	u64 pdpte[4], reserved;

	if (!(m->cr0 & CR0_PG) || !(m->cr4 & CR4_PAE) || (m->efer & EFER_LMA))
		return 0;
	if (guest_read(v->vm, m->cr3 & 0xFFFFFFE0, pdpte, sizeof(pdpte)))
		return -EPERM;
	reserved = PDPTE_RESERVED | beyond_memory();
	for (unsigned i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			return -EPERM;
	for (unsigned i = 0; i < 4; i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
	return 0;
}

static int make_identity_map(struct vcpu *v)
{
	u64 entries[4];

	if (slat_walk(&v->vm->slat, IDENTITY_MAP_GPA, entries) == 1 && entries[0])
		return 0;
	u32 *map = vm_zalloc(v->vm, PAGE_SIZE);

	if (!map)
		return -ENOMEM;
	for (u32 i = 0; i < 1024; i++)
		map[i] = i << 22 | IDENTITY_ENTRY;
	return slat_map(&v->vm->slat, IDENTITY_MAP_GPA, (u64)map, PAGE_SIZE, SLAT_R | SLAT_W);
}

void vmx_set_mode(struct vcpu *v, const struct cpu_mode *m)
{
	struct vmx_vcpu *x = to_vmx(v);
	u64 hw0 = (m->cr0 & ~(CR0_CD | CR0_NW)) | vmx_caps.cr0_must;
	u64 hw4 = (m->cr4 | vmx_caps.cr4_must | CR4_MCE) & vmx_caps.cr4_may;
	u64 hw3 = m->cr3, efer = m->efer;

	if (unrestricted()) {
		hw0 = (hw0 & ~(CR0_PE | CR0_PG)) | (m->cr0 & (CR0_PE | CR0_PG));
	} else if (!(m->cr0 & CR0_PE)) {
		vm_died(v->vm,
			"real mode at rip %#llx: this CPU's VT-x lacks 'unrestricted guest' (secondary "
			"control bit 7), without which only protected and long mode run",
			(unsigned long long)v->rip);
		return;
	} else {
		bool identity = !(m->cr0 & CR0_PG);

		if (identity) {
			if (make_identity_map(v)) {
				vm_died(v->vm, "no memory for the identity map");
				return;
			}
			hw3 = IDENTITY_MAP_GPA;
			efer &= ~EFER_LME;
			hw4 = (hw4 & ~(CR4_PAE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)) | CR4_PSE;
		}
		x->cr3 = m->cr3;
		x->lme = (u32)(m->efer ^ efer);
		vmx_set_proc(v, PROC_CR3_LOAD_EXITING | PROC_CR3_STORE_EXITING,
			     identity || (vmx_caps.must[CTL_PROC] & PROC_CR3_LOAD_EXITING));
	}
	vmwrite(VMCS_CR0_MASK, cr0_mask());
	vmwrite(VMCS_CR0_SHADOW, m->cr0);
	vmwrite(VMCS_GUEST_CR0, hw0);
	vmwrite(VMCS_GUEST_CR3, hw3);
	vmwrite(VMCS_CR4_MASK, cr4_mask());
	vmwrite(VMCS_CR4_SHADOW, m->cr4);
	vmwrite(VMCS_GUEST_CR4, hw4);
	vmwrite(VMCS_GUEST_EFER, efer);
	x->entry = efer & EFER_LMA ? x->entry | ENTRY_IA32E : x->entry & ~(u32)ENTRY_IA32E;
	vmwrite(VMCS_ENTRY_CONTROLS, x->entry);
	vmx_vpid_flush(v);
}

/* A new CR0: 0, or -EPERM for #GP; as those below. */
static int set_cr0(struct vcpu *v, u64 val)
{
	bool code64 = vmread(VMCS_GUEST_CS_AR) & AR_CS_LONG;
	struct cpu_mode m;
	u64 old;

	vmx_get_mode(v, &m);
	old = m.cr0;
	m.cr0 = val |= CR0_ET;
	if (val >> 32 || ((val & CR0_PG) && !(val & CR0_PE)) || ((val & CR0_NW) && !(val & CR0_CD)))
		return -EPERM;
	if ((val ^ old) & CR0_PG) {
		if (!(val & CR0_PG)) {
			if ((m.efer & EFER_LMA) && (code64 || (m.cr4 & CR4_PCIDE)))
				return -EPERM;
			m.efer &= ~EFER_LMA;
		} else if (m.efer & EFER_LME) {
			if (!(m.cr4 & CR4_PAE) || code64)
				return -EPERM;
			m.efer |= EFER_LMA;
			/* A 16-bit busy TSS would fail the entry; hardware would go on with it. */
			vmwrite(VMCS_GUEST_TR_AR, (vmread(VMCS_GUEST_TR_AR) & ~0xFFULL) | AR_BUSY_TSS);
		}
		if (load_pdptes(v, &m))
			return -EPERM;
	}
	vmx_set_mode(v, &m);
	return 0;
}

static int set_cr4(struct vcpu *v, u64 val)
{
	struct cpu_mode m;
	u64 old;

	vmx_get_mode(v, &m);
	old = m.cr4;
	m.cr4 = val;
	if ((val & ~((CR4_GUEST_OWNED | CR4_MCE) & vmx_caps.cr4_may)) ||
	    (m.efer & EFER_LMA ? !(val & CR4_PAE) : (val & CR4_PCIDE)) ||
	    ((val & ~old & CR4_PCIDE) && (m.cr3 & 0xFFF)) || load_pdptes(v, &m))
		return -EPERM;
	vmx_set_mode(v, &m);
	return 0;
}

static int set_cr3(struct vcpu *v, u64 val)
{
	struct cpu_mode m;
	bool flush = true;

	vmx_get_mode(v, &m);
	if (m.cr4 & CR4_PCIDE) { /* so it is long mode */
		flush = !(val & BIT(63));
		val &= ~BIT(63);
	}
	m.cr3 = val;
	if (((m.efer & EFER_LMA) && (val & beyond_memory())) || load_pdptes(v, &m))
		return -EPERM;
	to_vmx(v)->cr3 = val;
	if (unrestricted() || (m.cr0 & CR0_PG))
		vmwrite(VMCS_GUEST_CR3, val);
	if (flush)
		vmx_vpid_flush(v);
	return 0;
}

static int write_cr(struct vcpu *v, unsigned cr, u64 val)
{
	/* Outside 64-bit mode the register is 32 bits wide. */
	if (vcpu_code_bits(v) != 64)
		val = (u32)val;
	if (cr == 0)
		return set_cr0(v, val);
	if (cr == 3)
		return set_cr3(v, val);
	if (cr == 4)
		return set_cr4(v, val);
	if (val > 15)
		return -EPERM;
	lapic_write(v, LAPIC_TPR, (u32)val << 4); /* CR8 */
	return 0;
}

/* SDM 3C table 28-3. */
void vmx_exit_cr(struct vcpu *v)
{
	u64 q = vmread(VMCS_EXIT_QUALIFICATION), cr0 = vmx_guest_cr0();
	unsigned cr = q & 15, r = (q >> 8) & 15;
	int err = 0;

	switch ((q >> 4) & 3) {
	case 0:
		err = write_cr(v, cr, reg_read(v, r, 8, true));
		break;
	case 1:
		reg_write(v, r, 8, true, cr == 3 ? vmx_guest_cr3(v) : lapic_read(v, LAPIC_TPR) >> 4);
		break;
	case 2: /* CLTS */
		err = set_cr0(v, cr0 & ~CR0_TS);
		break;
	default: /* LMSW sets PE, MP, EM, TS; it cannot clear PE */
		err = set_cr0(v, (cr0 & ~0xEULL) | ((q >> 16) & 0xF));
	}
	if (err)
		vcpu_gp(v);
	else
		v->ops->skip(v, 0);
}
