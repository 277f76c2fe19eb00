/* VM exits by basic exit reason, once: X(number, NAME, handler). Names as in SDM 3D appendix C. Reasons that
 * are not here cannot happen with the controls that pxHV sets. */
#define VMX_EXITS(X)                                                                                         \
	X(0, EXCEPTION_OR_NMI, exit_exception)                                                               \
	X(1, EXTERNAL_INTERRUPT, exit_external_interrupt)                                                    \
	X(2, TRIPLE_FAULT, vcpu_triple_fault)                                                                \
	X(7, INTERRUPT_WINDOW, exit_window)                                                                  \
	X(8, NMI_WINDOW, exit_window)                                                                        \
	X(9, TASK_SWITCH, task_switch)                                                                       \
	X(10, CPUID, exit_cpuid)                                                                             \
	X(11, GETSEC, vcpu_ud)                                                                               \
	X(12, HLT, exit_hlt)                                                                                 \
	X(13, INVD, exit_ignore)                                                                             \
	X(15, RDPMC, vcpu_gp)                                                                                \
	X(18, VMCALL, exit_hypercall)                                                                        \
	X(19, VMCLEAR, vcpu_ud)                                                                              \
	X(20, VMLAUNCH, vcpu_ud)                                                                             \
	X(21, VMPTRLD, vcpu_ud)                                                                              \
	X(22, VMPTRST, vcpu_ud)                                                                              \
	X(23, VMREAD, vcpu_ud)                                                                               \
	X(24, VMRESUME, vcpu_ud)                                                                             \
	X(25, VMWRITE, vcpu_ud)                                                                              \
	X(26, VMXOFF, vcpu_ud)                                                                               \
	X(27, VMXON, vcpu_ud)                                                                                \
	X(28, CR_ACCESS, vmx_exit_cr)                                                                        \
	X(29, MOV_DR, exit_dr)                                                                               \
	X(30, IO_INSTRUCTION, exit_io_instruction)                                                           \
	X(31, RDMSR, exit_rdmsr)                                                                             \
	X(32, WRMSR, exit_wrmsr)                                                                             \
	X(36, MWAIT, vcpu_ud)                                                                                \
	X(39, MONITOR, vcpu_ud)                                                                              \
	X(44, APIC_ACCESS, vmx_exit_apic_access)                                                             \
	X(45, VIRTUALIZED_EOI, vmx_exit_eoi)                                                                 \
	X(48, EPT_VIOLATION, exit_ept_violation)                                                             \
	X(49, EPT_MISCONFIG, exit_ept_misconfig)                                                             \
	X(50, INVEPT, vcpu_ud)                                                                               \
	X(52, PREEMPTION_TIMER, exit_preemption_timer)                                                       \
	X(53, INVVPID, vcpu_ud)                                                                              \
	X(55, XSETBV, exit_xsetbv)                                                                           \
	X(56, APIC_WRITE, vmx_exit_apic_write)
