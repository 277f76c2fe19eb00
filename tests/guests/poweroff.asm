; run: @0x100000:64
; prints: powering off
; status: 0
; ACPI S5: SLP_EN and SLP_TYP 0 in PM1a control, where QEMU's is too.

%include "lib.inc"

main:
	SAY "powering off"
	mov dx, 0x604
	mov ax, 0x2000
	out dx, ax
	FAIL "the guest lives on"
