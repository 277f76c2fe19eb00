/* Calendar arithmetic. Years are counted from March, so that the leap day comes last and month lengths repeat
 * in fives. */

#include "dev/civil.h"

#define DAY 86400

/* Days from 1 March of year 0 to 1 March of year y. */
static u64 days_to_year(u64 y)
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
	u64 days = seconds / DAY + EPOCH, y = days * 400 / 146097;
	unsigned rest, m;

	/* The estimate may be one off at the ends of a year. */
	if (days_to_year(y) > days)
		y--;
	if (days_to_year(y + 1) <= days)
		y++;
	rest = days - days_to_year(y);
	m = (5 * rest + 2) / 153;
	c->day = rest - days_to_month(m) + 1;
	c->month = m < 10 ? m + 3 : m - 9;
	c->year = y + (m >= 10);
	c->weekday = (seconds / DAY + 4) % 7; /* 1970 began on a Thursday */
	c->hour = seconds / 3600 % 24;
	c->minute = seconds / 60 % 60;
	c->second = seconds % 60;
}

u64 civil_to_seconds(const struct civil *c)
{
	unsigned month = c->month < 1 ? 1 : MIN(c->month, 12);
	u64 year = MAX(c->year, 1970);
	u64 days =
		days_to_year(month > 2 ? year : year - 1) + days_to_month(month > 2 ? month - 3 : month + 9);

	/* Day 0 of January 1970 would be before the epoch. */
	days += MAX(c->day, 1) - 1;
	return (days - EPOCH) * DAY + c->hour * 3600ULL + c->minute * 60ULL + c->second;
}
