; Entering a guest and coming back. The loop stays in this file while nothing but the exit's own handler has work:
; save the guest's registers, note the exit in the ring, call the handler, load, VMRESUME.

bits 64
default abs
%include "offsets.inc"
%include "vm/entry.inc"

extern vmx_exit_handlers, vmx_exit_bad, vcpu_prepare_entry
global vmx_enter, vmx_exit_entry

section .text.hot progbits alloc exec

; int vmx_enter(struct vcpu *v)
align 16
vmx_enter:
	PUSH_HOST_REGISTERS
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
	LOAD_GUEST_REGISTERS
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
	POP_HOST_REGISTERS
	ret

align 16
vmx_exit_entry:
	push rbx
	mov rbx, [rsp + 8]
	mov [rbx + VCPU_RAX], rax
	mov [rbx + VCPU_RCX], rcx
	mov [rbx + VCPU_RDX], rdx
	SAVE_GUEST_REGISTERS

	mov eax, VMCS_EXIT_REASON
	vmread rsi, rax
	mov eax, VMCS_GUEST_RIP
	vmread rcx, rax
	RECORD_EXIT

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
