/* GDB on a guest: a remote stub on the PC's second serial port. */
#pragma once

struct vm;

/* Hooks GDB to vm, which stops before its first instruction and waits for a connection; after a reboot GDB
 * sees it stop there again. */
void gdb_attach(struct vm *vm);

/* Tells GDB that vm has ended. When it has died GDB may look around before this returns. */
void gdb_vm_ended(struct vm *vm);

/* Left out by WITHOUT=gdb; then no config asks for it. */
#pragma weak gdb_attach
#pragma weak gdb_vm_ended
