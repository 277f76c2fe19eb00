; run: @0x100000:64
; prints: k, 9, c or q?
; status: 0
; Each way to reset the machine, chosen by what is typed: k the keyboard controller, 9 port 92h, c port CF9h; q
; ends the run. After a reset the question is asked again, and nothing is left of what the CPU held. (Without input
; this waits for ever: type q.)

%include "lib.inc"

MARK	equ 0x5EC2E7

%macro WRMSR 1				; MARK
	mov ecx, %1
	mov eax, MARK
	xor edx, edx
	wrmsr
%endmacro

%macro FRESH_MSR 2
	mov ecx, %1
	rdmsr
	EXPECT rax, 0, %2
%endmacro

main:
	mov rax, cr4
	or eax, 0x600			; OSFXSR, OSXMMEXCPT
	mov cr4, rax
	movq rax, xmm5
	EXPECT rax, 0, "XMM5"
	stmxcsr [word_]
	EXPECT [word_], 0x1F80, "MXCSR"
	fnstcw [word_]
	EXPECT [word_], 0x037F, "FCW"
	mov rax, dr1
	EXPECT rax, 0, "DR1"
	mov rax, dr6
	EXPECT rax, 0xFFFF0FF0, "DR6"
	FRESH_MSR 0xC0000082, "LSTAR"
	FRESH_MSR 0xC0000102, "KERNEL_GS_BASE"

	mov eax, MARK
	movq xmm5, rax
	mov dr1, rax
	mov eax, 0xFFFF0FF5
	mov dr6, rax
	mov dword [word_], 0x1F00
	ldmxcsr [word_]
	mov dword [word_], 0x0300
	fldcw [word_]
	WRMSR 0xC0000082
	WRMSR 0xC0000102
	SAY "k, 9, c or q?"
.wait:
	mov dx, COM1 + 5
	in al, dx
	test al, 1
	jz .wait
	mov dx, COM1
	in al, dx
	cmp al, "k"
	je .keyboard
	cmp al, "9"
	je .fast
	cmp al, "c"
	je .cf9
	cmp al, "q"
	jne .wait
	ret
.keyboard:
	mov al, 0xFE
	out 0x64, al
	jmp .alive
.fast:
	in al, 0x92
	and al, 0xFE
	out 0x92, al
	or al, 1
	out 0x92, al
	jmp .alive
.cf9:
	mov dx, 0xCF9
	mov al, 2
	out dx, al
	mov al, 6
	out dx, al
.alive:
	FAIL "the guest lives on"

	align 8
word_	dq 0
