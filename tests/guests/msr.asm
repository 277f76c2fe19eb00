; run: @0x100000:64
; prints: MSRs ok
; status: 0
; MSRs: unknown ones and reserved bits give #GP, the others keep what they are given.

%include "lib.inc"

%macro RDMSR 1				; the value in RAX
	mov ecx, %1
	rdmsr
	shl rdx, 32
	or rax, rdx
%endmacro

%macro WRMSR 2
	mov rax, %2
	mov rdx, rax
	shr rdx, 32
	mov ecx, %1
	TRY wrmsr
%endmacro

%macro KEEPS 2				; KEEPS msr, value
	WRMSR %1, %2
	EXPECT [vector], -1, "exception of WRMSR"
	RDMSR %1
	EXPECT rax, %2, "MSR"
%endmacro

main:
	mov ecx, 0x12345678		; outside every range
	TRY rdmsr
	EXPECT [vector], 13, "RDMSR of an unknown MSR"
	TRY wrmsr
	EXPECT [vector], 13, "WRMSR of an unknown MSR"

	KEEPS 0xC0000100, 0x7FFF12345678	; FS base
	KEEPS 0xC0000101, 0x123456789		; GS base
	KEEPS 0xC0000102, 0xFFFF800000001000	; KERNEL_GS_BASE
	KEEPS 0xC0000081, 0x0023001000000000	; STAR
	KEEPS 0xC0000082, 0xFFFFFFFF81000000	; LSTAR
	KEEPS 0xC0000084, 0x47700		; FMASK
	KEEPS 0x174, 0x10			; SYSENTER
	KEEPS 0x175, 0xFFFF800000002000
	KEEPS 0x176, 0xFFFF800000003000
	KEEPS 0x277, 0x0007010600070106		; PAT, Linux'
	WRMSR 0x277, 2				; 2 is no memory type
	EXPECT [vector], 13, "bad PAT"

	WRMSR 0x1D9, 2				; DEBUGCTL.BTF, which each CPU has
	EXPECT [vector], -1, "BTF"
	RDMSR 0x1D9
	EXPECT rax, 2, "DEBUGCTL"
	WRMSR 0x1D9, 0x10000
	EXPECT [vector], 13, "DEBUGCTL, reserved bit"
	WRMSR 0x1D9, 0
	EXPECT [vector], -1, "DEBUGCTL = 0"

	RDMSR 0xC0000080
	EXPECT rax, 0x500, "EFER"
	WRMSR 0xC0000080, 0x100000		; reserved
	EXPECT [vector], 13, "EFER, reserved bit"
	WRMSR 0xC0000080, 0x400			; LME cannot go while paging is on
	EXPECT [vector], 13, "EFER without LME"
	KEEPS 0xC0000080, 0x501			; SCE
	mov eax, 0x80000001
	cpuid
	bt edx, 20
	jnc .no_nx
	KEEPS 0xC0000080, 0xD01			; and NXE, which paging then obeys
	call no_execute
.no_nx:

	RDMSR MSR_APIC_BASE
	mov rbx, 0xFFFFFF800
	and rax, rbx
	EXPECT rax, 0xFEE00800, "APIC_BASE"
	RDMSR 0x10				; TSC: runs, and can be set
	mov rbx, rax
	RDMSR 0x10
	cmp rax, rbx
	jbe .stopped
	WRMSR 0x10, 0x5000000000
	RDMSR 0x10
	mov rbx, rax
	shr rbx, 32
	EXPECT rbx, 0x50, "TSC, after a second at most"
	call read_tsc
	shr rax, 32
	EXPECT rax, 0x50, "TSC by RDTSC"
	SAY "MSRs ok"
	ret
.stopped:
	FAIL "the TSC stands still"

no_execute:				; the third GiB's first page: code that may not run
	mov rbx, cr3
	and rbx, -4096
	mov rbx, [rbx]
	and rbx, -4096
	mov rbx, [rbx + 16]
	and rbx, -4096
	mov rax, 0x8000000000000083
	mov [rbx], rax
	mov eax, 0x80000000
	invlpg [rax]
	TRY jmp rax
	EXPECT [vector], 14, "code in a no-execute page"
	EXPECT [error], 0x11, "its error code"
	ret
