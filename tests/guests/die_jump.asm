; run: @0x100000:64
; prints: died: triple fault at rip 0x200000000: #GP could not be delivered, nor the #DF after it
; prints: first #PF
; prints: : fetch of 200000000: not mapped
; prints:  on delivery of #PF 0e: gate 14 at 2000e0, 0000000000000000, is empty
; prints:  on delivery of #DF 08: gate 8 at 200080, 0000000000000000, is empty
; prints: rip    0000000200000000
; prints: 200000000: not mapped
; prints: 200000000: 4 levels, cr3
; prints: not present
; status: 3
; A jump to where nothing is mapped, with empty gates in the IDT.

%include "lib.inc"

main:
	lidt [empty]
	mov rax, 0x200000000
	jmp rax

empty:	dw 0xFFF
	dq 0x200000
