; run: @0x100000:64
; prints: hypercalls ok
; prints: !
; status: 0
; Every hypercall, its errors and what it keeps; the last one is the shutdown.

%include "lib.inc"
%include "pxhv.inc"

%macro CALL 2				; CALL number, argument: RAX = result
	mov rax, %1
	mov ebx, %2
	call hypercall
%endmacro

main:
	CALL PXHV_HC_VERSION, 0
	EXPECT rax, PXHV_VERSION, "version"
	mov rcx, 0x1111222233334444
	mov rdx, rcx
	mov rsi, rcx
	mov rdi, rcx
	mov r8, rcx
	mov r15, rcx
	CALL PXHV_HC_NOP, 0x55
	EXPECT rax, 0, "no-op"
	EXPECT rbx, 0x55, "RBX is kept"
	EXPECT rdx, rcx, "RDX is kept"
	EXPECT rsi, rcx, "RSI is kept"
	EXPECT rdi, rcx, "RDI is kept"
	EXPECT r8, rcx, "R8 is kept"
	EXPECT r15, rcx, "R15 is kept"
	CALL PXHV_HC_YIELD, 0
	EXPECT rax, 0, "yield"
	CALL 0x12345678, 0
	EXPECT rax, -38, "unknown call"
	CALL PXHV_HC_NOP + 100, 0
	EXPECT rax, -38, "unknown call near the others"
	SAY "hypercalls ok"
	CALL PXHV_HC_PUTC, "!"
	EXPECT rax, 0, "putc"
	CALL PXHV_HC_PUTC, 10
	CALL PXHV_HC_SHUTDOWN, 0
	FAIL "the guest lives on"

hypercall:
	push rbx
	push rcx
	push rdx
	push rax
	xor eax, eax
	cpuid
	cmp ebx, "Auth"
	pop rax
	pop rdx
	pop rcx
	pop rbx
	je .amd
	vmcall
	ret
.amd:
	vmmcall
	ret
