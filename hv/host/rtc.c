/* Reading the MC146818 clock: registers 0-9 and the century at 32h, BCD or binary as register B says. */

#include "host/rtc.h"
#include "host/cpu.h"
#include "lib/civil.h"

#define CMOS_INDEX   0x70
#define CMOS_DATA    0x71
#define REG_A_UIP    BIT(7)
#define REG_B_BINARY BIT(2)
#define REG_B_24H    BIT(1)

static u8 cmos(u8 reg)
{
	outb(CMOS_INDEX, reg);
	return inb(CMOS_DATA);
}

u64 rtc_read(void)
{
	enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, CENTURY, COUNT };
	static const u8 regs[COUNT] = {9, 8, 7, 4, 2, 0, 0x32};
	u32 v[COUNT], pm = 0;
	u8 b;

	/* Values read during an update are garbage; an update takes 2 ms at most, a clock that is stuck in
	 * one is not there. */
	for (u32 i = 0; cmos(10) & REG_A_UIP; i++)
		if (i == 10000)
			return 0;
	b = cmos(11);
	for (u32 i = 0; i < COUNT; i++) {
		v[i] = cmos(regs[i]);
		if (i == HOUR && !(b & REG_B_24H)) {
			pm = v[i] >> 7;
			v[i] &= 0x7F;
		}
		if (!(b & REG_B_BINARY))
			v[i] = (v[i] >> 4) * 10 + (v[i] & 15);
	}
	if (!(b & REG_B_24H))
		v[HOUR] = v[HOUR] % 12 + 12 * pm;
	if (v[SECOND] > 59 || v[MINUTE] > 59 || v[HOUR] > 23 || v[DAY] - 1 > 30 || v[MONTH] - 1 > 11 ||
	    v[YEAR] > 99)
		return 0;
	v[YEAR] += v[CENTURY] >= 19 && v[CENTURY] <= 21 ? v[CENTURY] * 100 : 2000;
	if (v[YEAR] < 1970)
		return 0;
	return civil_to_seconds(&(struct civil){v[YEAR], v[MONTH], v[DAY], v[HOUR], v[MINUTE], v[SECOND], 0});
}
