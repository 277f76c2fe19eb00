/* Does nested paging translate a guest that has paging off? QEMU before 7.2.15 leaves such a guest's
 * addresses as they are. One instruction of a throw-away guest in real mode tells: the page that nested
 * paging gives it holds HLT, the page of the same number in the PC's memory VMMCALL. */

#include "host/cpu.h"
#include "host/page.h"
#include "lib/string.h"
#include "svm/svm.h"

#define PROBE_ADDR     0x1000ULL
#define SVM_EXIT_HLT   0x78
#define ATTR_REAL_CODE 0x9B

static const u8 hlt[] = {0xF4}, vmmcall[] = {0x0F, 0x01, 0xD9};

static void fill(void *vmcb, const struct slat *npt)
{
	*vmcb_intercept1(vmcb) = INTERCEPT_HLT | (u32)INTERCEPT_SHUTDOWN;
	*vmcb_intercept2(vmcb) = INTERCEPT2_VMRUN | INTERCEPT2_VMMCALL;
	*vmcb_asid(vmcb) = 1;
	*vmcb_tlb_control(vmcb) = 1;
	*vmcb_np_enable(vmcb) = 1;
	*vmcb_n_cr3(vmcb) = (u64)npt->root;
	vmcb_cs(vmcb)->attr = ATTR_REAL_CODE; /* HLT and VMMCALL need no other segment */
	vmcb_cs(vmcb)->limit = 0xFFFF;
	*vmcb_efer(vmcb) = EFER_SVME;
	*vmcb_cr0(vmcb) = CR0_ET;
	*vmcb_rflags(vmcb) = RFLAGS_FIXED;
	*vmcb_rip(vmcb) = PROBE_ADDR;
	*vmcb_g_pat(vmcb) = SVM_PAT_RESET;
}

bool svm_probe_real_mode(void)
{
	void *vmcb = page_alloc(), *page = page_alloc();
	struct slat npt = {0};
	u64 exitcode = 0;

	if (vmcb && page && !slat_init(&npt, &svm_npt_format, 1) &&
	    !slat_map(&npt, PROBE_ADDR, (u64)page, PAGE_SIZE, SLAT_R | SLAT_W | SLAT_X)) {
		memcpy(page, hlt, sizeof(hlt));
		memcpy((void *)PROBE_ADDR, vmmcall, sizeof(vmmcall));
		fill(vmcb, &npt);
		__asm__ volatile("clgi; vmrun %0; stgi" ::"a"(vmcb) : "memory", "cc");
		exitcode = *vmcb_exitcode(vmcb);
	}
	if (npt.root)
		slat_destroy(&npt);
	page_free(page);
	page_free(vmcb);
	return exitcode == SVM_EXIT_HLT;
}
