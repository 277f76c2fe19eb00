; run: @0x100000:64
; prints: exceptions ok
; status: 0
; Exceptions reach the guest with the right vector, error code, RIP and CR2.

%include "lib.inc"

%macro RAISES 3+			; RAISES vector, error, instruction
	mov qword [error], -1
	TRY %3
	EXPECT [vector], %1, "vector"
	EXPECT [error], %2, "error code"
%endmacro

main:
	xor eax, eax
	xor edx, edx
	xor ecx, ecx
	RAISES 0, 0, div ecx
	lea rax, [fault_here]
	mov [wanted_rip], rax
	mov qword [catch], after_ud
fault_here:
	ud2
after_ud:
	mov qword [catch], 0
	EXPECT [vector], 6, "UD2's vector"
	EXPECT [fault_rip], [wanted_rip], "UD2's RIP"

	RAISES 3, 0, int3
	TRY int 0x81				; no such gate
	EXPECT [vector], 13, "INT without a gate"
	mov eax, [error]
	and eax, 3
	EXPECT rax, 2, "error code: IDT"	; the rest names the gate, and QEMU gets that wrong
	GATE 0x81, soft
	mov dword [count], 0
	int 0x81
	EXPECT [count], 1, "INT 81h"

	mov rax, 0x8000000000000000
	RAISES 13, 0, mov [rax], eax		; not canonical
	mov eax, 0x50
	RAISES 13, 0x50, mov ds, eax		; beyond the GDT
	xor eax, eax
	cpuid
	cmp ebx, "Genu"				; QEMU's AMD lets these pass
	jne .amd
	mov rax, cr0
	btc rax, 0				; PG without PE
	RAISES 13, 0, mov cr0, rax
	mov rax, cr4
	btc rax, 5				; PAE cannot go in long mode
	RAISES 13, 0, mov cr4, rax
	mov rax, cr4
	bts rax, 31				; reserved
	RAISES 13, 0, mov cr4, rax
.amd:
	; The first 2 MiB page of the third GiB, absent and then read-only.
	mov rbx, cr3
	and rbx, -4096
	mov rbx, [rbx]
	and rbx, -4096
	mov rbx, [rbx + 16]
	and rbx, -4096
	mov r8, [rbx]
	mov qword [rbx], 0
	mov eax, 0x80000000
	invlpg [rax]
	add rax, 0x1234
	RAISES 14, 2, mov [rax], ecx
	EXPECT [fault_address], 0x80001234, "CR2"
	RAISES 14, 0, mov ecx, [rax]
	RAISES 14, 0, jmp rax				; no NX yet: a fetch looks like a read
	mov qword [rbx], 0x81			; read-only, address 0
	invlpg [rax]
	mov rdx, cr0
	bts rdx, 16				; WP
	mov cr0, rdx
	RAISES 14, 3, mov [rax], ecx
	mov rdx, 0x83 | (1 << 51)		; beyond MAXPHYADDR
	mov [rbx], rdx
	invlpg [rax]
	mov eax, 0x80000008
	cpuid
	cmp al, 52
	jae .no_reserved
	mov eax, 0x80001234
	TRY mov ecx, [rax]
	EXPECT [vector], 14, "reserved bit in a page table"
	mov ecx, [error]
	and ecx, 8
	EXPECT rcx, 8, "error code: reserved"	; and present, but QEMU forgets that
.no_reserved:
	mov rax, cr3
	and rax, -4096
	mov rax, [rax]
	and rax, -4096
	mov rax, [rax + 16]
	and rax, -4096
	mov [rax], r8
	mov eax, 0x80000000
	invlpg [rax]

	; A fault while delivering a fault.
	and byte [abs IDT + 6 * 16 + 5], 0x7F
	TRY ud2
	EXPECT [vector], 11, "#UD, then #NP"	; benign and contributory: handled one after the other
	and byte [abs IDT + 11 * 16 + 5], 0x7F
	and byte [abs IDT + 13 * 16 + 5], 0x7F
	mov rax, 0x8000000000000000
	RAISES 8, 0, mov [rax], eax		; #GP then #NP: contributory twice
	SAY "exceptions ok"
	ret

soft:
	inc dword [count]
	iretq

count		dq 0
wanted_rip	dq 0
