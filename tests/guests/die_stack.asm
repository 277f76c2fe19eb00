; run: @0x100000:64
; prints: died: triple fault at rip
; prints: : #PF could not be delivered, nor the #DF after it
; prints: first #PF (error 2): write of 2ffff
; prints: : not mapped
; prints:  on delivery of #PF 0e: write of 2ffff
; prints: : not mapped, on the stack
; prints: push rax
; prints: stack:
; prints: 300000000: not mapped
; status: 3
; RSP points to where nothing is mapped.

%include "lib.inc"

main:
	mov rsp, 0x300000000
	push rax
	FAIL "pushed"
