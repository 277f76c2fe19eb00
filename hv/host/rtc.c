/* Reading the MC146818 clock: registers 0-9 and the century at 32h, BCD or binary as register B says. */

#include "host/rtc.h"
#include "host/cpu.h"

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

static u32 from_bcd(u32 v, bool binary)
{
	return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 to the civil date, by counting years that begin in March. */
static u64 days(u32 year, u32 month, u32 day)
{
	if (month <= 2) {
		year--;
		month += 12;
	}
	return 365ULL * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + day - 1 -
	       719468;
}

u64 rtc_read(void)
{
	/* Values read during an update are garbage; an update takes 2 ms at most, a clock that is stuck in
	 * one is not there. */
	for (u32 i = 0; cmos(10) & REG_A_UIP; i++)
		if (i == 10000)
			return 0;
	u8 b = cmos(11), hour_raw = cmos(4);
	bool bin = b & REG_B_BINARY;
	u32 sec = from_bcd(cmos(0), bin), min = from_bcd(cmos(2), bin);
	u32 hour = from_bcd(hour_raw & 0x7F, bin);
	u32 day = from_bcd(cmos(7), bin), month = from_bcd(cmos(8), bin), year = from_bcd(cmos(9), bin);
	u32 century = from_bcd(cmos(0x32), bin);

	if (!(b & REG_B_24H))
		hour = hour % 12 + (hour_raw & 0x80 ? 12 : 0);
	if (sec > 59 || min > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 || year > 99)
		return 0;
	year += century >= 19 && century <= 21 ? century * 100 : 2000;
	if (year < 1970)
		return 0;
	return days(year, month, day) * 86400 + hour * 3600ULL + min * 60 + sec;
}
