; run: @0x100000:64
; prints: xAPIC ok
; status: 0
; No interrupt comes while IF is 0, however many wait: sent by the CPU itself, raised by the 8254 meanwhile, or left
; over when a handler ends the one before. In xAPIC mode and, where there is one, in x2APIC mode.

%include "lib.inc"

LOW	equ 0x61
HIGH	equ 0x82
PIT	equ 0x93
PERIOD	equ 300				; of the 8254: 250 us

%macro HANDLER 1			; of vector %1: ends it, and stays if it is a rare one
on_%1:
	bt dword [rsp + 16], 9		; IF of whom it interrupted
	jc %%fine
	inc dword [early]
%%fine:
	inc dword [count_%1]
	push rax
	push rcx
	APIC_WRITE APIC_EOI, 0
	pop rcx
	pop rax
%ifn %1 == PIT
	call stay
%endif
	iretq
	align 8
count_%1 dq 0
%endmacro

main:
	mov al, 0xFF
	out 0x21, al
	out 0xA1, al
	GATE LOW, on_LOW
	GATE HIGH, on_HIGH
	GATE PIT, on_PIT
	mov al, 0x34			; channel 0, periodic
	out 0x43, al
	mov al, PERIOD & 255
	out 0x40, al
	mov al, PERIOD >> 8
	out 0x40, al
	mov edi, 0xFEC00000		; IOAPIC pin 2 is the 8254's
	mov dword [rdi], 0x14
	mov dword [rdi + 0x10], PIT
	call apic_init
	call all
	SAY "xAPIC ok"
	call x2apic_enable
	jc .done
	call apic_init
	call all
	SAY "x2APIC ok"
.done:
	ret

all:
	mov dword [count_LOW], 0
	mov dword [count_HIGH], 0
	mov ebx, 50
.again:
	cmp byte [x2apic], 0
	je .icr
	APIC_WRITE APIC_SELF_IPI, LOW
	APIC_WRITE APIC_SELF_IPI, HIGH
	jmp .sent
.icr:
	APIC_WRITE APIC_ICR, 0x4000 | LOW	; to ID 0: Bochs does the shorthand by itself, and wrong
	APIC_WRITE APIC_ICR, 0x4000 | HIGH
.sent:
	call stay
	sti
	nop
	nop
	cli
	EXPECT [early], 0, "interrupts while IF was 0"
	dec ebx
	jnz .again
	EXPECT [count_LOW], 50, "LOW"
	EXPECT [count_HIGH], 50, "HIGH"
.wait:
	sti
	nop
	nop
	cli
	cmp dword [count_PIT], 10	; it does interrupt
	jb .wait
	ret

stay:					; for some time with IF 0, said again and again
	push rcx
	mov ecx, 25000
.loop:
	cli
	dec ecx
	jnz .loop
	pop rcx
	ret

	HANDLER LOW
	HANDLER HIGH
	HANDLER PIT

	align 8
early	dq 0
