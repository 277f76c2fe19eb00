; run: @0x100000:64
; prints: died: the instruction at rip 0x
; prints:  uses 0x4ffffff8, where there is neither memory nor a device: a wrong pointer, or stack?
; prints: push rax
; status: 3
; A stack where the PC has no memory.

%include "lib.inc"

main:
	mov rax, cr3
	and rax, -4096
	mov rax, [rax]
	and rax, -4096
	mov qword [rax + 8], 0x40000083	; the second GiB, at itself
	mov esp, 0x50000000
	push rax
	FAIL "pushed"
