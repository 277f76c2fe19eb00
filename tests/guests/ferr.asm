; run: @0x7C00:16
; prints: IRQ 13
; prints: again
; prints: interrupt 16
; status: 0
; x87 errors as DOS has them: with CR0.NE clear the CPU stands at the next waiting instruction until IRQ 13 comes, and
; takes other interrupts meanwhile; with CR0.NE set they are #MF.

%include "lib16.inc"

%macro VECTOR 2
	mov word [%1 * 4], %2
	mov word [%1 * 4 + 2], 0
%endmacro

%macro DIVIDE_BY_0 0
	fldcw [divide_errors]
	fld1
	fldz
	fdivp st1
%endmacro

main:
	mov sp, 0x7C00
	VECTOR 0x08, tick		; where a BIOS puts the PIC's vectors
	VECTOR 0x75, error
	VECTOR 0x10, exception
	mov eax, cr0
	and al, ~0x2C			; NE, TS, EM
	mov cr0, eax
	fninit
	mov al, 0xFA			; IRQ 0 and the cascade; 13 is masked
	out 0x21, al
	mov al, 0xFF
	out 0xA1, al
	DIVIDE_BY_0
	sti
	fwait
	cli
	cmp word [ticks], 3
	jb .early
	cmp word [errors], 1
	jne .wrong
	SAY "IRQ 13"

	DIVIDE_BY_0			; the line has gone meanwhile
	sti
	fwait
	cli
	cmp word [errors], 2
	jne .wrong
	SAY "again"

	mov eax, cr0
	or al, 0x20
	mov cr0, eax
	DIVIDE_BY_0
	fwait
	cmp word [exceptions], 1
	jne .wrong
	cmp word [errors], 2
	jne .wrong
	SAY "interrupt 16"
	EXIT 0
.early:
	FAIL "the CPU did not stand still"
.wrong:
	FAIL "not the interrupts there should be"

tick:
	push ax
	inc word [ticks]
	cmp word [ticks], 3
	jne .eoi
	mov al, 0xDF			; IRQ 13 alone
	out 0xA1, al
.eoi:
	mov al, 0x20
	out 0x20, al
	pop ax
	iret

error:
	push ax
	xor al, al
	out 0xF0, al
	mov al, 0x20
	out 0xA0, al
	out 0x20, al
	fnclex
	inc word [errors]
	pop ax
	iret

exception:
	fnclex
	inc word [exceptions]
	iret

	align 2
divide_errors dw 0x037B
ticks	dw 0
errors	dw 0
exceptions dw 0
