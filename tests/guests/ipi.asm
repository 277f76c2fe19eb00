; run: @0x100000:64
; prints: xAPIC ok
; status: 0
; Interrupts that a CPU sends to itself: fixed ones by priority and nesting, the task priority, NMI; in xAPIC mode
; and, where there is one, in x2APIC mode.

%include "lib.inc"

LOW	equ 0x61
HIGH	equ 0x82

%macro SEND 1				; to self, by the ICR's shorthand
	APIC_WRITE APIC_ICR, 0x44000 | %1
%endmacro

main:
	mov al, 0xFF
	out 0x21, al
	out 0xA1, al
	GATE LOW, low
	GATE HIGH, high
	GATE 2, nmi
	call apic_init
	call all
	SAY "xAPIC ok"
	call x2apic_enable
	jc .done
	call apic_init
	call all
	mov dword [trace], 0		; the register for just this
	APIC_WRITE APIC_SELF_IPI, LOW
	sti
	nop
	nop
	cli
	EXPECT [trace], "l", "SELF IPI"
	mov ecx, 0x802			; APIC ID
	TRY wrmsr
	EXPECT [vector], 13, "x2APIC: write to a read-only register"
	SAY "x2APIC ok"
.done:
	ret

all:
	mov qword [trace], 0
	SEND LOW			; both wait while IF is clear
	SEND HIGH
	APIC_READ APIC_IRR + (LOW >> 5) * 16
	and eax, 1 << (LOW & 31)
	EXPECT rax, 1 << (LOW & 31), "IRR"
	sti
	nop
	nop
	cli
	EXPECT [trace], "hl", "higher vector first"

	mov qword [trace], 0
	mov byte [nest], 1		; the low one sends the high one, which interrupts it
	SEND LOW
	sti
	nop
	nop
	cli
	mov byte [nest], 0
	EXPECT [trace], "(h)", "nesting"

	mov qword [trace], 0
	APIC_WRITE APIC_TPR, 0x70
	SEND LOW
	SEND HIGH
	sti
	nop
	nop
	EXPECT [trace], "h", "TPR holds the lower class back"
	APIC_WRITE APIC_TPR, 0
	nop
	nop
	cli
	EXPECT [trace], "hl", "TPR lets it go"
	mov qword [trace], 0
	mov rax, 7			; the same by CR8
	mov cr8, rax
	SEND LOW
	sti
	nop
	nop
	EXPECT [trace], 0, "CR8 holds it back"
	APIC_READ APIC_TPR
	EXPECT rax, 0x70, "TPR after MOV CR8"
	xor eax, eax
	mov cr8, rax
	nop
	nop
	cli
	EXPECT [trace], "l", "CR8 lets it go"

	mov qword [trace], 0
	APIC_READ APIC_ID		; by destination instead of shorthand
	call send_physical
	sti
	nop
	nop
	cli
	EXPECT [trace], "l", "physical destination"

	mov qword [trace], 0
	APIC_READ APIC_ID
	cmp byte [x2apic], 0
	jne .x2
	mov ecx, APIC + 0x310
	mov [rcx], eax
	APIC_WRITE APIC_ICR, 0x4400	; NMI, assert
	jmp .sent
.x2:
	mov edx, eax
	mov eax, 0x4400
	mov ecx, 0x830
	wrmsr
.sent:
	nop
	nop
	EXPECT [trace], "n", "NMI"
	ret

send_physical:				; LOW to the APIC whose ID register is EAX
	cmp byte [x2apic], 0
	jne .x2
	mov ecx, APIC + 0x310
	mov [rcx], eax
	APIC_WRITE APIC_ICR, 0x4000 | LOW
	ret
.x2:
	mov edx, eax
	mov eax, 0x4000 | LOW
	mov ecx, 0x830
	wrmsr
	ret

note:					; appends AL to the trace
	push rbx
	xor ebx, ebx
.next:
	cmp byte [trace + rbx], 0
	je .here
	inc ebx
	jmp .next
.here:
	mov [trace + rbx], al
	pop rbx
	ret

low:
	push rax
	push rcx
	cmp byte [nest], 0
	jne .nest
	mov al, "l"
	call note
	jmp .end
.nest:
	mov al, "("
	call note
	SEND HIGH
	sti
	nop
	nop
	cli
	mov al, ")"
	call note
.end:
	APIC_WRITE APIC_EOI, 0
	pop rcx
	pop rax
	iretq

high:
	push rax
	push rcx
	APIC_READ APIC_ISR + (HIGH >> 5) * 16
	test eax, 1 << (HIGH & 31)
	mov al, "?"
	jz .not_in_service
	mov al, "h"
.not_in_service:
	call note
	APIC_WRITE APIC_EOI, 0
	pop rcx
	pop rax
	iretq

nmi:
	push rax
	mov al, "n"
	call note
	pop rax
	iretq

	align 8
trace	dq 0, 0
nest	db 0
