#include "host/fixup.h"

#include "host/cpu.h"
#include "lib/errno.h"

struct fixup {
	u32 at, to;
};

extern const struct fixup __fixup_start[], __fixup_end[]; /* linker.ld */

u64 fixup_find(u64 rip)
{
	for (const struct fixup *f = __fixup_start; f < __fixup_end; f++)
		if (f->at == rip)
			return f->to;
	return 0;
}

int rdmsr_safe(u32 msr, u64 *val)
{
	int err = -EFAULT;
	u32 lo = 0, hi = 0;

	__asm__ volatile("1:\trdmsr\n\t"
			 "xor %0, %0\n"
			 "2:\t" FIXUP(1b, 2b)
			 : "+r"(err), "+a"(lo), "+d"(hi)
			 : "c"(msr)
			 : "cc");
	*val = (u64)hi << 32 | lo;
	return err;
}

int wrmsr_safe(u32 msr, u64 val)
{
	int err = -EFAULT;

	__asm__ volatile("1:\twrmsr\n\t"
			 "xor %0, %0\n"
			 "2:\t" FIXUP(1b, 2b)
			 : "+r"(err)
			 : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32))
			 : "cc", "memory");
	return err;
}

int xsetbv_safe(u32 xcr, u64 val)
{
	int err = -EFAULT;

	__asm__ volatile("1:\txsetbv\n\t"
			 "xor %0, %0\n"
			 "2:\t" FIXUP(1b, 2b)
			 : "+r"(err)
			 : "c"(xcr), "a"((u32)val), "d"((u32)(val >> 32))
			 : "cc", "memory");
	return err;
}
