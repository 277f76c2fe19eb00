; run: @0x100000:64
; prints: ports ok
; status: 0
; Ports that nobody claims read as all ones, at each width, and writes to them do nothing; ports of devices read back.

%include "lib.inc"

main:
	mov dx, 0x2F8			; COM2 is not there
	xor eax, eax
	in al, dx
	EXPECT rax, 0xFF, "8 bits"
	xor eax, eax
	in ax, dx
	EXPECT rax, 0xFFFF, "16 bits"
	xor eax, eax
	in eax, dx
	EXPECT rax, 0xFFFFFFFF, "32 bits"
	mov rax, -1			; IN to EAX clears the upper half, IN to AL and AX keeps all of it
	in al, dx
	EXPECT rax, -1, "upper bits after IN AL"
	in eax, dx
	EXPECT rax, 0xFFFFFFFF, "upper bits after IN EAX"
	out dx, eax
	out dx, ax
	out dx, al
	mov dx, 0xFFFF			; the last port; a word there would wrap round
	xor eax, eax
	in al, dx
	EXPECT rax, 0xFF, "port FFFFh"
	mov dx, COM1 + 7		; the UART's scratch register
	mov eax, 0x5A
	out dx, al
	xor eax, eax
	in al, dx
	EXPECT rax, 0x5A, "scratch register"
	mov al, 0xA5
	out 0x21, al			; the immediate forms
	xor eax, eax
	in al, 0x21
	EXPECT rax, 0xA5, "PIC mask"
	SAY "ports ok"
	ret
