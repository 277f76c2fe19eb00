; run: @0x100000:64
; prints: xAPIC one-shot ok
; prints: xAPIC periodic ok
; status: 0
; The local APIC's timer: one-shot, periodic, and by TSC deadline where CPUID shows it; in xAPIC mode and, where
; there is one, in x2APIC mode.

%include "lib.inc"

VECTOR	equ 0x60

%macro MODE 0				; prints the mode
	lea rsi, [xapic_name]
	cmp byte [x2apic], 0
	je %%print
	lea rsi, [x2apic_name]
%%print:
	call puts
%endmacro

main:
	mov al, 0xFF
	out 0x21, al
	out 0xA1, al
	GATE VECTOR, tick
	call apic_init
	call all
	call x2apic_enable
	jc .done
	call apic_init
	call all
.done:
	SAY "timer ok"
	ret

all:
	APIC_WRITE APIC_TIMER_DIV, 0xB	; by 1
	mov dword [ticks], 0
	APIC_WRITE APIC_LVT_TIMER, VECTOR
	APIC_WRITE APIC_TIMER_INIT, 1000000
	APIC_READ APIC_TIMER_NOW
	dec eax				; 1 to 1000000
	cmp eax, 1000000
	jae .not_counting
	call wait_tick
	APIC_READ APIC_TIMER_NOW
	mov eax, eax
	EXPECT rax, 0, "count after one-shot"
	sti				; and no second one
	mov ecx, 100000
.spin:
	pause
	loop .spin
	cli
	EXPECT [ticks], 1, "one-shot ticks"
	MODE
	SAY " one-shot ok"

	mov dword [ticks], 0
	APIC_WRITE APIC_TIMER_DIV, 0	; by 2
	APIC_WRITE APIC_LVT_TIMER, LVT_PERIODIC | VECTOR
	APIC_WRITE APIC_TIMER_INIT, 500000
.more:
	call wait_tick
	cmp dword [ticks], 5
	jb .more
	APIC_WRITE APIC_LVT_TIMER, LVT_PERIODIC | LVT_MASKED | VECTOR
	APIC_WRITE APIC_TIMER_INIT, 0
	sti				; what was under way
	nop
	nop
	cli
	mov dword [ticks], 0
	sti
	mov ecx, 100000
.spin2:
	pause
	loop .spin2
	cli
	EXPECT [ticks], 0, "ticks of a stopped timer"
	MODE
	SAY " periodic ok"

	mov eax, 1
	cpuid
	bt ecx, 24
	jnc .none
	mov dword [ticks], 0
	APIC_WRITE APIC_LVT_TIMER, LVT_DEADLINE | VECTOR
	call read_tsc
	lea rbx, [rax + 20000000]	; far enough for the machine to get to the RDMSR before
	mov eax, ebx
	mov rdx, rbx
	shr rdx, 32
	mov ecx, MSR_TSC_DEADLINE
	wrmsr
	rdmsr				; reads back while armed
	shl rdx, 32
	or rax, rdx
	EXPECT rax, rbx, "armed deadline"
	call wait_tick
	call read_tsc
	cmp rax, rbx
	jb .early
	mov ecx, MSR_TSC_DEADLINE
	rdmsr
	shl rdx, 32
	or rax, rdx
	EXPECT rax, 0, "deadline after the tick"
	mov dword [ticks], 0
	mov eax, 1			; long past: at once
	xor edx, edx
	mov ecx, MSR_TSC_DEADLINE
	wrmsr
	sti
	nop
	nop
	cli
	EXPECT [ticks], 1, "ticks of a deadline in the past"
	MODE
	SAY " deadline ok"
.none:
	ret
.not_counting:
	FAIL "the timer's count is not between 1 and its start"
.early:
	FAIL "the deadline timer fired early"

wait_tick:
	sti
	hlt
	cli
	ret

tick:
	push rax
	push rcx
	inc dword [ticks]
	APIC_WRITE APIC_EOI, 0
	pop rcx
	pop rax
	iretq

ticks		dq 0
xapic_name	db "xAPIC", 0
x2apic_name	db "x2APIC", 0
