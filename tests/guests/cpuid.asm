; run: @0x100000:64
; prints: hypervisor bit set
; prints: KVMKVMKVM
; prints: pxHVpxHVpxHV
; prints: CPUID ok
; status: 0
; What CPUID says: the hypervisor and its signatures, bits that follow the guest's own state, XCR0 and its size.

%include "lib.inc"
%include "pxhv.inc"

main:
	mov eax, 1
	cpuid
	bt ecx, 31
	jnc .no_hypervisor
	SAY "hypervisor bit set"
.no_hypervisor:
	mov eax, 0x40000000
	call signature
	mov eax, PXHV_CPUID_SIGNATURE
	call signature

	mov eax, 1
	cpuid
	bt ecx, 5			; VMX and SVM are the hypervisor's own
	jc .vmx
	mov eax, 0x80000001
	cpuid
	bt ecx, 2
	jc .svm
.shown:
	mov eax, 1			; the APIC's ID and its being on
	cpuid
	bt edx, 9
	jnc .no_apic

	mov eax, 1
	cpuid
	bt ecx, 26			; XSAVE
	jnc .no_xsave
	bt ecx, 27			; OSXSAVE follows CR4
	jc .osxsave
	xor ecx, ecx
	TRY xgetbv
	EXPECT [vector], 6, "XGETBV without CR4.OSXSAVE"
	mov rax, cr4
	bts rax, 18
	mov cr4, rax
	mov eax, 1
	cpuid
	bt ecx, 27
	jnc .osxsave
	xor ecx, ecx
	xgetbv
	EXPECT rax, 1, "XCR0 after reset"
	mov eax, 0xD			; size for what is on in XCR0: x87 and SSE areas, header
	xor ecx, ecx
	cpuid
	EXPECT rbx, 576, "XSAVE area for XCR0 = 1"
	xor ecx, ecx
	xor edx, edx
	mov eax, 3
	TRY xsetbv
	EXPECT [vector], -1, "XSETBV 3"
	mov eax, 1
	cpuid
	bt ecx, 28			; AVX
	jnc .no_avx
	xor ecx, ecx
	xor edx, edx
	mov eax, 7
	TRY xsetbv
	EXPECT [vector], -1, "XSETBV 7"
	mov eax, 0xD
	xor ecx, ecx
	cpuid
	EXPECT rbx, 832, "XSAVE area for XCR0 = 7"
.no_avx:
	xor ecx, ecx
	xor edx, edx
	mov eax, 2
	TRY xsetbv
	EXPECT [vector], 13, "XSETBV without x87"
	mov eax, 5
	TRY xsetbv
	EXPECT [vector], 13, "XSETBV with AVX but not SSE"
	mov eax, 1
	mov edx, 0x80000000
	TRY xsetbv
	EXPECT [vector], 13, "XSETBV of a reserved bit"
	xor edx, edx
	mov ecx, 1
	TRY xsetbv
	EXPECT [vector], 13, "XSETBV of XCR1"
	mov rax, cr4
	btr rax, 18
	mov cr4, rax
	xor ecx, ecx
	mov eax, 1
	TRY xsetbv
	EXPECT [vector], 6, "XSETBV without CR4.OSXSAVE"
.no_xsave:
	SAY "CPUID ok"
	ret
.vmx:
	FAIL "VMX is shown"
.svm:
	FAIL "SVM is shown"
.no_apic:
	FAIL "no local APIC"
.osxsave:
	FAIL "OSXSAVE does not follow CR4"

signature:				; of leaf EAX, in EBX, ECX, EDX
	cpuid
	mov [text], ebx
	mov [text + 4], ecx
	mov [text + 8], edx
	lea rsi, [text]
	call puts
	SAY " "
	ret

	align 8
text	dq 0, 0
