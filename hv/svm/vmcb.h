/* The VMCB (APM 2 appendix B), once: F(name, offset, type). Each line gives an accessor that is an lvalue,
 * *vmcb_rip(b), and an offset for the assembler, VMCB_rip. */
#pragma once

#include "lib/types.h"

struct vmcb_segment {
	u16 selector;
	u16 attr; /* a VMCS's access rights with bits 12-15 moved down to 8-11 */
	u32 limit;
	u64 base;
};

#define VMCB_FIELDS(F)                                                                                       \
	F(intercept_cr_read, 0x000, u16)                                                                     \
	F(intercept_cr_write, 0x002, u16)                                                                    \
	F(intercept_dr, 0x004, u32)                                                                          \
	F(intercept_exceptions, 0x008, u32)                                                                  \
	F(intercept1, 0x00C, u32)                                                                            \
	F(intercept2, 0x010, u32)                                                                            \
	F(iopm_base, 0x040, u64)                                                                             \
	F(msrpm_base, 0x048, u64)                                                                            \
	F(tsc_offset, 0x050, u64)                                                                            \
	F(asid, 0x058, u32)                                                                                  \
	F(tlb_control, 0x05C, u8)                                                                            \
	F(v_intr, 0x060, u64)                                                                                \
	F(interrupt_shadow, 0x068, u64)                                                                      \
	F(exitcode, 0x070, u64)                                                                              \
	F(exitinfo1, 0x078, u64)                                                                             \
	F(exitinfo2, 0x080, u64)                                                                             \
	F(exitintinfo, 0x088, u64)                                                                           \
	F(np_enable, 0x090, u64)                                                                             \
	F(eventinj, 0x0A8, u64)                                                                              \
	F(n_cr3, 0x0B0, u64)                                                                                 \
	F(clean, 0x0C0, u32)                                                                                 \
	F(nrip, 0x0C8, u64)                                                                                  \
	F(es, 0x400, struct vmcb_segment)                                                                    \
	F(cs, 0x410, struct vmcb_segment)                                                                    \
	F(ss, 0x420, struct vmcb_segment)                                                                    \
	F(ds, 0x430, struct vmcb_segment)                                                                    \
	F(fs, 0x440, struct vmcb_segment)                                                                    \
	F(gs, 0x450, struct vmcb_segment)                                                                    \
	F(gdtr, 0x460, struct vmcb_segment)                                                                  \
	F(ldtr, 0x470, struct vmcb_segment)                                                                  \
	F(idtr, 0x480, struct vmcb_segment)                                                                  \
	F(tr, 0x490, struct vmcb_segment)                                                                    \
	F(cpl, 0x4CB, u8)                                                                                    \
	F(efer, 0x4D0, u64)                                                                                  \
	F(cr4, 0x548, u64)                                                                                   \
	F(cr3, 0x550, u64)                                                                                   \
	F(cr0, 0x558, u64)                                                                                   \
	F(dr7, 0x560, u64)                                                                                   \
	F(dr6, 0x568, u64)                                                                                   \
	F(rflags, 0x570, u64)                                                                                \
	F(rip, 0x578, u64)                                                                                   \
	F(rsp, 0x5D8, u64)                                                                                   \
	F(rax, 0x5F8, u64)                                                                                   \
	F(star, 0x600, u64)                                                                                  \
	F(lstar, 0x608, u64)                                                                                 \
	F(cstar, 0x610, u64)                                                                                 \
	F(sfmask, 0x618, u64)                                                                                \
	F(kernel_gs_base, 0x620, u64)                                                                        \
	F(sysenter_cs, 0x628, u64)                                                                           \
	F(sysenter_esp, 0x630, u64)                                                                          \
	F(sysenter_eip, 0x638, u64)                                                                          \
	F(cr2, 0x640, u64)                                                                                   \
	F(g_pat, 0x668, u64)                                                                                 \
	F(debugctl, 0x670, u64)

enum {
#define F(name, offset, type) VMCB_##name = (offset),
	VMCB_FIELDS(F)
#undef F
};

#define F(name, offset, type)                                                                                \
	static inline type *vmcb_##name(void *vmcb)                                                          \
	{                                                                                                    \
		return (type *)((u8 *)vmcb + (offset));                                                      \
	}
VMCB_FIELDS(F)
#undef F

/* intercept1 (APM 2 table B-1, offset 00Ch) and intercept2 (010h) */
enum {
	INTERCEPT_INTR = BIT(0),
	INTERCEPT_NMI = BIT(1),
	INTERCEPT_SMI = BIT(2),
	INTERCEPT_INIT = BIT(3),
	INTERCEPT_VINTR = BIT(4),
	INTERCEPT_RDPMC = BIT(15),
	INTERCEPT_CPUID = BIT(18),
	INTERCEPT_IRET = BIT(20),
	INTERCEPT_INTN = BIT(21),
	INTERCEPT_INVD = BIT(22),
	INTERCEPT_HLT = BIT(24),
	INTERCEPT_INVLPGA = BIT(26),
	INTERCEPT_IOIO = BIT(27),
	INTERCEPT_MSR = BIT(28),
	INTERCEPT_TASK_SWITCH = BIT(29),
	INTERCEPT_FERR_FREEZE = BIT(30),
	INTERCEPT_SHUTDOWN = (int)BIT(31),

	INTERCEPT2_VMRUN = BIT(0),
	INTERCEPT2_VMMCALL = BIT(1),
	INTERCEPT2_VMLOAD = BIT(2),
	INTERCEPT2_VMSAVE = BIT(3),
	INTERCEPT2_STGI = BIT(4),
	INTERCEPT2_CLGI = BIT(5),
	INTERCEPT2_SKINIT = BIT(6),
	INTERCEPT2_MONITOR = BIT(10),
	INTERCEPT2_MWAIT = BIT(11),
	INTERCEPT2_XSETBV = BIT(13),
};

/* v_intr */
#define V_IRQ		BIT(8)
#define V_INTR_PRIO_MAX (15ULL << 16)
#define V_IGN_TPR	BIT(20)
#define V_INTR_MASKING	BIT(24)
