; run: @0x100000:64
; prints: died: triple fault at rip
; prints: first #GP (error 10): segment 0010: the GDT ends before descriptor 2 (limit 7)
; prints:  on delivery of #GP 0d: segment 0010: the GDT ends before descriptor 2 (limit 7)
; prints: mov ds
; status: 3
; A segment register is loaded from a GDT that was set up with the wrong limit.

%include "lib.inc"

main:
	lgdt [.pointer]
	mov eax, 0x10
	mov ds, eax
	FAIL "loaded"
.pointer:
	dw 7
	dq 0
