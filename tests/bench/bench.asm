; The bench guest: what each way out of the guest and back costs, in TSC ticks. Prints "bench NAME TICKS" lines.
; Each figure is the least of BATCHES batches of COUNT rounds, less the same loop without the instruction.

%include "lib.inc"
%include "pxhv.inc"

COUNT		equ 20
BATCHES		equ 50
VECTOR		equ 0x50
IOAPIC		equ 0xFEC00000
VIRTIO		equ 0xD0000000		; the first disk, where there is one
QUEUE		equ 0x2000000		; its descriptors; available ring, used ring, header and status a page each behind
DATA		equ 0x2010000
VIRTIO_PIN	equ 16
PAGES		equ 0x400000		; untouched memory: COUNT * BATCHES pages

; RAX = ticks of the fastest batch of {%1, %2} rounds.
%macro FASTEST 2
	mov r12, -1
	mov r13d, BATCHES
	align 16
%%batch:
	mov r14d, COUNT
	call read_tsc
	mov r15, rax
%%round:
	%1
	%2
	dec r14d
	jnz %%round
	call read_tsc
	sub rax, r15
	cmp rax, r12
	cmovb r12, rax
	dec r13d
	jnz %%batch
	mov rax, r12
%endmacro

%macro BENCH 3				; BENCH name, {preparation, not counted}, {what is measured}; RAX is changed
	FASTEST {%2}, {}
	mov rbp, rax
	FASTEST {%2}, {%3}
	sub rax, rbp
	PRINT "bench ", %1, " "
	call per_round
%endmacro

%macro HYPERCALL_NUMBER 0
	mov eax, PXHV_HC_NOP
%endmacro

%macro DEADLINE_FAR 0
	mov ecx, MSR_TSC_DEADLINE
	mov edx, 0x7FFFFFFF
%endmacro

%macro SELF_IPI 0
	mov ecx, 0x83F
	mov eax, VECTOR
	wrmsr
%endmacro

%macro VIRTIO_REQUEST 0
	inc word [abs QUEUE + 0x1002]
	mov dword [rdx + 0x50], 0
%endmacro

per_round:				; prints RAX / COUNT, rounded
	push rdx
	push rcx
	add rax, COUNT / 2
	xor edx, edx
	mov ecx, COUNT
	div rcx
	call putdec
	SAY " "
	pop rcx
	pop rdx
	ret

main:
	call apic_init
	mov byte [x2apic], 0
	mov al, 0xFF			; only the APIC's interrupts
	out 0x21, al
	out 0xA1, al

	BENCH "cpuid", {xor eax, eax}, {cpuid}

	xor eax, eax
	cpuid
	cmp ebx, "Auth"
	je .amd
	TRY vmcall
	cmp qword [vector], -1		; nobody there
	jne .no_hypercall
	BENCH "hypercall", {HYPERCALL_NUMBER}, {vmcall}
	jmp .no_hypercall
.amd:
	TRY vmmcall
	cmp qword [vector], -1
	jne .no_hypercall
	BENCH "hypercall", {HYPERCALL_NUMBER}, {vmmcall}
.no_hypercall:

	mov ecx, MSR_APIC_BASE
	BENCH "rdmsr_apic_base", {}, {rdmsr}

	mov eax, 1
	cpuid
	shr ecx, 24
	and ecx, 1
	mov [has_deadline], cl
	jz .no_deadline
	APIC_WRITE APIC_LVT_TIMER, LVT_DEADLINE | LVT_MASKED | VECTOR
	BENCH "wrmsr_tsc_deadline", {DEADLINE_FAR}, {wrmsr}
	mov ecx, MSR_TSC_DEADLINE
	xor eax, eax
	xor edx, edx
	wrmsr
.no_deadline:

	BENCH "out_pic", {mov al, 0xFF}, {out 0x21, al}
	BENCH "in_pic", {}, {in al, 0x21}
	mov dx, COM1 + 7
	BENCH "out_uart", {}, {out dx, al}
	BENCH "in_uart", {}, {in al, dx}
	mov dx, 0x2E9
	BENCH "in_unclaimed", {}, {in al, dx}

	mov ebx, IOAPIC
	BENCH "ioapic_write", {xor eax, eax}, {mov [rbx], eax}
	BENCH "ioapic_read", {}, {mov eax, [rbx + 0x10]}
	mov ebx, APIC
	BENCH "xapic_eoi", {xor eax, eax}, {mov [rbx + APIC_EOI], eax}

	mov edi, PAGES
	FASTEST {add rdi, 4096}, {}
	mov rbp, rax
	mov edi, PAGES
	FASTEST {add rdi, 4096}, {mov [rdi], al}
	sub rax, rbp
	PRINT "bench page_touch "
	call per_round

	GATE VECTOR, timer_isr
	call hlt_lateness

	mov ebx, VIRTIO
	cmp dword [rbx], "virt"
	jne .no_disk
	call virtio_start
	sti
	BENCH "virtio_read_4k", {mov edx, VIRTIO}, {VIRTIO_REQUEST}
	mov dword [abs QUEUE + 24], 1 << 20
	BENCH "virtio_read_1m", {mov edx, VIRTIO}, {VIRTIO_REQUEST}
	cli
