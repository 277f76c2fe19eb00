/* VM exits by exit code below SVM_EXIT_CODES, once: X(code, NAME, handler). Names as in APM 2 appendix C. */
#define SVM_EXITS(X)                                                                                         \
	X(0x008, CR8_READ, exit_cr8)                                                                         \
	X(0x018, CR8_WRITE, exit_cr8)                                                                        \
	X(0x041, EXCEPTION_DB, exit_db)                                                                      \
	X(0x043, EXCEPTION_BP, exit_bp)                                                                      \
	X(0x051, EXCEPTION_AC, exit_ac)                                                                      \
	X(0x052, EXCEPTION_MC, exit_mc)                                                                      \
	X(0x060, INTR, exit_intr)                                                                            \
	X(0x061, NMI, exit_intr)                                                                             \
	X(0x064, VINTR, exit_vintr)                                                                          \
	X(0x06F, RDPMC, vcpu_gp)                                                                             \
	X(0x072, CPUID, exit_cpuid)                                                                          \
	X(0x074, IRET, exit_iret)                                                                            \
	X(0x075, INTN, exit_intn)                                                                            \
	X(0x076, INVD, exit_ignore)                                                                          \
	X(0x078, HLT, exit_hlt)                                                                              \
	X(0x07A, INVLPGA, vcpu_ud)                                                                           \
	X(0x07B, IOIO, exit_ioio)                                                                            \
	X(0x07C, MSR, exit_msr)                                                                              \
	X(0x07D, TASK_SWITCH, task_switch)                                                                   \
	X(0x07E, FERR_FREEZE, exit_freeze)                                                                   \
	X(0x07F, SHUTDOWN, vcpu_triple_fault)                                                                \
	X(0x080, VMRUN, vcpu_ud)                                                                             \
	X(0x081, VMMCALL, exit_hypercall)                                                                    \
	X(0x082, VMLOAD, vcpu_ud)                                                                            \
	X(0x083, VMSAVE, vcpu_ud)                                                                            \
	X(0x084, STGI, vcpu_ud)                                                                              \
	X(0x085, CLGI, vcpu_ud)                                                                              \
	X(0x086, SKINIT, vcpu_ud)                                                                            \
	X(0x08A, MONITOR, vcpu_ud)                                                                           \
	X(0x08B, MWAIT, vcpu_ud)                                                                             \
	X(0x08D, XSETBV, exit_xsetbv)

#define SVM_EXIT_NPF 0x400
enum {
#define X(code, name, handler) SVM_EXIT_##name = code,
	SVM_EXITS(X)
#undef X
};
