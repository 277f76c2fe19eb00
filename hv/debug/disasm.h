/* The text of one instruction. */
#pragma once

#include "lib/types.h"

/* Writes the instruction at bytes, of which avail are there, as code of bits 16, 32 or 64 that runs at rip,
 * in Intel's syntax into buf; returns its length in bytes. What has no name here is its opcode in brackets;
 * of what cannot be decoded it is "(bad)", one byte long. */
unsigned disassemble(const u8 *bytes, size_t avail, unsigned bits, u64 rip, char *buf, size_t size);

/* Left out by WITHOUT=disasm. */
#pragma weak disassemble
