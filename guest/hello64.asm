; A guest in long mode: asks the CPU who it is and who runs it, asks the clock chip for the time, and tells
; it on the first serial port.
;
;	tools/pxhv run --flat build/guest/hello64.bin@0x100000:64

%include "pxhv.inc"

COM1		equ 0x3F8
RTC		equ 0x70
DEBUG_EXIT	equ 0xF4		; ends the run with the value written

	bits 64
	default rel			; runs at any address

	mov dx, COM1 + 3		; line control: 8 data bits, no parity, 1 stop bit
	mov al, 3
	out dx, al
	lea rsi, [hello]
	call print

	xor eax, eax			; CPUID leaf 0: the vendor, in EBX, EDX, ECX
	cpuid
	mov [text], ebx
	mov [text + 4], edx
	mov [text + 8], ecx
	lea rsi, [vendor]
	call print_with_text

	mov eax, PXHV_CPUID_SIGNATURE	; the hypervisor's, in EBX, ECX, EDX
	cpuid
	mov [text], ebx
	mov [text + 4], ecx
	mov [text + 8], edx
	lea rsi, [hypervisor]
	call print_with_text

	mov dword [text], "  :"		; hours and minutes are two BCD digits each
	mov dword [text + 4], 0
	mov dword [text + 8], 0
	mov al, 4			; register 4: hours
	lea rdi, [text]
	call read_clock
	mov al, 2			; register 2: minutes
	lea rdi, [text + 3]
	call read_clock
	lea rsi, [clock]
	call print_with_text

	xor eax, eax
	out DEBUG_EXIT, al
	cli
.halt:
	hlt				; for machines without that port
	jmp .halt

; Writes the two BCD digits of clock register AL to [RDI].
read_clock:
	out RTC, al
	in al, RTC + 1
	mov ah, al
	shr al, 4
	and ah, 0x0F
	add ax, "00"
	mov [rdi], ax
	ret

; Prints the string at RSI, then text and a new line.
print_with_text:
	call print
	lea rsi, [text]
	call print
	lea rsi, [newline]

; Prints the string at RSI.
print:
	lodsb
	test al, al
	jz .done
	mov ah, al
	mov dx, COM1 + 5		; line status
.wait:
	in al, dx
	test al, 0x20			; can it take a character?
	jz .wait
	mov dx, COM1
	mov al, ah
	out dx, al
	jmp print
.done:
	ret

hello		db "Hello from long mode"
newline		db 13, 10, 0
vendor		db "CPU vendor:  ", 0
hypervisor	db "Hypervisor:  ", 0
clock		db "Time (UTC):  ", 0
text		times 13 db 0
