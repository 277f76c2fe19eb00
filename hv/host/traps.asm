; Where the CPU arrives for each of the 256 vectors. idt.c knows the size of the stubs.
bits 64
section .text

extern exception_handle, irq_handle, nmi_count
global exception_stubs, irq_stubs

; Counted only: the guest's to see, or nobody's. A counter is all that is safe between any two instructions.
nmi:
	lock inc dword [rel nmi_count]
	iretq

; Stubs of 4 bytes each, in groups whose short jumps all reach the code behind: 32 exceptions,
exception_stubs:
%assign v 0
%rep 32
	%if v == 2
		jmp short nmi
		times 2 nop
	%else
		push byte v
		jmp short exception
	%endif
%assign v v + 1
%endrep

; Those that bring no error code get a zero in its place, so that all frames look like struct trap_frame.
exception:
	push rax
	mov eax, [rsp + 8]
	bt dword [rel with_error_code], eax
	pop rax
	jc .complete
	push qword [rsp]
	and qword [rsp + 8], 0
.complete:
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

with_error_code:
	dd 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30

; and the vectors of enum irq_vector.
irq_stubs:
%assign v 0x40
%rep 16
	push byte v
	jmp short interrupt
%assign v v + 1
%endrep

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
