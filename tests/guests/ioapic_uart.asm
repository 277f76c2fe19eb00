; run: @0x100000:64
; prints: sent by interrupts
; prints: type a line:
; status: 0
; COM1 through the IOAPIC: a string goes out on transmitter interrupts; then what is typed is echoed on receiver
; interrupts, up to the end of the line. (Without input this waits for ever: give it a line.)

%include "lib.inc"

VECTOR	equ 0x44
IOAPIC	equ 0xFEC00000

main:
	mov al, 0xFF
	out 0x21, al
	out 0xA1, al
	call apic_init
	GATE VECTOR, uart
	mov ecx, 0x11 + 2 * 4		; pin 4: destination APIC 0, physical
	xor eax, eax
	call ioapic_write
	mov ecx, 0x10 + 2 * 4		; edge, active high, fixed
	mov eax, VECTOR
	call ioapic_write
	mov edi, IOAPIC
	mov dword [rdi], 0x10 + 2 * 4
	mov eax, [rdi + 0x10]
	EXPECT rax, VECTOR, "redirection entry"

	mov dx, COM1 + 2		; FIFOs on, empty
	mov al, 7
	out dx, al
	mov dx, COM1 + 4		; DTR, RTS, OUT2: lets the interrupt out
	mov al, 0xB
	out dx, al
	mov dx, COM1 + 1		; transmitter empty
	mov al, 2
	out dx, al
.sending:
	sti
	hlt
	cli
	mov rsi, [next]
	cmp byte [rsi], 0
	jne .sending

	SAY "type a line:"
	mov dx, COM1 + 1		; data received
	mov al, 1
	out dx, al
.receiving:
	sti
	hlt
	cli
	cmp byte [ended], 0
	je .receiving
	SAY " "
	cmp dword [bad], 0
	jne .bad
	ret
.bad:
	FAIL "an interrupt without a cause"

ioapic_write:				; register ECX, value EAX
	mov edi, IOAPIC
	mov [rdi], ecx
	mov [rdi + 0x10], eax
	ret

uart:
	push rax
	push rcx
	push rdx
	push rsi
.again:
	mov dx, COM1 + 2		; why?
	in al, dx
	test al, 1
	jnz .end
	mov ecx, eax
	and ecx, 0xE
	cmp ecx, 2
	je .send
	cmp ecx, 4
	je .receive
	cmp ecx, 0xC
	je .receive
	inc dword [bad]
	jmp .end
.send:
	mov rsi, [next]
	mov al, [rsi]
	test al, al
	jz .all_sent
	inc qword [next]
	mov dx, COM1
	out dx, al
	jmp .again
.all_sent:
	mov dx, COM1 + 1
	xor eax, eax
	out dx, al
	jmp .again
.receive:
	mov dx, COM1
	in al, dx
	cmp al, 13
	je .enter
	cmp al, 10
	je .enter
	call putc
	jmp .again
.enter:
	mov byte [ended], 1
	jmp .again
.end:
	APIC_WRITE APIC_EOI, 0
	pop rsi
	pop rdx
	pop rcx
	pop rax
	iretq

	align 8
next	dq text
bad	dq 0
text	db "sent by interrupts", 13, 10, 0
ended	db 0
