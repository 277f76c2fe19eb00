; run: @0x100000:64
; prints: k, 9, c or q?
; status: 0
; Each way to reset the machine, chosen by what is typed: k the keyboard controller, 9 port 92h, c port CF9h; q
; ends the run. After a reset the question is asked again. (Without input this waits for ever: type q.)

%include "lib.inc"

main:
	SAY "k, 9, c or q?"
.wait:
	mov dx, COM1 + 5
	in al, dx
	test al, 1
	jz .wait
	mov dx, COM1
	in al, dx
	cmp al, "k"
	je .keyboard
	cmp al, "9"
	je .fast
	cmp al, "c"
	je .cf9
	cmp al, "q"
	jne .wait
	ret
.keyboard:
	mov al, 0xFE
	out 0x64, al
	jmp .alive
.fast:
	in al, 0x92
	and al, 0xFE
	out 0x92, al
	or al, 1
	out 0x92, al
	jmp .alive
.cf9:
	mov dx, 0xCF9
	mov al, 2
	out dx, al
	mov al, 6
	out dx, al
.alive:
	FAIL "the guest lives on"
