; A 64-bit ELF kernel without a Multiboot header: entered in long mode.
bits 64
extern kernel_main
global _start

section .text
_start:
	mov rsp, stack_end
	mov esi, ebx
	mov edi, eax
	call kernel_main
.halt:
	cli
	hlt
	jmp .halt

section .bss
align 16
	resb 4096
stack_end:
