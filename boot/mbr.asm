; The boot sector: loads stage 2, with the hypervisor in it, from LBA 1 on to 0x10000 and jumps there.
; Whatever goes wrong ends in a sentence on the screen and on COM1.
%include "header.inc"

	bits	16
	org	0x7C00

	jmp	short start
	nop
	times	90 - ($ - $$) db 0	; BIOSes take this for a BPB and write into it

%include "print.inc"

start:
	xor	ax, ax
	mov	ss, ax
	mov	sp, ax			; wraps: the stack is below 0x10000
	mov	ds, ax
	jmp	0:.cs_fixed		; some BIOSes come with 07C0:0000
.cs_fixed:
	sti
	cld
	push	dx
	uart_init
	pop	dx
	mov	si, banner
	call	puts

load:
	mov	di, STAGE2_LBA		; DI = next sector, DL = drive, both all along
.piece:
	imul	bx, di, 512 / 16
	add	bx, STAGE2_SEG - STAGE2_LBA * (512 / 16)
	mov	es, bx			; ES:0 = where it goes
	lea	bp, [di - STAGE2_LBA]
	or	bp, -64
	neg	bp			; BP = sectors up to the next 32 KiB: crosses no 64 KiB

	pusha
	mov	ah, 0x41		; EDD: no carry, BX turned round, bit 0 of CX for the LBA calls
	mov	bx, 0x55AA
	int	0x13
	jc	.chs
	cmp	bx, 0xAA55
	jne	.chs
	shr	cx, 1
	jnc	.chs
	popa
	push	dword 0			; the disk address packet, backwards: LBA, (few enough of them that
	push	0			; nobody takes them from the stack again)
	push	di
	push	es			; buffer,
	push	0
	push	bp			; count,
	push	16			; size of all this
	mov	si, sp
	mov	ah, 0x42
	jmp	.read

.no_geometry:
	pop	dx
.no_read:
	mov	si, no_read
.failed:
	cmp	dl, 0x80
	mov	dl, 0x80		; BIOSes were seen to hand over a wrong drive: before giving up, look
	jne	load			; at the first disk
	call	puts
.wait:
	hlt
	jmp	.wait

.chs:
	popa
	push	dx
	push	es
	push	di
	xor	di, di			; ES:DI = 0:0 for BIOSes that trip over AH=08h otherwise
	mov	es, di
	mov	ah, 0x08		; geometry: CL sectors a track, DH the last head
	int	0x13
	movzx	bx, dh
	pop	di
	pop	es
	jc	.no_geometry
	inc	bx
	and	cx, 0x3F
	jz	.no_geometry
	xor	dx, dx
	mov	ax, di
	div	cx			; AX = track, DX = sector in it
	sub	cx, dx
	cmp	cx, bp			; a piece ends with its track, too
	ja	.short
	mov	bp, cx
.short:
	mov	cx, dx
	inc	cx			; sectors count from 1
	xor	dx, dx
	div	bx			; AX = cylinder, DX = head
	mov	ch, al
	pop	ax
	mov	ah, dl
	xchg	ax, dx			; DL = drive, DH = head
	mov	ax, bp
	mov	ah, 0x02
	xor	bx, bx

.read:
	pusha				; BIOSes keep no promise about registers
	int	0x13
	popa
	jnc	.done
	pusha
	xor	ax, ax			; reset
	int	0x13
	popa
	shr	byte [tries], 1
	jnz	.piece			; all anew: a failed EDD call has changed its packet's count
	jmp	.no_read
.done:
	add	di, bp
	mov	si, no_stage2
	push	STAGE2_SEG
	pop	es
	cmp	dword [es:HDR_MAGIC], STAGE2_MAGIC
	jne	.failed
	cmp	di, [es:HDR_SECTORS]	; the last sector's LBA
	jbe	.piece
	jmp	STAGE2_SEG:0

tries:	db	1 << 3			; failures that are tolerated: three. The first disk, if it comes
					; second, gets none
banner:	db	"pxHV: Pixel Hypervisor v0.1", 13, 10, 0
no_read:
	db	"Cannot read the boot disk", 0
no_stage2:
	db	"Stage 2 is missing or damaged", 0

%assign length $ - $$
%if length > 440
%error the boot sector has length bytes
%endif
	times	510 - ($ - $$) db 0	; signature and partition table are the image builder's
	dw	0xAA55
