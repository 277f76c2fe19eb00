; run: @0x100000:64
; prints: died: triple fault at rip
; prints: : #PF could not be delivered, nor the #DF after it
; prints: first #PF
; prints: fetch of 100
; prints: : not mapped
; prints:  on delivery of #PF 0e: read of 
; prints: : not mapped, in the IDT
; prints: : not mapped
; prints: 4 levels, cr3 200000
; prints:   level 4 at 000200000  0000000000000000 ------
; prints: not present
; status: 3
; CR3 points to a page of zeros: the next instruction is not mapped, nor is the IDT.

%include "lib.inc"

main:
	mov eax, 0x200000
	mov cr3, rax
	FAIL "still here"
