; VMRUN and back, the counterpart of vmx/entry.asm. GIF stays clear from exit to exit, so that no interrupt or NMI meets
; the guest's GS base and TR (APM 2 15.17) and none has to be switched on and off on the way: with
; V_INTR_MASKING it is the host's IF at VMRUN, 1 in this loop, that lets a physical interrupt end the guest. Who
; takes interrupts opens GIF for a moment (svm/exit.c).

bits 64
default abs
%include "offsets.inc"
%include "vm/entry.inc"

extern svm_exit_handlers, svm_exit_far, svm_trace_exit, vcpu_prepare_entry
global svm_enter

section .text.hot progbits alloc exec

; void svm_enter(struct vcpu *v)
align 16
svm_enter:
	PUSH_HOST_REGISTERS
	mov rbx, rdi
	clgi
	sti

; rbx = v here and below, kept by the C that is called
.check:
	cmp qword [rbx + VCPU_HALTED], 0	; and traced, and events beside it
	je .load
	cmp qword [rbx + VCPU_HALTED], VCPU_ONLY_TRACED
	jne .events
.traced:
	TRACE_EXIT svm_trace_exit
.load:
	mov rcx, [rbx + VCPU_RAX]
	lea rax, [rbx + SVM_VMCB]
	mov [rax + VMCB_RAX], rcx
	vmload
	LOAD_GUEST_REGISTERS
	vmrun
	vmsave
	mov [rax - SVM_VMCB + VCPU_RBX], rbx
	lea rbx, [rax - SVM_VMCB]
	SAVE_GUEST_REGISTERS
	mov rcx, [rax + VMCB_RAX]
	mov [rbx + VCPU_RAX], rcx
	mov rsi, [rax + VMCB_EXITCODE]
	mov rcx, [rax + VMCB_RIP]
	add rax, SVM_HOST_STATE - SVM_VMCB
	vmload
	RECORD_EXIT

	mov rdi, rbx
	cmp rsi, SVM_EXIT_CODES
	jae .far
	inc qword [rbx + rsi * 8 + VCPU_EXIT_COUNTS]
	call [svm_exit_handlers + rsi * 8]
	cmp qword [rbx + VCPU_HALTED], 0
	je .load
	cmp qword [rbx + VCPU_HALTED], VCPU_ONLY_TRACED
	je .traced

.events:				; the slow path may wait: as all C outside this loop, with GIF 1 and IF 0
	cli
	stgi
	mov rdi, rbx
	call vcpu_prepare_entry
	clgi
	sti
	test al, al
	jz .leave
	cmp word [rbx + VCPU_TRACED], 0
	je .load
	jmp .traced
.leave:
	cli
	stgi
	POP_HOST_REGISTERS
	ret

.far:
	inc qword [rbx + VCPU_EXIT_COUNTS]
	call svm_exit_far
	jmp .check
