; run: @0x100000:64
; prints: halting for good
; status: 124
; HLT with interrupts off and nothing to end it: the run's timeout does (on a PC, only the user could).

%include "lib.inc"

main:
	SAY "halting for good"
	cli
	hlt
	FAIL "woke up"
