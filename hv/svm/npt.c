/* Nested page tables: the format of long-mode paging, walked as user accesses (APM 2 15.25.6). The type that
 * they give is WB: the CPU itself combines it with the host's MTRRs (APM 2 15.25.8), and with what else
 * decides there, as SYSCFG's Tom2ForceMemTypeWB above 4 GiB. */

#include "host/cpu.h"
#include "svm/svm.h"
#include "vm/vm.h"

#define PTE_P  BIT(0)
#define PTE_W  BIT(1)
#define PTE_U  BIT(2)
#define PTE_PS BIT(7)
#define PTE_NX BIT(63)

static u64 npt_leaf(u64 hpa, unsigned prot, enum memtype mt, unsigned level)
{
	return hpa | PTE_P | PTE_U | (prot & SLAT_W ? PTE_W : 0) | (prot & SLAT_X ? 0 : PTE_NX) |
	       (level > 1 ? PTE_PS : 0);
}

static unsigned npt_prot(u64 e)
{
	return SLAT_R | (e & PTE_W ? SLAT_W : 0U) | (e & PTE_NX ? 0U : SLAT_X);
}

const struct slat_format svm_npt_format = {npt_leaf, npt_prot};

unsigned svm_npt_max_level(void)
{
	return svm_caps.npt_1g ? 3 : 2;
}

/* At the next entry all of this ASID's translations go (APM 2 15.16.2); CPUs without flush-by-ASID take 1,
 * all ASIDs. */
void svm_tlb_flush(struct vcpu *v)
{
	*vmcb_tlb_control(to_svm(v)->vmcb) = 1;
}
