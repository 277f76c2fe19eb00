/* Reading the MC146818 clock: registers 0-9 and the century at 32h, BCD or binary as register B says. */

#include "host/rtc.h"
#include "host/cpu.h"
#include "lib/civil.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71
#define REG_A_UIP  BIT(7)
#define REGISTERS  (CMOS_CENTURY + 1)

static u8 cmos(u8 reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

u64 rtc_read(void)
{
	/* Values read during an update are garbage; an update takes 2 ms at most, a clock that is stuck in
	 * one is not there. */
	for (u32 i = 0; cmos(10) & REG_A_UIP; i++)
		if (i == 10000)
			return 0;
	u8 ram[REGISTERS];
	struct civil c;

	for (u32 i = 0; i < REGISTERS; i++)
		ram[i] = cmos((u8)i);
	civil_from_cmos(ram, &c);
	if (c.second > 59 || c.minute > 59 || c.hour > 23 || c.day - 1 > 30 || c.month - 1 > 11 ||
	    c.year > 99)
		return 0;
	if (c.century < 19 || c.century > 21)
		c.century = 20;
	if (c.century == 19 && c.year < 70)
		return 0;
	return civil_to_seconds(&c);
}
