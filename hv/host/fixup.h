/* Instructions that are allowed to fault: each names the address where to go on. */
#pragma once

#include "lib/types.h"

/* In an asm statement: should the instruction at label "at" fault, execution goes on at label "to" with all
 * registers unchanged. */
#define FIXUP(at, to) ".pushsection .fixup, \"a\"\n\t.long " #at ", " #to "\n\t.popsection\n\t"

/* Where to go on after a fault at rip, or 0. */
u64 fixup_find(u64 rip);
