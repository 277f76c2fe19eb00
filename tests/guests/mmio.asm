; run: @0x100000:64
; prints: MMIO ok
; status: 0
; The instructions that systems use on device registers, on the IOAPIC's index register and a redirection entry.

%include "lib.inc"

INDEX	equ 0xFEC00000
DATA	equ INDEX + 0x10
ENTRY	equ 0x10 + 2 * 23		; pin 23, masked in every value below
M	equ 0x10000

main:
	mov edi, INDEX
	mov dword [rdi], ENTRY		; C7 imm32
	mov eax, [rdi]			; 8B
	EXPECT rax, ENTRY, "MOV r32"
	mov ecx, M | 0x31
	mov [rdi + 0x10], ecx		; 89, disp8
	mov ebx, [rdi + 0x10]
	EXPECT rbx, M | 0x31, "MOV disp8"
	mov r11d, M | 0x32		; REX registers, SIB
	mov esi, 4
	mov [rdi + rsi * 4], r11d
	mov r10d, [rdi + rsi * 4]
	EXPECT r10, M | 0x32, "MOV SIB"
	mov r9d, DATA			; disp32 and R9 as base
	mov eax, M | 0x33
	mov [r9 + 0], eax
	mov eax, [dword DATA - INDEX + rdi]
	EXPECT rax, M | 0x33, "MOV disp32"
	mov eax, [qword 0xFEC00010]	; A1: moffs64
	EXPECT rax, M | 0x33, "MOV moffs"
	mov eax, M | 0x34
	mov [qword 0xFEC00010], eax
	mov eax, [r9]
	EXPECT rax, M | 0x34, "MOV moffs store"

	mov rax, -1			; 32-bit loads clear the upper half
	mov eax, [r9]
	EXPECT rax, M | 0x34, "upper half"

	or dword [r9], 3		; 83 /1
	mov eax, [r9]
	EXPECT rax, M | 0x37, "OR imm8"
	and dword [r9], ~7
	mov eax, [r9]
	EXPECT rax, M | 0x30, "AND imm8"
	xor dword [r9], 0x5
	mov eax, [r9]
	EXPECT rax, M | 0x35, "XOR imm8"
	mov ecx, 1
	add [r9], ecx			; 01
	mov eax, [r9]
	EXPECT rax, M | 0x36, "ADD r32"
	sub dword [r9], 2
	mov eax, [r9]
	EXPECT rax, M | 0x34, "SUB imm8"
	mov eax, M
	or eax, [r9]			; 0B
	EXPECT rax, M | 0x34, "OR from memory"

	test dword [r9], M		; F7 /0
	jz .bad_flags
	test [r9], ecx			; 85: bit 0 is clear
	jnz .bad_flags
	cmp dword [r9], M | 0x34	; 81 /7
	jne .bad_flags
	cmp dword [r9], M | 0x35
	jae .bad_flags
	mov eax, M | 0x33
	cmp eax, [r9]			; 3B
	jae .bad_flags

	mov eax, M | 0x41
	xchg [r9], eax
	EXPECT rax, M | 0x34, "XCHG, the old value"
	mov eax, [r9]
	EXPECT rax, M | 0x41, "XCHG, the new value"

	push rdi
	mov edi, DATA
	mov eax, M | 0x42
	stosd
	EXPECT rdi, DATA + 4, "RDI after STOSD"
	mov esi, DATA
	lea rdi, [copy]
	movsd
	pop rdi
	EXPECT [copy], M | 0x42, "MOVSD from a register"
	mov esi, DATA
	lodsd
	EXPECT rax, M | 0x42, "LODSD"

	mov ebx, APIC			; the local APIC's page
	mov dword [rbx + APIC_TPR], 0x20
	mov eax, [rbx + APIC_TPR]
	EXPECT rax, 0x20, "local APIC"
	mov dword [rbx + APIC_TPR], 0
	mov ecx, 0xC0000100		; FS base
	mov eax, INDEX
	xor edx, edx
	wrmsr
	mov eax, [fs:0x10]
	EXPECT rax, M | 0x42, "FS segment"

	mov ebx, 0xF0000000		; nobody there
	mov eax, [rbx]
	EXPECT rax, 0xFFFFFFFF, "unclaimed address"
	movzx eax, byte [rbx + 3]
	EXPECT rax, 0xFF, "unclaimed byte"
	movsx eax, word [rbx + 2]
	EXPECT rax, 0xFFFFFFFF, "unclaimed word"
	mov rax, [rbx]
	EXPECT rax, -1, "unclaimed 64 bits"
	mov dword [rbx], 1
	mov [rbx + 1], al
	mov [rbx + 8], rax
	SAY "MMIO ok"
	ret

.bad_flags:
	FAIL "flags after TEST or CMP"

	align 8
copy	dq 0
