; Entering a guest and coming back. The loop stays in this file while nothing but the exit's own handler has work:
; save the guest's registers, note the exit in the ring, call the handler, load, VMRESUME.

bits 64
default abs
%include "offsets.inc"
%include "vm/entry.inc"

extern vmx_exit_handlers, vmx_exit_bad, vmx_trace_exit, vcpu_prepare_entry
global vmx_enter, vmx_exit_entry

section .text.hot progbits alloc exec

; int vmx_enter(struct vcpu *v)
align 16
vmx_enter:
	PUSH_HOST_REGISTERS
	push rdi			; [rsp] = v for as long as the loop runs
	mov eax, VMCS_HOST_RSP
	vmwrite rax, rsp
	mov rbx, rdi
	jmp vmx_exit_entry.check

; rbx = v here and below, kept by the C that is called
align 16
vmx_exit_entry:
	push rbx
	mov rbx, [rsp + 8]
	mov [rbx + VCPU_RAX], rax
	SAVE_GUEST_REGISTERS
	pop qword [rbx + VCPU_RBX]

	mov eax, VMCS_EXIT_REASON
	vmread rsi, rax
	mov eax, VMCS_GUEST_RIP
	vmread rcx, rax
	RECORD_EXIT

	mov rdi, rbx
	cmp esi, VMX_EXIT_REASONS
	jae .bad
	inc qword [rbx + rsi * 8 + VCPU_EXIT_COUNTS]
	call [vmx_exit_handlers + rsi * 8]
.check:
	cmp qword [rbx + VCPU_HALTED], 0	; and traced, and events beside it
	je .load
	cmp qword [rbx + VCPU_HALTED], VCPU_ONLY_TRACED
	jne .events
.traced:
	TRACE_EXIT vmx_trace_exit
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
.leave:
	add rsp, 8
	POP_HOST_REGISTERS
	ret

.events:
	mov rdi, rbx
	call vcpu_prepare_entry
	movzx eax, al
	test eax, eax
	jz .leave
	cmp word [rbx + VCPU_TRACED], 0
	je .load
	jmp .traced
.bad:
	call vmx_exit_bad
	jmp .check
