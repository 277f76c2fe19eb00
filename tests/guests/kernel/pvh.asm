; The same in 32-bit code, found by its PVH note: no Multiboot header.
bits 32
extern kernel_main
global _start

section .note.Xen note
	dd 4, 4, 18
	db 'Xen', 0
	dd _start

section .text
_start:
	mov esp, stack_end
	push ebx
	push 0
	call kernel_main
.halt:
	cli
	hlt
	jmp .halt

section .bss
align 16
	resb 4096
stack_end:
