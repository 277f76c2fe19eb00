/* The PC's two 8259s, which pxHV only turns off. */
#pragma once

/* Moves their vectors away from the exceptions and masks all of their lines: from here on the BIOS gets no
 * interrupts, so no BIOS call may follow. */
void pic_disable(void);
