; Puts a flat guest on a disk that starts it on a bare PC, with the state that pxHV's loader gives: so a
; guest can be shown to be right (and timed) without the hypervisor.
;
;	nasm -f bin -DGUEST='"hello64.bin"' -DADDR=0x100000 -DBITS=64 tests/guests/bare.asm -o disk.img
;	qemu-system-x86_64 -drive file=disk.img,format=raw -device isa-debug-exit,iobase=0xf4 -serial stdio

%include "pxhv.inc"

STAGING		equ 0x10000		; where the BIOS reads the guest to
PAGE_TABLES	equ 0x91000		; as in hv/load/layout.h
BOOT_INFO	equ 0x98000
MEMORY_MAP	equ 0x98800

	bits 16
	org 0x600
start:
	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x600
	cld
	mov si, 0x7C00			; out of the way of a guest that wants to be there
	mov di, 0x600
	mov cx, 256
	rep movsw
	jmp 0:.moved
.moved:
	mov si, packet
	mov ah, 0x42
	int 0x13
	cli
	mov al, 0xFF			; the 8259s as after a reset: nothing comes
	out 0x21, al
	out 0xA1, al

%if BITS == 16
	mov si, STAGING >> 4
	mov ds, si
	xor si, si
	mov di, ADDR
	mov cx, guest_end - guest
	rep movsb
	mov ds, cx
	mov sp, ADDR
	mov dx, 0x80
	jmp 0:ADDR
%else
	mov bx, BOOT_INFO >> 4
	mov es, bx
	xor di, di
	xor ax, ax
	mov cx, 0x1000
	rep stosb
	mov di, MEMORY_MAP - BOOT_INFO	; E820 into the boot information, 24 bytes an entry
	xor ebx, ebx
.e820:
	mov eax, 0xE820
	mov edx, 0x534D4150
	mov ecx, 20
	int 0x15
	jc .e820_done
	add di, 24
	inc dword [es:28]
	test ebx, ebx
	jnz .e820
.e820_done:
	cli
	mov dword [es:0], PXHV_BOOT_MAGIC
	mov dword [es:4], 1
	mov dword [es:16], BOOT_INFO + 0xFFC
	mov dword [es:32], MEMORY_MAP

	in al, 0x92			; A20
	or al, 2
	out 0x92, al

	mov bx, PAGE_TABLES >> 4
	mov es, bx
	xor di, di
	xor ax, ax
	mov cx, 0x2000
	rep stosb
	mov dword [es:0], PAGE_TABLES + 0x1003
	mov di, 0x1000
	mov eax, PAGE_TABLES + 0x2003
	mov cx, 4
.directory:
	stosd
	add di, 4
	add eax, 0x1000
	loop .directory
	mov di, 0x2000
	mov eax, 0x83
.page:
	stosd
	mov dword [es:di], 0
	add di, 4
	add eax, 0x200000
	jnc .page

	lgdt [gdt_pointer]
	mov eax, 0x20			; PAE
	mov cr4, eax
	mov eax, PAGE_TABLES
	mov cr3, eax
	mov ecx, 0xC0000080		; EFER
	xor edx, edx
	mov eax, 0x100			; LME
	wrmsr
	mov eax, 0x80000031		; PG, NE, ET, PE
	mov cr0, eax
	jmp 0x10:long_mode

	bits 64
long_mode:
	mov eax, 0x18
	mov ds, eax
	mov es, eax
	mov ss, eax
	mov fs, eax
	mov gs, eax
	mov eax, 0x20
	ltr ax
	lidt [no_idt]
	mov esi, STAGING
	mov edi, ADDR
	mov ecx, guest_end - guest
	rep movsb
	mov esp, 0x9FFF8
	mov qword [rsp], 0
	mov edi, BOOT_INFO
	mov eax, ADDR
	jmp rax

	align 8
gdt:	dq 0, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x0000890000000067, 0
gdt_pointer:
	dw $ - gdt - 1
	dq gdt
no_idt:	dw 0
	dq 0
%endif

packet:	db 16, 0
	dw (guest_end - guest + 511) / 512
	dw 0, STAGING >> 4
	dq 1

	times 510 - ($ - $$) db 0
	dw 0xAA55
guest:
	incbin GUEST
guest_end:
	times 65536 - ($ - $$) db 0	; a disk that emulators take
