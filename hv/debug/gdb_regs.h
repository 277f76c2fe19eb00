/* The registers that GDB sees, by number; the target description that names them (GDB manual, appendix G). */
#pragma once

#include "debug/gdb_packet.h"
#include "vm/vcpu.h"

/* Which set: 64-bit registers or 32-bit ones; code of 16 bits shows in the architecture's name only. */
struct gdb_target {
	bool wide;
	unsigned code_bits;
};

/* Bytes of register n, 0 when there is none of that number. */
unsigned gdb_reg_size(const struct gdb_target *t, unsigned n);

/* Puts register n of s, which exists, as GDB has it, little-endian hexadecimal; 'x' for what is not there.
 * Outside 64-bit code the program counter is the linear address, so that breakpoints and disassembly fit. */
void gdb_reg_put(const struct gdb_target *t, const struct cpu_state *s, unsigned n, struct gdb_text *out);

/* Reads register n, which exists, at *hex. False: no digits, or not to be written (segments, x87). */
bool gdb_reg_set(const struct gdb_target *t, struct cpu_state *s, unsigned n, const char **hex);

/* Puts the description's text. */
void gdb_target_xml(const struct gdb_target *t, struct gdb_text *out);
