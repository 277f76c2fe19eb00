; Stage 2: from the boot sector's real mode to C in long mode. It is the front of the image at 0x10000, so
; that 16-bit code reaches all of its section through segment 0x1000.
%include "header.inc"

%define REAL(label) ((label) - stage2_start)	; its offset in segment STAGE2_SEG

REAL_STACK	equ 0x7C00		; SP in segment 0, also for calls of the BIOS

	extern	__image_sectors, __bss_start, __bss_end
	extern	e820_read, hv_main
	global	stage2_start, boot_drive, boot_tsc, boot_stack, boot_stack_top

	section	.boot16 progbits alloc exec nowrite align=16
	bits	16
stage2_start:
	jmp	short start
	dw	__image_sectors
	dd	STAGE2_MAGIC

; Written here, before paging makes text read-only.
boot_tsc:
	dq	0
boot_drive:
	db	0

start:
	xor	ax, ax
	mov	ss, ax
	mov	sp, REAL_STACK
	push	cs
	pop	ds
	cld
	mov	[REAL(boot_drive)], dl
	call	cpu_check
	rdtsc
	mov	[REAL(boot_tsc)], eax
	mov	[REAL(boot_tsc) + 4], edx
	call	a20_enable

	; .bss by pieces of 4 KiB; the last one may reach into the BIOS buffer behind it.
	mov	ebx, __bss_start
	shr	ebx, 4
	mov	edx, __bss_end
	shr	edx, 4
	xor	eax, eax
.clear:
	mov	es, bx
	xor	di, di
	mov	cx, 4096 / 4
	rep	stosd
	add	bx, 4096 / 16
	cmp	bx, dx
	jb	.clear

	; Page tables: PML4, PDPT and four page directories that map 4 GiB by 2 MiB pages.
	mov	eax, boot_pml4
	mov	ebx, eax
	shr	ebx, 4
	mov	es, bx
	add	eax, 0x1003		; present, writable
	mov	[es:0], eax
	mov	di, 0x1000
.pdpt:
	add	eax, 0x1000
	mov	[es:di], eax
	add	di, 8
	cmp	di, 0x1000 + 4 * 8
	jb	.pdpt
	mov	di, 0x2000
	mov	eax, 0x83		; present, writable, large
.pd:
	mov	[es:di], eax
	add	di, 8
	add	eax, 0x200000
	cmp	di, 0x6000
	jb	.pd

	mov	ebx, .long
	jmp	to_long
	bits	64
.long:
	mov	esp, boot_stack_top
	xor	ebp, ebp		; where backtraces end
	call	e820_read
	call	hv_main
.halt:
	hlt
	jmp	.halt

	bits	16
%include "print.inc"
%include "cpu.inc"
%include "a20.inc"
%include "modes.inc"
%include "bios_call.inc"

	section	.bss
	alignb	4096
boot_pml4:
	resb	6 * 4096
boot_stack:
	resb	16384
boot_stack_top:
