; Where the CPU arrives for each of the 256 vectors. idt.c knows the size of the stubs.
bits 64
section .text

extern exception_handle, irq_handle, nmi_count
global exception_stubs, irq_stubs

; Exceptions, 9 bytes each: those that bring no error code get a zero in its place, so that all frames look
; like struct trap_frame.
%define WITH_ERROR_CODE (1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30)
%define NMI 2

exception_stubs:
%assign v 0
%rep 32
	%if v == NMI
		times 4 nop
		jmp strict near nmi
	%elif WITH_ERROR_CODE >> v & 1
		push byte v
		times 2 nop
		jmp strict near exception
	%else
		push byte 0
		push byte v
		jmp strict near exception
	%endif
%assign v v + 1
%endrep

; Interrupts: 7 groups of 32 stubs of 4 bytes, so that a short jump reaches the group's end. PUSH extends the sign of
; its byte; only the low byte counts.
irq_stubs:
%assign v 32
%rep 7
	%assign group v
	%rep 32
		db 0x6A, v
		jmp short .end %+ group
	%assign v v + 1
	%endrep
	.end %+ group:
		jmp strict near interrupt
%endrep

; Counted only: the guest's to see, or nobody's. A counter is all that is safe between any two instructions.
nmi:
	lock inc dword [rel nmi_count]
	iretq

exception:
	push rax
	push rbx
	push rcx
	push rdx
	push rsi
	push rdi
	push rbp
	push r8
	push r9
	push r10
	push r11
	push r12
	push r13
	push r14
	push r15
	cld
	mov rdi, rsp
	call exception_handle
	pop r15
	pop r14
	pop r13
	pop r12
	pop r11
	pop r10
	pop r9
	pop r8
	pop rbp
	pop rdi
	pop rsi
	pop rdx
	pop rcx
	pop rbx
	pop rax
	add rsp, 16
	iretq

; The C handler saves what the ABI says it must; we save the rest.
interrupt:
	push rbp
	mov rbp, rsp
	push rax
	push rcx
	push rdx
	push rsi
	push rdi
	push r8
	push r9
	push r10
	push r11
	movzx edi, byte [rbp + 8]
	cld
	call irq_handle
	pop r11
	pop r10
	pop r9
	pop r8
	pop rdi
	pop rsi
	pop rdx
	pop rcx
	pop rax
	pop rbp
	add rsp, 8
	iretq
