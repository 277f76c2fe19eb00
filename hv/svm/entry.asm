; VMRUN and back, the counterpart of vmx/entry.asm. GIF is clear from before VMRUN until the host's own state
; (GS base, TR) is back, so that no interrupt or NMI meets the guest's (APM 2 15.17).

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

; rbx = v here and below, kept by the C that is called
.check:
	cmp qword [rbx + VCPU_EVENTS], 0	; events, and halted beside it
	jne .events
.load:
	clgi
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
	; With V_INTR_MASKING the host's IF says whether a physical interrupt ends the guest. The NOP is for
	; QEMU, which would carry STI's shadow into the guest.
	sti
	nop
	vmrun
	cli
	vmsave
	push rbx
	mov rbx, [rsp + 8]
	mov [rbx + VCPU_RCX], rcx
	mov [rbx + VCPU_RDX], rdx
	mov rcx, [rbx + SVM_HOST_STATE]
	mov rdx, rax
	mov rax, rcx
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
	mov rsi, [rdx + VMCB_EXITCODE]
	mov rcx, [rdx + VMCB_RIP]
	mov [rbx + VCPU_RIP], rcx
	stgi				; an NMI that ended the guest comes in here

	; One line of the exit ring: RIP, reason, TSC.
	rdtsc
	mov edi, [rbx + VCPU_RING_POS]
	add qword [rbx + VCPU_RING_POS], EXIT_RECORD_SIZE
	and edi, EXIT_RING_SIZE * EXIT_RECORD_SIZE - 1
	lea rdi, [rbx + rdi + VCPU_RING]
	mov [rdi], rcx
	mov [rdi + 8], rsi
	mov [rdi + 16], eax
	mov [rdi + 20], edx

	mov rdi, rbx
	cmp rsi, SVM_EXIT_CODES
	jae .far
	call [svm_exit_handlers + rsi * 8]
	cmp qword [rbx + VCPU_EVENTS], 0
	je .load
	jmp .events
.far:
	call svm_exit_far
	jmp .check

.events:
	mov rdi, rbx
	call vcpu_prepare_entry
	test al, al
	jnz .load
	add rsp, 8
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret
