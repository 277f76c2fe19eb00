/* BIOS calls by their registers. */
#include "boot/boot.h"

const struct bios_regs *bios(u8 intno, u32 eax, u32 ebx, u32 ecx, u32 edx, u16 es)
{
	static struct bios_regs r;

	r = (struct bios_regs){.eax = eax,
			       .ebx = ebx,
			       .ecx = ecx,
			       .edx = edx,
			       .esi = BIOS_PACKET - BIOS_BUFFER,
			       .ds = BIOS_BUFFER_SEG,
			       .es = es};
	bios_call(intno, &r);
	return &r;
}
