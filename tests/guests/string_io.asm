; run: @0x100000:64
; prints: by REP OUTSB
; prints: string I/O ok
; status: 0
; INS and OUTS: with and without REP, each width, backwards, a count of zero, across pages, with a fault in the middle.

%include "lib.inc"

BUFFER	equ 0x1FF800			; the 2 MiB page ends 2 KiB on
ABSENT	equ 0x80000000

main:
	lea rsi, [text]
	mov ecx, text_end - text
	mov dx, COM1
	rep outsb
	EXPECT rcx, 0, "RCX after REP OUTSB"
	EXPECT rsi, text_end, "RSI after REP OUTSB"

	mov al, 0x5A
	out 0x21, al
	mov edi, BUFFER
	mov ecx, 4096
	mov dx, 0x21
	rep insb
	EXPECT rdi, BUFFER + 4096, "RDI after REP INSB"
	mov edi, BUFFER
	mov ecx, 4096
	mov al, 0x5A
	repe scasb
	EXPECT rcx, 0, "bytes that REP INSB brought"

	std				; backwards
	mov edi, BUFFER + 100
	mov byte [rdi], 0
	mov byte [rdi - 3], 0x11
	mov ecx, 3
	rep insb
	cld
	EXPECT rdi, BUFFER + 97, "RDI after INSB downwards"
	mov eax, [rdi]
	EXPECT rax, 0x5A5A5A11, "bytes downwards"

	mov edi, BUFFER			; nothing at all
	xor ecx, ecx
	rep insb
	EXPECT rdi, BUFFER, "RDI after zero times"

	mov dx, 0x2F8			; unclaimed
	mov qword [BUFFER], 0
	insw
	EXPECT [BUFFER], 0xFFFF, "INSW"
	insd
	EXPECT rdi, BUFFER + 6, "RDI after INSW and INSD"
	lea rsi, [text]
	outsb
	outsw
	outsd
	EXPECT rsi, text + 7, "RSI after OUTSB, OUTSW, OUTSD"

	mov dx, 0x21			; 32-bit addresses: the upper halves are not used, and cleared
	mov rdi, 0x500000000 + BUFFER
	mov rcx, 0x700000002
	a32 rep insb
	EXPECT rdi, BUFFER + 2, "RDI with 32-bit addresses"
	EXPECT rcx, 0, "RCX with 32-bit addresses"

	mov rbx, cr3			; the third GiB loses its first page
	and rbx, -4096
	mov rbx, [rbx]
	and rbx, -4096
	mov rbx, [rbx + 16]
	and rbx, -4096
	mov qword [rbx], 0x83		; the first 2 MiB again
	mov qword [rbx + 8], 0		; and then nothing
	mov rax, cr3
	mov cr3, rax
	mov edi, ABSENT + 0x200000 - 3
	mov ecx, 8
	TRY rep insb
	EXPECT [vector], 14, "#PF in REP INSB"
	EXPECT [error], 2, "its error code"
	EXPECT [fault_address], ABSENT + 0x200000, "its address"
	EXPECT rcx, 5, "RCX at the fault"
	EXPECT rdi, ABSENT + 0x200000, "RDI at the fault"
	mov esi, ABSENT + 0x200000
	mov ecx, 8
	TRY rep outsb
	EXPECT [vector], 14, "#PF in REP OUTSB"
	EXPECT [error], 0, "its error code"
	EXPECT rcx, 8, "RCX, nothing done"
	SAY "string I/O ok"
	ret

text	db "by REP OUTSB", 13, 10
text_end:
