; run: @0x100000:64
; prints: falling
; status: 3
; No way to deliver any exception: the guest dies, the hypervisor says how.

%include "lib.inc"

main:
	SAY "falling"
	lidt [none]
	ud2

none:	dw 0
	dq 0
