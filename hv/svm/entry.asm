; VMRUN and back, the counterpart of vmx/entry.asm. GIF stays clear from exit to exit, so that no interrupt or NMI meets
; the guest's GS base and TR (APM 2 15.17) and none has to be switched on and off on the way: with
; V_INTR_MASKING it is the host's IF at VMRUN, 1 in this loop, that lets a physical interrupt end the guest. Who
; takes interrupts opens GIF for a moment (svm/exit.c).

bits 64
default abs
%include "offsets.inc"

extern svm_exit_handlers, svm_exit_far, vcpu_prepare_entry
global svm_enter

section .text.hot progbits alloc exec

; void svm_enter(struct vcpu *v)
align 16
svm_enter:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	push rdi
	mov rbx, rdi
	clgi
	sti
	cmp qword [rbx + VCPU_EVENTS], 0	; events, and halted beside it
	jne .events

; rbx = v here and below, kept by the C that is called
.load:
	mov rax, [rbx + SVM_VMCB]
	mov rcx, [rbx + VCPU_RAX]
	mov [rax + VMCB_RAX], rcx
	vmload
	mov rcx, [rbx + VCPU_RCX]
	mov rdx, [rbx + VCPU_RDX]
	mov rbp, [rbx + VCPU_RBP]
	mov rsi, [rbx + VCPU_RSI]
	mov rdi, [rbx + VCPU_RDI]
	mov r8, [rbx + VCPU_R8]
	mov r9, [rbx + VCPU_R9]
	mov r10, [rbx + VCPU_R10]
	mov r11, [rbx + VCPU_R11]
	mov r12, [rbx + VCPU_R12]
	mov r13, [rbx + VCPU_R13]
	mov r14, [rbx + VCPU_R14]
	mov r15, [rbx + VCPU_R15]
	mov rbx, [rbx + VCPU_RBX]
	vmrun
	vmsave
	push rbx
	mov rbx, [rsp + 8]
	mov [rbx + VCPU_RCX], rcx
	mov [rbx + VCPU_RDX], rdx
	mov rdx, rax
	mov rax, [rbx + SVM_HOST_STATE]
	vmload
	mov rcx, [rdx + VMCB_RAX]
	mov [rbx + VCPU_RAX], rcx
	mov [rbx + VCPU_RBP], rbp
	mov [rbx + VCPU_RSI], rsi
	mov [rbx + VCPU_RDI], rdi
	mov [rbx + VCPU_R8], r8
	mov [rbx + VCPU_R9], r9
	mov [rbx + VCPU_R10], r10
	mov [rbx + VCPU_R11], r11
	mov [rbx + VCPU_R12], r12
	mov [rbx + VCPU_R13], r13
	mov [rbx + VCPU_R14], r14
	mov [rbx + VCPU_R15], r15
	pop qword [rbx + VCPU_RBX]
	mov byte [rdx + VMCB_TLB_CONTROL], 0	; a flush was asked for once
	mov rsi, [rdx + VMCB_EXITCODE]
	mov rcx, [rdx + VMCB_RIP]
	mov [rbx + VCPU_RIP], rcx

	; One line of the exit ring: RIP, reason, TSC.
	rdtsc
	mov edi, [rbx + VCPU_RING_POS]
	add qword [rbx + VCPU_RING_POS], EXIT_RECORD_SIZE
	and edi, EXIT_RING_SIZE * EXIT_RECORD_SIZE - 1
	mov [rbx + rdi + VCPU_RING], rcx
	mov [rbx + rdi + VCPU_RING + 8], rsi
	mov [rbx + rdi + VCPU_RING + 16], eax
	mov [rbx + rdi + VCPU_RING + 20], edx

	mov rdi, rbx
	cmp rsi, SVM_EXIT_CODES
	jae .far
	call [svm_exit_handlers + rsi * 8]
	cmp qword [rbx + VCPU_EVENTS], 0
	je .load
	jmp .events
.far:
	call svm_exit_far
	cmp qword [rbx + VCPU_EVENTS], 0
	je .load

.events:				; the slow path may wait: as all C outside this loop, with GIF 1 and IF 0
	cli
	stgi
	mov rdi, rbx
	call vcpu_prepare_entry
	clgi
	sti
	test al, al
	jnz .load
	cli
	stgi
	add rsp, 8
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret
