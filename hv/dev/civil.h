/* Seconds since 1970 (UTC, no leap seconds) to date and time, and back. */
#pragma once

#include "lib/types.h"

struct civil {
	unsigned year;	/* such as 2024; 1970 or later */
	unsigned month; /* 1..12 */
	unsigned day;	/* 1..31 */
	unsigned hour, minute, second;
	unsigned weekday; /* 0 is Sunday */
};

void civil_from_seconds(u64 seconds, struct civil *c);

/* Fields out of range count on (day 31 of April is the 1st of May); a month out of range is taken as the
 * nearest, a year before 1970 as 1970. weekday is not looked at. */
u64 civil_to_seconds(const struct civil *c);
