; run: @0x100000:64
; prints: powering off
; status: 0
; ACPI S5: SLP_TYP 5 and SLP_EN in PM1a control.

%include "lib.inc"

main:
	SAY "powering off"
	mov dx, 0x604
	mov ax, 5 << 10 | 1 << 13
	out dx, ax
	FAIL "the guest lives on"
