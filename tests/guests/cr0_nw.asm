; CR0.NW without CR0.CD, which CPUs refuse with #GP and QEMU takes (tests/system/test_guests.py).

%include "lib.inc"

main:
	mov rax, cr0
	bts rax, 29
	TRY mov cr0, rax
	EXPECT [vector], 13, "CR0.NW without CR0.CD"
	SAY "refused"
	ret
