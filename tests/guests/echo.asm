; Echoes what is typed, in brackets; q powers off. For tests of the monitor: it runs for ever, at one place.

%include "lib.inc"

main:
	mov al, 0xFF			; no interrupts for us
	out 0x21, al
	out 0xA1, al
	SAY "echo"
	mov r15, 0x123456789ABCDEF0
.wait:
	sti				; Bochs sees the host's interrupts when the guest's IF changes
	cli
	mov dx, COM1 + 5
	in al, dx
	test al, 1
	jz .wait
	mov dx, COM1
	in al, dx
	cmp al, 'q'
	je .quit
	mov [.text + 1], al
	lea rsi, [.text]
	call puts
	jmp .wait
.quit:
	EXIT 0

.text:	db "[ ]", 0
