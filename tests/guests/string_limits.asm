; run: @0x7C00:16
; prints: real
; prints: protected
; status: 0
; INS, OUTS and a REP STOS to a device keep to their segments: limits in real mode and, expand-down too, in protected
; mode, rights, null selectors; #SS where the segment is SS, else #GP.

%include "lib16.inc"
%include "lib32.inc"

CODE32	equ 0x10
DATA	equ 0x18
SMALL	equ 0x20			; 64 KiB
ROM	equ 0x28			; the same, read-only
DOWN	equ 0x30			; from 64 KiB on
DEVICE	equ 0x38			; IOREGSEL, and 12 bytes more
IDT	equ 0x1000
MARK	equ 0x55
PORT	equ 0x2F8			; unclaimed: FFh

main:
	mov sp, 0x7C00
	mov word [13 * 4], real_fault
	mov word [13 * 4 + 2], 0
	mov ax, 0x2000
	mov es, ax
	mov ax, 0x3000			; where the word's second byte would go
	mov fs, ax
	mov byte [fs:0], MARK
	mov di, 0xFFFF
	mov dx, PORT
	insw
	FAIL "INSW at FFFFh is no fault in real mode"
real_fault:
	cmp byte [fs:0], MARK
	jne .bad
	cmp di, 0xFFFF
	jne .bad
	SAY "real"
	xor ax, ax
	mov es, ax
	jmp short protected
.bad:
	FAIL "INSW at FFFFh has done something in real mode"

%macro GATE32 2
	mov eax, %2
	mov [IDT + %1 * 8], ax
	mov word [IDT + %1 * 8 + 2], CODE32
	mov word [IDT + %1 * 8 + 4], 0x8E00
	shr eax, 16
	mov [IDT + %1 * 8 + 6], ax
%endmacro

; ES, EDI, instruction: the exception that it must be, 0 for none.
%macro WITH_ES 4
	mov eax, %1
	mov es, ax
	mov edi, %2
	TRY32 {%3}, %4
%endmacro

%macro TRY32 2
	xor ebx, ebx
	mov dword [after], %%after
	%1
%%after:
	cmp ebx, %2
	je %%good
	mov eax, %%good			; see the listing beside the .bin
	jmp bad
%%good:
%endmacro

protected:
	lgdt [gdt_pointer]
	GO_PROTECTED
	mov esp, 0x7000
	GATE32 12, stack_fault
	GATE32 13, protection_fault
	lidt [idt_pointer]
	mov byte [0x80000], MARK
	mov edx, PORT

	WITH_ES SMALL, 0xFFFF, insb, 0
	WITH_ES SMALL, 0x10000, insb, 13
	WITH_ES SMALL, 0xFFFF, insw, 13
	WITH_ES ROM, 0x80, insb, 13
	WITH_ES 0, 0x80000, insb, 13
	cmp byte [0x80000], MARK
	jne bad
	WITH_ES DOWN, 0x10000, insb, 0
	WITH_ES DOWN, 0xFFFF, insb, 13
	WITH_ES DOWN, 0xFFFFFFFF, insw, 13
	WITH_ES CODE32, 0x80000, insb, 13

	mov ecx, 4			; none of the rest is done
	WITH_ES SMALL, 0xFFFE, rep insb, 13
	cmp ecx, 2
	jne bad
	cmp edi, 0x10000
	jne bad

	mov eax, SMALL
	mov es, ax
	mov esi, 0x10000
	TRY32 es outsb, 13
	mov ss, ax
	TRY32 ss outsb, 12
	mov eax, ROM
	mov es, ax
	mov ss, word [data]
	mov esi, 0x8000
	TRY32 es outsb, 0
	TRY32 cs outsb, 0		; code that can be read

	mov ecx, 5			; the fifth doubleword is beyond the limit
	xor eax, eax
	mov ebp, DEVICE
	mov es, bp
	xor edi, edi
	TRY32 rep stosd, 13
	cmp ecx, 1
	jne bad
	cmp edi, 16
	jne bad
	SAY32 "protected"
	xor eax, eax
	out DEBUG_EXIT, al
	hlt

bad:
	SAY32 "FAIL"
	mov al, 1
	out DEBUG_EXIT, al
	hlt

stack_fault:
	mov bl, 12
	jmp short fault
protection_fault:
	mov bl, 13
fault:
	pop ebp				; the error code
	or ebx, ebp
	mov ebp, [after]
	mov [esp], ebp
	iretd

	align 8
gdt:	dq 0
	dq 0x00009B000000FFFF
	dq 0x00CF9B000000FFFF
	dq 0x00CF93000000FFFF
	dq 0x004093000000FFFF
	dq 0x004091000000FFFF
	dq 0x004097000000FFFF
	dq 0xFE4093C00000000F
gdt_pointer:
	dw $ - gdt - 1
	dd gdt
idt_pointer:
	dw 14 * 8 - 1
	dd IDT
data	dw DATA
after	dd 0
