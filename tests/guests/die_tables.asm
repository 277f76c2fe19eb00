; run: @0x100000:64
; prints: died: the guest's page tables lead to 0x50000000, where there is no RAM for them
; prints: code:
; status: 3
; A page directory's entry points beyond RAM: no PC has a page table there.

%include "lib.inc"

main:
	mov rax, cr3
	and rax, -4096
	mov rax, [rax]			; the tables of the first GiB
	and rax, -4096
	mov rax, [rax]
	and rax, -4096
	mov rbx, 0x50000003
	mov [rax + 8 * 8], rbx		; for 16 MiB
	invlpg [0x1000000]
	mov dword [0x1000000], 1
	FAIL "still here"
