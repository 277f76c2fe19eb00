; run: @0x100000:64
; prints: died: MMIO at 0xfec00
; prints: code:
; prints: d903
; status: 3
; A device register read by an instruction that no driver uses for that: the x87's FLD.

%include "lib.inc"

main:
	mov ebx, 0xFEC00000
	fld dword [rbx]
	FAIL "emulated"
