/* Calendar arithmetic. Years are counted from March, so that the leap day comes last and month lengths repeat
 * in fives. */

#include "lib/civil.h"

#define DAY	86400
#define HOUR_PM BIT(7)

/* Days from 1 March of year 0 to 1 March of year y. */
static u32 days_to_year(u32 y)
{
	return y * 365 + y / 4 - y / 100 + y / 400;
}

/* Days from 1 March to the first of month m, where March is 0. */
static unsigned days_to_month(unsigned m)
{
	return (153 * m + 2) / 5;
}

#define EPOCH (1969 * 365 + 1969 / 4 - 1969 / 100 + 1969 / 400 + 306) /* 1 January 1970 */

void civil_from_seconds(u64 seconds, struct civil *c)
{
	u32 days = (u32)(seconds / DAY), left = (u32)(seconds % DAY), y, rest, m;

	c->weekday = (days + 4) % 7 + 1; /* 1970 began on a Thursday */
	c->hour = left / 3600;
	c->minute = left / 60 % 60;
	c->second = left % 60;
	days += EPOCH;
	y = days * 400 / 146097;

	/* The estimate may be one off at the ends of a year. */
	if (days_to_year(y) > days)
		y--;
	if (days_to_year(y + 1) <= days)
		y++;
	rest = days - days_to_year(y);
	m = (5 * rest + 2) / 153;
	c->day = rest - days_to_month(m) + 1;
	c->month = m < 10 ? m + 3 : m - 9;
	y += m >= 10;
	c->year = y % 100;
	c->century = y / 100;
}

u64 civil_to_seconds(const struct civil *c)
{
	unsigned month = c->month < 1 ? 1 : MIN(c->month, 12);
	u32 year = MAX(c->century * 100 + c->year, 1970);
	u64 days =
		days_to_year(month > 2 ? year : year - 1) + days_to_month(month > 2 ? month - 3 : month + 9);

	/* Day 0 of January 1970 would be before the epoch. */
	days += MAX(c->day, 1) - 1;
	return (days - EPOCH) * DAY + c->hour * 3600ULL + c->minute * 60ULL + c->second;
}

u8 civil_encode(const u8 *ram, unsigned index, unsigned v)
{
	u8 pm = 0;

	if ((index | 1) == 5 && !(ram[CMOS_B] & CMOS_B_24H)) {
		pm = v >= 12 ? HOUR_PM : 0;
		v = (v + 11) % 12 + 1;
	}
	return (u8)(ram[CMOS_B] & CMOS_B_BINARY ? v : v / 10 << 4 | v % 10) | pm;
}

static unsigned decode(const u8 *ram, unsigned index)
{
	bool am_pm = index == 4 && !(ram[CMOS_B] & CMOS_B_24H);
	unsigned v = am_pm ? ram[index] & ~HOUR_PM : ram[index];

	if (!(ram[CMOS_B] & CMOS_B_BINARY))
		v = (v >> 4) * 10 + (v & 15);
	return am_pm ? v % 12 + (ram[index] & HOUR_PM ? 12 : 0) : v;
}

/* Where struct civil's fields are. */
static const u8 registers[] = {0, 2, 4, 6, 7, 8, 9, CMOS_CENTURY};

void civil_to_cmos(const struct civil *c, u8 *ram)
{
	for (unsigned i = 0; i < sizeof(registers); i++)
		ram[registers[i]] = civil_encode(ram, registers[i], c->field[i]);
}

void civil_from_cmos(const u8 *ram, struct civil *c)
{
	for (unsigned i = 0; i < sizeof(registers); i++)
		c->field[i] = decode(ram, registers[i]);
}
