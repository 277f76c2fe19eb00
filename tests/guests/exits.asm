; run: @0x100000:64
; prints: exits ok
; status: 0
; Known numbers of exits of several kinds, for the exit trace's tests (tests/system/test_trace.py).

%include "lib.inc"
%include "pxhv.inc"

%macro TIMES 2+				; TIMES count, instruction
	mov r14d, %1
%%again:
	%2
	dec r14d
	jnz %%again
%endmacro

main:
	TIMES 300, cpuid
	mov dx, 0x2E9			; nobody's port
	TIMES 200, out dx, al
	TIMES 100, in al, dx
	mov ecx, MSR_APIC_BASE
	TIMES 50, rdmsr
	mov ebx, 0xFEC00010		; the IOAPIC's data register
	TIMES 40, mov eax, [rbx]
	SAY "exits ok"
	ret
