; run: @0x100000:64
; prints: canonical ok
; status: 0
; An MSR that holds a linear address takes none that is not canonical, whoever looks at it.

%include "lib.inc"

%macro REFUSES 1
	mov ecx, %1
	mov edx, 0x80000000
	xor eax, eax
	TRY wrmsr
	EXPECT [vector], 13, "WRMSR of an address that is not canonical"
%endmacro

main:
	REFUSES 0x175			; SYSENTER_ESP
	REFUSES 0xC0000082		; LSTAR
	REFUSES 0xC0000102		; KERNEL_GS_BASE
	REFUSES 0xC0000100		; FS_BASE
	SAY "canonical ok"
	ret
