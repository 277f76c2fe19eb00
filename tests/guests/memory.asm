; run: @0x100000:64
; prints: memory ok
; status: 0
; The guest's memory: what the boot information says is there, keeps what is written; around the VGA window and
; at the very end too; behind it there is nothing.

%include "lib.inc"
%include "pxhv.inc"

main:
	mov rbx, [boot_info]
	mov eax, [rbx]
	EXPECT rax, PXHV_BOOT_MAGIC, "boot information"
	mov ecx, [rbx + 28]		; memory_count
	mov rsi, [rbx + 32]		; memory
	test ecx, ecx
	jz .no_map
	xor r8d, r8d			; the end of the highest RAM below 3 GiB
.entry:
	cmp dword [rsi + 16], 1
	jne .next
	mov rax, [rsi]
	add rax, [rsi + 8]
	mov edx, 0xC0000000
	cmp rax, rdx
	ja .next
	cmp rax, r8
	cmova r8, rax
.next:
	add rsi, 24
	dec ecx
	jnz .entry
	cmp r8, 0x200000
	jb .no_map

	mov edi, 0x9F000		; low memory up to 640 KiB, the VGA text window
	call probe
	mov edi, 0xB8000
	call probe
	mov edi, 0x1FF000
	call probe
	lea rdi, [r8 - 4096]		; the last page
	call probe
	mov rax, 0x1122334455667788
	mov [r8 - 8], rax		; its last bytes
	EXPECT [r8 - 8], rax, "the last 8 bytes"

	; Every page there is: its address in it, and read back afterwards.
	mov edi, 0x200000
.fill:
	mov [rdi + 64], rdi
	add rdi, 4096
	cmp rdi, r8
	jb .fill
	mov edi, 0x200000
.check:
	cmp [rdi + 64], rdi
	jne .lost
	add rdi, 4096
	cmp rdi, r8
	jb .check

	mov edi, 0xE0000000		; no RAM there in any guest
	mov eax, [rdi]
	EXPECT rax, 0xFFFFFFFF, "outside memory"
	SAY "memory ok"
	ret
.no_map:
	FAIL "no memory map"
.lost:
	mov rax, rdi
	call puthex
	FAIL "page does not keep what is written"

probe:					; the page at RDI, all its bytes; what was there is put back
	mov ecx, 512
.next:
	mov rax, [rdi + rcx * 8 - 8]
	not qword [rdi + rcx * 8 - 8]
	mov rbx, [rdi + rcx * 8 - 8]
	not rbx
	mov [rdi + rcx * 8 - 8], rbx
	EXPECT rbx, rax, "memory"
	dec ecx
	jnz .next
	ret
