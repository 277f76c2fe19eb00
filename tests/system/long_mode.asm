; A Multiboot kernel that enters long mode by itself: EFER.LME is set while paging is off.

	org 0x100000
MAGIC	equ 0x1BADB002
FLAGS	equ 0x10000			; the addresses are below
TABLES	equ 0x200000
EFER	equ 0xC0000080

	bits 32
header:	dd MAGIC, FLAGS, -(MAGIC + FLAGS), header, header, 0, 0, start

start:
	mov esp, header
	mov dword [TABLES], TABLES + 0x1003
	mov dword [TABLES + 0x1000], TABLES + 0x2003
	mov dword [TABLES + 0x2000], 0x83
	mov eax, cr4
	or al, 1 << 5			; PAE
	mov cr4, eax
	mov eax, TABLES
	mov cr3, eax
	mov ecx, EFER
	rdmsr
	or ah, 1			; LME
	wrmsr
	rdmsr				; reads as written, LMA still 0
	and ah, 5
	cmp ah, 1
	jne end
	mov eax, cr0
	bts eax, 31			; PG
	mov cr0, eax
	lgdt [gdt_pointer]
	jmp 8:in_long_mode

	bits 64
in_long_mode:
	rdmsr
	shr eax, 10			; LMA
	and eax, 1
	add eax, 41
end:
	out 0xF4, al
	hlt

	align 8
gdt:	dq 0, 0x00AF9B000000FFFF
gdt_pointer:
	dw $ - gdt - 1
	dd gdt
