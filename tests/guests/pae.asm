; run: @0x7C00:16
; prints: refused
; prints: taken
; status: 0
; PAE paging: a page-directory pointer with a reserved bit, also one beyond any memory, is refused with #GP.

%include "lib16.inc"
%include "lib32.inc"

CODE32	equ 0x10
DATA	equ 0x18
IDT	equ 0x1000
PDPT	equ 0x10000
PD	equ 0x11000

main:
	mov sp, 0x7C00
	lgdt [gdt_pointer]
	GO_PROTECTED
	mov esp, 0x7000
	mov edi, PDPT
	xor eax, eax
	mov ecx, 0x2000 / 4
	rep stosd
	mov dword [IDT + 13 * 8], fault + (CODE32 << 16)
	mov dword [IDT + 13 * 8 + 4], 0x8E00
	lidt [idt_pointer]
	mov dword [PD], 0x83
	mov dword [PDPT], PD + 1
	mov dword [PDPT + 8], PD + 1
	mov dword [PDPT + 12], 0x80000000
	mov eax, 0x20			; PAE
	mov cr4, eax
	mov eax, PDPT
	mov cr3, eax
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	SAY32 "taken"
	mov al, [faults]
	xor al, 1
	out DEBUG_EXIT, al
	hlt

fault:					; comes back to the instruction, without the bit
	SAY32 "refused"
	mov eax, cr0
	or eax, 0x80000000
	inc byte [faults]
	mov dword [PDPT + 12], 0
	add esp, 4			; the error code
	iretd
	align 8
gdt:	dq 0
	dq 0x00009B000000FFFF
	dq 0x00CF9B000000FFFF
	dq 0x00CF93000000FFFF
gdt_pointer:
	dw $ - gdt - 1
	dd gdt
idt_pointer:
	dw 0x7F
	dd IDT
faults	db 0
