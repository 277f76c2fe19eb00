; Stands in for the hypervisor where tools/pxhv itself is tested: echoes the first serial port. x ends the run
; with status 7 after a farewell, f does so after 20000 characters, p makes Bochs end by itself, h hangs.
COM1	equ 0x3F8

	bits 16
	org 0x7C00

	xor ax, ax
	mov ds, ax
	mov dx, COM1 + 3
	mov al, 0x83			; divisor latch, 8N1
	out dx, al
	mov dl, COM1 & 0xFF
	mov ax, 1			; 115200 baud
	out dx, ax
	mov dl, (COM1 + 3) & 0xFF
	mov al, 3
	out dx, al
	mov si, hello
	call print
next:
	mov dx, COM1 + 5
	in al, dx
	test al, 1			; a character came
	jz next
	mov dl, COM1 & 0xFF
	in al, dx
	cmp al, "x"
	je finish
	cmp al, "f"
	je flood
	cmp al, "p"
	je vanish
	cmp al, "h"
	je hang
	call put
	jmp next

flood:
	mov cx, 20000
.more:
	mov al, "#"
	call put
	loop .more
finish:
	mov si, farewell
	call print
	mov si, verdict
	mov dx, 0xE9
	call send
hang:
	cli
	hlt

vanish:
	mov si, shutdown
	mov dx, 0x8900
	call send
	jmp next

send:	; the string at SI to port DX
	lodsb
	out dx, al
	test al, al
	jnz send
	ret

print:
	lodsb
	test al, al
	jz .end
	call put
	jmp print
.end:
	ret

put:
	push ax
	mov dx, COM1 + 5
.busy:
	in al, dx
	test al, 0x20
	jz .busy
	pop ax
	mov dl, COM1 & 0xFF
	out dx, al
	ret

hello		db "hello from the boot sector", 13, 10, 0
farewell	db 13, 10, "bye bye", 13, 10, 0
verdict		db "pxhv-exit 7", 10, 0
shutdown	db "Shutdown", 0

	times 510 - ($ - $$) db 0
	dw 0xAA55
