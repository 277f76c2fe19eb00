; run: @0x100000:64
; prints: died: triple fault at rip
; prints: first #GP (error 
; prints: : gate 128 at 2800, 0000000000000000, is empty
; prints: then #GP
; prints:  on delivery of #GP 0d: gate 13 at 20d0, 0000000000000000, is empty
; prints:  on delivery of #DF 08: gate 8 at 2080, 0000000000000000, is empty
; prints: int 0x80
; status: 3
; A system call that nobody has a gate for, as in a kernel without an IDT of its own yet.

%include "lib.inc"

main:
	xor eax, eax
	mov [IDT + 13 * 16], rax
	mov [IDT + 8 * 16], rax
	int 0x80
	FAIL "called"
