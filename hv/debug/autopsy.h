/* What is left to say of a VM that died. */
#pragma once

struct vm;

/* Prints the last exits of the vcpu of this CPU, if there is one: part of a panic too. Its trace ends
 * with them. */
void exit_ring_dump(void);

/* Prints the reason, registers, code bytes at RIP and the last exits of vm's vcpu 0. */
void autopsy(struct vm *vm);
