; Entering a guest and coming back. The loop stays in this file while nothing but the exit's own handler has work:
; save the guest's registers, note the exit in the ring, call the handler, load, VMRESUME.

bits 64
default abs
%include "offsets.inc"

extern vmx_exit_handlers, vmx_exit_bad, vcpu_prepare_entry
global vmx_enter, vmx_exit_entry

section .text.hot progbits alloc exec

; int vmx_enter(struct vcpu *v)
align 16
vmx_enter:
	push rbx
	push rbp
	push r12
	push r13
	push r14
	push r15
	push rdi			; [rsp] = v for as long as this loop runs
	mov eax, VMCS_HOST_RSP
	vmwrite rax, rsp
	mov rbx, rdi

; rbx = v here and below, kept by the C that is called
.check:
	cmp qword [rbx + VCPU_EVENTS], 0	; events, and halted beside it
	jne .events
.load:
	mov rax, [rbx + VCPU_RAX]
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
	vmresume
	; Still here: the VMCS was not launched yet, or is bad. VMLAUNCH does the first; of the second both
	; fail and vmx_explain_entry_failure() looks closer.
	vmlaunch
	mov eax, 1
	mov ecx, 2
	cmovz eax, ecx
	jmp .leave

.events:
	mov rdi, rbx
	call vcpu_prepare_entry
	test al, al
	jnz .load
	xor eax, eax
.leave:
	add rsp, 8
	pop r15
	pop r14
	pop r13
	pop r12
	pop rbp
	pop rbx
	ret

align 16
vmx_exit_entry:
	push rbx
	mov rbx, [rsp + 8]
	mov [rbx + VCPU_RAX], rax
	mov [rbx + VCPU_RCX], rcx
	mov [rbx + VCPU_RDX], rdx
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

	; One line of the exit ring: RIP, reason, TSC.
	mov eax, VMCS_EXIT_REASON
	vmread rsi, rax
	mov eax, VMCS_GUEST_RIP
	vmread rcx, rax
	mov [rbx + VCPU_RIP], rcx
	rdtsc
	mov edi, [rbx + VCPU_RING_POS]
	add qword [rbx + VCPU_RING_POS], EXIT_RECORD_SIZE
	and edi, EXIT_RING_SIZE * EXIT_RECORD_SIZE - 1
	mov [rbx + rdi + VCPU_RING], rcx
	mov [rbx + rdi + VCPU_RING + 8], rsi
	mov [rbx + rdi + VCPU_RING + 16], eax
	mov [rbx + rdi + VCPU_RING + 20], edx

	mov rdi, rbx
	cmp esi, VMX_EXIT_REASONS
	jae .bad
	call [vmx_exit_handlers + rsi * 8]
	cmp qword [rbx + VCPU_EVENTS], 0
	je vmx_enter.load
	jmp vmx_enter.events
.bad:
	call vmx_exit_bad
	jmp vmx_enter.check
