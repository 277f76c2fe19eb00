/* Between the disassembler's two halves: names (disasm_names.c), and how they are written out (disasm.c). */
#pragma once

#include "vm/decode.h"

/* In the text {a,b,..} chooses by ModRM.reg, <a,b,..> by the opcode less the first,
 * (a,b,c) by the operand size 2, 4, 8, & among CC, @ among SHIFTS, ^ among ALU; and behind the blank that
 * ends the name stand operands: E rm, 8 6 4 its byte, word and dword forms, M memory without a size, G reg, Z
 * register of the opcode, T DX, A accumulator, U CL, 1 itself, I immediate, P W unsigned byte and word, J
 * branch target, O offset, X far pointer, S C D segment, control, debug register. */
#define ALU    "{add,or,adc,sbb,and,sub,xor,cmp}"
#define CC     "<o,no,b,nb,z,nz,be,a,s,ns,p,np,l,ge,le,g>"
#define SHIFTS "{rol,ror,rcl,rcr,shl,shr,sal,sar}"

/* The text for i's opcode, which is *n behind its table entry's first; NULL for none. */
const char *disasm_text(const struct insn *i, unsigned *n);
