; run: @0x100000:64
; prints: steps ok
; status: 0
; Single steps and breakpoints at instructions that the hypervisor performs: each #DB comes where it comes without one.

%include "lib.inc"

IOAPIC	equ 0xFEC00000

%macro STEP 1+				; the one instruction, with TF set
	mov qword [vector], -1
	mov qword [catch], %%caught
	pushfq
	or dword [rsp], 0x100
	popfq				; TF counts from the next instruction on
	%1
%%behind:
	nop
	nop
%%caught:
	mov qword [catch], 0
	EXPECT [vector], 1, "single step"
	EXPECT [fault_rip], %%behind, "RIP behind the step"
	mov eax, 0xFFFF0FF0
	mov dr6, rax
%endmacro

%macro BREAKS 1+			; breakpoints on the instruction and on the one behind it
	lea rax, [%%first]
	mov dr0, rax
	lea rax, [%%second]
	mov dr1, rax
	mov eax, 0x40A			; G0, G1: execution
	mov dr7, rax
	mov dword [seen], 0
	mov al, 0xFF
%%first:
	%1
%%second:
	nop
	xor eax, eax
	mov dr7, rax
	EXPECT [seen], 0x12, "breakpoints met"
%endmacro

main:
	mov al, 0xFF
	out 0x21, al
	out 0xA1, al
	mov edi, IOAPIC
	GATE 0x20, tick

	STEP out 0x80, al
	STEP mov [rdi], eax
	STEP hlt			; the step ends the wait, though IF is 0

	; An interrupt that the instruction itself makes due: the step comes first, and the interrupt after it.
	call pic_init
	sti
	mov al, 0xFE
	STEP out 0x21, al
	mov ecx, 1000
.wait:
	in al, 0x80
	cmp dword [ticks], 0
	jne .came
	loop .wait
	FAIL "no interrupt after the step"
.came:
	cli
	mov al, 0xFF
	out 0x21, al

	; An IRET with RF set passes a breakpoint once: at the instruction, whoever performs it, and not behind it.
	GATE 1, breakpoint
	BREAKS nop
	BREAKS out 0x80, al
	BREAKS mov [rdi], eax
	mov ecx, 600			; done in parts
	mov esi, 0x100000
	mov edx, 0x80
	BREAKS rep outsb

	; Steps from branch to branch, which AMD-V's guests are not given: a #DB ends that.
	xor eax, eax
	cpuid
	cmp ebx, "Auth"
	je .done
	GATE 1, branched
	mov ecx, 0x1D9			; DEBUGCTL
	mov eax, 2			; BTF
	xor edx, edx
	wrmsr
	pushfq
	or dword [rsp], 0x100
	popfq
	out 0x80, al
	jmp .there
.there:
	nop
	EXPECT [fault_rip], .there, "where the branch led"
	rdmsr
	EXPECT rax, 0, "DEBUGCTL after #DB"
.done:
	SAY "steps ok"
	ret

breakpoint:				; notes DR6's bits, and goes on with RF
	push rax
	mov rax, dr6
	and eax, 3
	shl dword [seen], 4
	or [seen], eax
	mov eax, 0xFFFF0FF0
	mov dr6, rax
	pop rax
	or dword [rsp + 16], 0x10000
	iretq

branched:
	push qword [rsp]
	pop qword [fault_rip]
	and dword [rsp + 16], ~0x100
	iretq

pic_init:				; IRQ 0 at vector 20h by LINT0, masked, with a tick waiting
	call apic_init
	APIC_WRITE APIC_LVT_LINT0, 0x700
	mov al, 0x11
	out 0x20, al
	mov al, 0x20
	out 0x21, al
	mov al, 4
	out 0x21, al
	mov al, 1
	out 0x21, al
	mov al, 0xFF
	out 0x21, al
	mov al, 0x34			; 1000 Hz
	out 0x43, al
	mov al, 1193 & 255
	out 0x40, al
	mov al, 1193 >> 8
	out 0x40, al
.tick:
	in al, 0x20			; IRR
	test al, 1
	jz .tick
	ret

tick:
	push rax
	inc dword [ticks]
	mov al, 0x20
	out 0x20, al
	pop rax
	iretq

	align 8
seen	dq 0
ticks	dq 0
