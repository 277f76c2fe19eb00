; run: @0x100000:64
; prints: halting for good
; prints: died: halted with interrupts off
; status: 3
; HLT with interrupts off and nothing to end it: pxHV does when nobody sits there.

%include "lib.inc"

main:
	SAY "halting for good"
	cli
	hlt
	FAIL "woke up"
