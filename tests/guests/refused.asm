; run: @0x100000:64
; prints: all refused
; status: 0
; What the hypervisor has for itself, or hides: VT-x, AMD-V, SMX, performance counters, MONITOR. A guest finds the CPU
; without it.

%include "lib.inc"

%macro UD 1+
	TRY %1
	EXPECT [vector], 6, "no #UD"
%endmacro

main:
	mov edi, 0x300000
	mov eax, edi
	xor ecx, ecx
	UD vmxon [rdi]
	UD vmclear [rdi]
	UD vmptrld [rdi]
	UD vmptrst [rdi]
	UD vmread rax, rcx
	UD vmwrite rcx, rax
	UD vmlaunch
	UD vmresume
	UD vmxoff
	UD invept rax, [rdi]
	UD invvpid rax, [rdi]
	UD vmfunc
	UD vmrun
	UD vmload
	UD vmsave
	UD stgi
	UD clgi
	UD skinit
	UD invlpga
	UD getsec
	UD rsm
	UD monitor
	UD mwait
	UD xgetbv			; CR4.OSXSAVE is 0
	UD xsetbv
	TRY rdpmc
	EXPECT [vector], 13, "RDPMC"
	TRY invd
	EXPECT [vector], -1, "INVD"
	TRY wbinvd
	EXPECT [vector], -1, "WBINVD"
	SAY "all refused"
	ret
