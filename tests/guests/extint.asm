; run: @0x100000:64
; prints: virtual wire ok
; prints: IOAPIC timer ok
; status: 0
; The timer's interrupt by both ways that systems use: the 8259 through LINT0 as ExtINT, and IOAPIC pin 2.

%include "lib.inc"

IOAPIC	equ 0xFEC00000

%macro IOAPIC_WRITE 2
	mov edi, IOAPIC
	mov dword [rdi], %1
	mov dword [rdi + 0x10], %2
%endmacro

main:
	call apic_init
	GATE 0x20, pic_tick
	GATE 0x48, apic_tick
	mov al, 0x11			; the 8259s at vectors 20h and 28h
	out 0x20, al
	out 0xA0, al
	mov al, 0x20
	out 0x21, al
	mov al, 0x28
	out 0xA1, al
	mov al, 4
	out 0x21, al
	mov al, 2
	out 0xA1, al
	mov al, 1
	out 0x21, al
	out 0xA1, al
	mov al, 0xFE
	out 0x21, al
	mov al, 0xFF
	out 0xA1, al
	mov al, 0x34			; channel 0 at 1000 Hz
	out 0x43, al
	mov al, 1193 & 255
	out 0x40, al
	mov al, 1193 >> 8
	out 0x40, al

	APIC_WRITE APIC_LVT_LINT0, 0x700
	mov dword [ticks], 0
.wire:
	sti
	hlt
	cli
	cmp dword [ticks], 5
	jb .wire
	mov al, 0xFF
	out 0x21, al
	APIC_WRITE APIC_LVT_LINT0, 0x700 | LVT_MASKED
	SAY "virtual wire ok"

	mov dword [ticks], 0
	IOAPIC_WRITE 0x15, 0
	IOAPIC_WRITE 0x14, 0x48
.ioapic:
	sti
	hlt
	cli
	cmp dword [ticks], 5
	jb .ioapic
	IOAPIC_WRITE 0x14, 0x10048
	SAY "IOAPIC timer ok"
	ret

pic_tick:
	push rax
	inc dword [ticks]
	mov al, 0x20
	out 0x20, al
	pop rax
	iretq

apic_tick:
	push rax
	push rcx
	inc dword [ticks]
	APIC_WRITE APIC_EOI, 0
	pop rcx
	pop rax
	iretq

ticks	dq 0
