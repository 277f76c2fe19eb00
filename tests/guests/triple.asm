; run: @0x100000:64
; prints: falling
; prints: died: triple fault at rip
; prints: : #GP could not be delivered, nor the #DF after it
; prints: first #UD
; prints:  then #GP
; prints:  on delivery of #UD 06: the IDT ends before gate 6 (limit 0)
; prints:  on delivery of #DF 08: the IDT ends before gate 8 (limit 0)
; prints: PE ET
; prints: LME LMA
; prints: code:
; prints: 0f0b
; prints: ud2
; prints: stack:
; prints: exits, in ticks since the one before:
; status: 3
; A bad IDT: no way to deliver any exception.

%include "lib.inc"

main:
	SAY "falling"
	lidt [none]
	ud2

none:	dw 0
	dq 0
