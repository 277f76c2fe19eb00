; A guest in real mode: says hello on the first serial port and halts.
;
;	tools/pxhv run --flat build/guest/hello16.bin@0x7C00:16

COM1		equ 0x3F8
LINE_CONTROL	equ COM1 + 3
LINE_STATUS	equ COM1 + 5
CAN_SEND	equ 0x20
DEBUG_EXIT	equ 0xF4		; ends the run with the value written

	bits 16
	org 0x7C00			; where a BIOS would have put a boot sector

	cld
	xor ax, ax
	mov ds, ax
	mov dx, LINE_CONTROL
	mov al, 3			; 8 data bits, no parity, 1 stop bit
	out dx, al
	mov si, message
.next:
	lodsb				; AL = the next character
	test al, al
	jz .done
	mov ah, al
	mov dx, LINE_STATUS
.wait:
	in al, dx			; each IN and OUT leaves the guest: the hypervisor's UART answers
	test al, CAN_SEND
	jz .wait
	mov dx, COM1
	mov al, ah
	out dx, al
	jmp .next
.done:
	xor al, al
	out DEBUG_EXIT, al
	cli
.halt:
	hlt				; for machines without that port
	jmp .halt

message	db "Hello from real mode", 13, 10, 0
