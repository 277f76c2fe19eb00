; run: @0x7C00:16
; prints: ticks from the start
; prints: 10 ticks
; prints: IRR and ISR ok
; prints: channel 2 ok
; status: 0
; The 8254 and the 8259s as DOS sees them: IRQ 0 ticks as soon as it is unmasked and wakes HLT in real mode, ten
; times; an interrupt waits in IRR while masked; channel 2 counts under port 61h.

%include "lib16.inc"

HZ100	equ 11932			; 1193182 / 100

main:
	mov sp, 0x7C00
	mov word [0x08 * 4], tick	; where a BIOS puts the PIC's vectors
	mov word [0x08 * 4 + 2], 0
	mov al, 0xFE
	out 0x21, al
.first:
	sti
	hlt
	cli
	cmp byte [ticks], 1
	jb .first
	SAY "ticks from the start"
	mov byte [ticks], 0
	mov word [0x20 * 4], tick	; the PIC shall use vectors 20h and 28h
	mov word [0x20 * 4 + 2], 0
	mov al, 0x11			; ICW1: edge, cascade, ICW4 follows
	out 0x20, al
	out 0xA0, al
	mov al, 0x20			; ICW2: vectors
	out 0x21, al
	mov al, 0x28
	out 0xA1, al
	mov al, 4			; ICW3: slave on IRQ 2
	out 0x21, al
	mov al, 2
	out 0xA1, al
	mov al, 1			; ICW4: 8086
	out 0x21, al
	out 0xA1, al
	mov al, 0xFE			; IRQ 0 alone
	out 0x21, al
	mov al, 0xFF
	out 0xA1, al

	mov al, 0x34			; channel 0, both bytes, mode 2
	out 0x43, al
	mov al, HZ100 & 255
	out 0x40, al
	mov al, HZ100 >> 8
	out 0x40, al
.wait:
	sti
	hlt
	cli
	cmp byte [ticks], 10
	jb .wait
	SAY "10 ticks"

	mov al, 0xFF			; masked, the request stays visible
	out 0x21, al
	mov ecx, 10000000
.requested:
	mov al, 0x0A			; OCW3: read IRR
	out 0x20, al
	in al, 0x20
	test al, 1
	jnz .irr
	dec ecx
	jnz .requested
	jmp .no_irr
.irr:
	mov byte [ticks], 0
	mov al, 0xFE
	out 0x21, al
	sti
	nop
	nop
	cli
	cmp byte [ticks], 1		; it comes at once
	jne .no_tick
	cmp byte [isr_seen], 1
	jne .no_isr
	SAY "IRR and ISR ok"

	in al, 0x61			; channel 2: gate on, speaker off
	and al, 0xFC
	or al, 1
	out 0x61, al
	mov al, 0xB0			; channel 2, both bytes, mode 0
	out 0x43, al
	mov al, 0
	out 0x42, al
	mov al, 0x10			; 4096 counts, 3.4 ms
	out 0x42, al
	in al, 0x61
	test al, 0x20
	jnz .output_early
	xor bx, bx
.counting:
	in al, 0x61
	test al, 0x20
	jnz .over
	inc bx
	jnz .counting
	mov bx, 1			; once more round: emulated ports are quick
	inc byte [rounds]
	cmp byte [rounds], 64
	jb .counting
	FAIL "channel 2 never reaches its end"
.over:
	test bx, bx
	jz .output_early
	SAY "channel 2 ok"
	EXIT 0

.no_irr:
	FAIL "no request in IRR"
.no_tick:
	FAIL "not one tick after unmasking"
.no_isr:
	FAIL "ISR does not show the interrupt in service"
.output_early:
	FAIL "channel 2's output is high at once"

tick:
	push ax
	inc byte [ticks]
	mov al, 0x0B			; OCW3: read ISR
	out 0x20, al
	in al, 0x20
	and al, 1
	mov [isr_seen], al
	mov al, 0x20			; EOI
	out 0x20, al
	pop ax
	iret

ticks	db 0
isr_seen db 0
rounds	db 0