.no_disk:

	call x2apic_enable
	jc .done
	GATE VECTOR, eoi_isr
	sti
	xor edx, edx
	BENCH "x2apic_self_ipi", {}, {SELF_IPI}
	cli
.done:
	SAY "bench done"
	ret

; The least that a driver does (virtio 1.2 §3.1.1), and a read of 4096 bytes in descriptors 0 to 2.
virtio_start:
	mov edi, QUEUE
	xor eax, eax
	mov ecx, 0x5000 / 4
	rep stosd
	mov esi, .writes
.next:
	lodsd
	mov ebx, eax
	lodsd
	mov [rbx], eax
	cmp esi, .writes_end
	jb .next
	GATE VECTOR, virtio_isr
	ret

	align 4
.writes	dd VIRTIO + 0x70, 3, VIRTIO + 0x24, 1, VIRTIO + 0x20, 1, VIRTIO + 0x70, 11
	dd VIRTIO + 0x38, 8, VIRTIO + 0x80, QUEUE, VIRTIO + 0x90, QUEUE + 0x1000, VIRTIO + 0xA0, QUEUE + 0x2000
	dd QUEUE, QUEUE + 0x3000, QUEUE + 8, 16, QUEUE + 12, 1 << 16 | 1
	dd QUEUE + 16, DATA, QUEUE + 24, 4096, QUEUE + 28, 2 << 16 | 3
	dd QUEUE + 32, QUEUE + 0x4000, QUEUE + 40, 1, QUEUE + 44, 2
	dd VIRTIO + 0x44, 1, VIRTIO + 0x70, 15
	dd IOAPIC, 0x11 + 2 * VIRTIO_PIN, IOAPIC + 0x10, 0, IOAPIC, 0x10 + 2 * VIRTIO_PIN, IOAPIC + 0x10, VECTOR
.writes_end:

virtio_isr:				; xAPIC
	mov eax, VIRTIO
	mov dword [rax + 0x64], 1
	mov eax, APIC + APIC_EOI
	mov dword [rax], 0
	iretq

eoi_isr:				; x2APIC
	mov ecx, 0x80B
	xor eax, eax
	wrmsr
	iretq

timer_isr:				; xAPIC
	call read_tsc
	mov [woken], rax
	mov eax, APIC + APIC_EOI
	mov dword [rax], 0
	iretq

; How many ticks after its deadline the timer wakes a halted CPU: the least of BATCHES times.
hlt_lateness:
	mov r12, -1
	mov r13d, BATCHES
	cmp byte [has_deadline], 0
	je .one_shot
	APIC_WRITE APIC_LVT_TIMER, LVT_DEADLINE | VECTOR
.deadline:
	call read_tsc
	lea rbx, [rax + 100000]
	mov eax, ebx
	mov rdx, rbx
	shr rdx, 32
	mov ecx, MSR_TSC_DEADLINE
	wrmsr
	call .sleep
	jnz .deadline
	jmp .print

.one_shot:				; no such timer: count down, at a rate measured first
	APIC_WRITE APIC_TIMER_DIV, 0xB	; divide by 1
	APIC_WRITE APIC_LVT_TIMER, LVT_MASKED | VECTOR
	APIC_WRITE APIC_TIMER_INIT, 0xFFFFFFFF
	call read_tsc
	lea rbx, [rax + 1000000]
.spin:
	call read_tsc
	cmp rax, rbx
	jb .spin
	APIC_READ APIC_TIMER_NOW
	not eax
	mov r14d, eax			; counts in 1,000,000 ticks
	APIC_WRITE APIC_LVT_TIMER, VECTOR
.count:
	mov eax, r14d			; a tenth of that
	xor edx, edx
	mov ecx, 10
	div ecx
	mov ebx, eax
	APIC_WRITE APIC_TIMER_INIT, ebx
	call read_tsc
	lea rbx, [rax + 100000]
	call .sleep
	jnz .count
.print:
	PRINT "bench hlt_lateness "
	mov rax, r12
	call putdec
	SAY " "
	ret

.sleep:					; RBX = deadline; zero flag after the last time
	sti
	hlt
	cli
	mov rax, [woken]
	sub rax, rbx
	jc .early			; the rate was rounded
	cmp rax, r12
	cmovb r12, rax
.early:
	dec r13d
	ret

woken		dq 0
has_deadline	db 0
