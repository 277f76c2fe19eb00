; A guest that talks to the hypervisor without any device: prints ABC by hypercalls, then shuts itself down.
;
;	tools/pxhv run --flat build/guest/hypercall.bin@0x100000:64

%include "pxhv.inc"

	bits 64
	default rel			; runs at any address

	xor eax, eax			; "GenuineIntel" has VMCALL, "AuthenticAMD" has VMMCALL
	cpuid
	cmp ebx, "Auth"
	sete [amd]

	mov ebx, "A"
print:
	mov eax, PXHV_HC_PUTC		; the number of the call in EAX, its argument in EBX
	call hypercall
	inc ebx
	cmp ebx, "C"
	jbe print

	mov ebx, 10
	mov eax, PXHV_HC_PUTC
	call hypercall
	mov eax, PXHV_HC_SHUTDOWN
	call hypercall			; does not come back

hypercall:
	cmp byte [amd], 0
	jne .amd
	vmcall
	ret
.amd:
	vmmcall
	ret

amd	db 0
