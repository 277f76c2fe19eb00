; run: @0x100000:64
; prints: debug registers ok
; status: 0
; MOV DR, single steps, instruction and data breakpoints.

%include "lib.inc"

main:
	mov rax, 0x123456789ABC
	mov dr0, rax
	xor eax, eax
	mov rbx, dr0
	EXPECT rbx, 0x123456789ABC, "DR0"
	mov rbx, dr7
	EXPECT rbx, 0x400, "DR7"
	mov rbx, dr6
	EXPECT rbx, 0xFFFF0FF0, "DR6"

	; One instruction after POPFQ has set TF.
	mov qword [vector], -1
	lea rax, [.stepped]
	mov [catch], rax
	pushfq
	or dword [rsp], 0x100
	popfq
	nop
	nop
.stepped:
	mov qword [catch], 0
	EXPECT [vector], 1, "single step"
	mov rbx, dr6
	and ebx, 0x4000
	EXPECT rbx, 0x4000, "DR6.BS"
	mov eax, 0xFFFF0FF0
	mov dr6, rax

	; CPUID leaves the guest: the step is due after it, not later.
	mov qword [vector], -1
	lea rax, [.after_cpuid]
	mov [catch], rax
	xor eax, eax
	pushfq
	or dword [rsp], 0x100
	popfq
	cpuid
.cpuid_done:
	nop
	nop
.after_cpuid:
	mov qword [catch], 0
	EXPECT [vector], 1, "single step over CPUID"
	lea rax, [.cpuid_done]
	EXPECT [fault_rip], rax, "RIP after the step over CPUID"
	mov eax, 0xFFFF0FF0
	mov dr6, rax

	lea rax, [.here]
	mov dr0, rax
	mov eax, 0x402			; G0: execution
	mov dr7, rax
	mov qword [vector], -1
	mov qword [catch], .broken
.here:
	nop
.broken:
	mov qword [catch], 0
	EXPECT [vector], 1, "execution breakpoint"
	mov rbx, dr6
	and ebx, 0xF
	EXPECT rbx, 1, "DR6.B0"

	xor eax, eax
	mov dr7, rax
	mov eax, 0xFFFF0FF0
	mov dr6, rax
	lea rax, [word_]
	mov dr1, rax
	mov eax, 0xD00408		; G1: write, 4 bytes
	mov dr7, rax
	TRY mov dword [word_], 7
	EXPECT [vector], 1, "data breakpoint"
	EXPECT [word_], 7, "the write itself"
	xor eax, eax
	mov dr7, rax

	bts rax, 32
	TRY mov dr7, rax
	EXPECT [vector], 13, "DR7 with a high bit"
	SAY "debug registers ok"
	ret

	align 8
word_	dq 0
