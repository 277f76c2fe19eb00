; run: @0x7C00:16
; prints: real
; prints: unreal
; prints: protected
; prints: paging
; prints: PAE
; prints: long
; prints: compatibility
; prints: protected again
; prints: real again
; status: 0
; Through every mode of the CPU and back: CR0.PE, CR0.PG, CR4.PSE, CR4.PAE and EFER.LME in all the orders
; that systems use. In each mode the routine under it prints from the same string through the mode's own addressing.

%include "lib16.inc"
%include "lib32.inc"

TABLES	equ 0x10000			; page tables, from here up
PDE32	equ TABLES			; 32-bit page directory, 4 MiB pages
PDPT	equ TABLES + 0x1000
PD	equ TABLES + 0x2000
PML4	equ TABLES + 0x3000
EFER	equ 0xC0000080
CODE16	equ 0x08
CODE32	equ 0x10
DATA	equ 0x18
CODE64	equ 0x20
DATA16	equ 0x28

main:
	mov sp, 0x7C00
	SAY "real"
	call make_tables
	lgdt [gdt_pointer]

	; Big segments in real mode: the limit stays when PE is cleared again.
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp short $ + 2
	mov bx, DATA
	mov es, bx
	and al, 0xFE
	mov cr0, eax
	jmp 0:.unreal
.unreal:
	mov edi, 0x180000
	mov dword [es:edi], 0x12345678
	cmp dword [es:edi], 0x12345678
	jne .bad
	xor bx, bx
	mov es, bx
	SAY "unreal"
	jmp protected
.bad:
	FAIL "a 4 GiB segment did not survive in real mode"

make_tables:
	mov bx, TABLES >> 4
	mov es, bx
	xor di, di
	xor eax, eax
	mov cx, 0x4000 / 4
	rep stosd
	mov dword [es:PDE32 - TABLES], 0x83		; 4 MiB, identity
	mov dword [es:PDE32 - TABLES + 4], 0x83		; and the same again above it
	mov dword [es:PDPT - TABLES], PD + 1
	mov dword [es:PD - TABLES], 0x83
	mov dword [es:PD - TABLES + 8], 0x83		; 2 MiB pages: the second is the first too
	mov dword [es:PML4 - TABLES], PDPT + 3
	xor bx, bx
	mov es, bx
	ret

protected:
	GO_PROTECTED
	mov esp, 0x7C00
	SAY32 "protected"

	mov eax, cr4			; 32-bit paging with 4 MiB pages
	or eax, 0x10
	mov cr4, eax
	mov eax, PDE32
	mov cr3, eax
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	mov esi, 0x400000 + aliased
	cmp dword [esi], "same"
	jne bad
	SAY32 "paging"

	mov eax, cr0			; off; then PAE
	and eax, 0x7FFFFFFF
	mov cr0, eax
	mov eax, 0x20
	mov cr4, eax
	mov eax, PDPT
	mov cr3, eax
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	mov esi, 0x200000 + aliased
	cmp dword [esi], "same"
	jne bad
	SAY32 "PAE"

	mov eax, cr0			; off; then long mode
	and eax, 0x7FFFFFFF
	mov cr0, eax
	mov dword [PDPT], PD + 3	; bit 1 is reserved in a PAE one
	mov eax, PML4
	mov cr3, eax
	mov ecx, EFER
	rdmsr
	or eax, 0x100
	wrmsr
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	rdmsr
	test eax, 0x400			; LMA follows
	jz bad
	jmp CODE64:long_mode

bad:
	SAY32 "FAIL"
	mov al, 1
	out DEBUG_EXIT, al
	hlt

	bits 64
long_mode:
	mov rax, 0x123456789ABCDEF0	; 64 bits are there
	shr rax, 32
	cmp eax, 0x12345678
	jne bad
	mov rsi, 0x200000 + aliased
	cmp dword [rsi], "same"
	jne bad
	SAY32 "long"
	mov rsp, 0x7C00
	push qword CODE32		; to compatibility mode
	push qword compatibility
	db 0x48				; REX.W: a 64-bit far return
	retf

	bits 32
compatibility:
	SAY32 "compatibility"
	mov eax, cr0			; leave long mode: paging off, LME off
	and eax, 0x7FFFFFFF
	mov cr0, eax
	mov ecx, EFER
	rdmsr
	test eax, 0x400
	jnz bad
	and eax, ~0x100
	wrmsr
	xor eax, eax
	mov cr4, eax
	SAY32 "protected again"
	jmp CODE16:.leave

	bits 16
.leave:
	mov ax, DATA16
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov eax, cr0
	and al, 0xFE
	mov cr0, eax
	jmp 0:real
real:
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7C00
	SAY "real again"
	EXIT 0

	align 8
aliased	db "same"
	align 8
gdt:	dq 0
	dq 0x00009B000000FFFF		; 16-bit code
	dq 0x00CF9B000000FFFF		; 32-bit code
	dq 0x00CF93000000FFFF		; data
	dq 0x00AF9B000000FFFF		; 64-bit code
	dq 0x000093000000FFFF		; 16-bit data
gdt_pointer:
	dw $ - gdt - 1
	dd gdt
