; run: @0x100000:64
; prints: NMIs ok
; status: 0
; An NMI that comes while another's handler runs waits for the handler's IRET, and is not lost.

%include "lib.inc"

main:
	GATE 2, nmi
	call apic_init
	mov ebx, 100
.again:
	mov dword [left], 3
	sti
	call send
	call wait_for_all
	cli				; the same without interrupts to be had
	mov dword [left], 3
	call send
	call wait_for_all
	dec ebx
	jnz .again
	SAY "NMIs ok"
	ret

send:					; an NMI to APIC ID 0, itself
	APIC_WRITE APIC_ICR, 0x4400
	ret

wait_for_all:
	mov r8d, 1000
.next:
	push rbx
	xor eax, eax
	cpuid				; a hypervisor has a look then
	pop rbx
	cmp dword [left], 0
	je .done
	dec r8d
	jnz .next
	FAIL "an NMI was lost"
.done:
	ret

nmi:
	push rax
	push rcx
	lea rax, [nmi]			; nothing of it, which is last, may be what was interrupted
	cmp [rsp + 16], rax
	jae .nested
	dec dword [left]
	jz .done
	APIC_WRITE APIC_ICR, 0x4400
.done:
	pop rcx
	pop rax
	iretq
.nested:
	FAIL "an NMI came before the IRET of the one before"

	align 8
left	dq 0
