; A Multiboot kernel's entry: header, stack, C.
bits 32
extern kernel_main
global _start

section .multiboot
align 4
	dd 0x1BADB002, 3, -(0x1BADB002 + 3)

section .text
_start:
	mov esp, stack_end
	push ebx
	push eax
	call kernel_main
.halt:
	cli
	hlt
	jmp .halt

section .bss
align 16
	resb 4096
stack_end:
