/* Seconds since 1970 (UTC, no leap seconds) to date and time, and back; and as the registers of an MC146818
 * have them, the host's and the guest's. */
#pragma once

#include "lib/types.h"

enum { /* of the MC146818's registers */
       CMOS_B = 11,
       CMOS_CENTURY = 0x32,
       CMOS_ALARM_ANY = 0xC0, /* and above: matches all */
};
#define CMOS_B_BINARY BIT(2)
#define CMOS_B_24H    BIT(1)

struct civil {
	union {
		struct {
			unsigned second, minute, hour;
			unsigned weekday;	/* 1..7, 1 is Sunday */
			unsigned day, month;	/* 1..31, 1..12 */
			unsigned year, century; /* 24 and 20 of 2024; 1970 or later */
		};
		unsigned field[8];
	};
};

void civil_from_seconds(u64 seconds, struct civil *c);

/* Fields out of range count on (day 31 of April is the 1st of May); a month out of range is taken as the
 * nearest, a year before 1970 as 1970. weekday is not looked at. */
u64 civil_to_seconds(const struct civil *c);

/* The registers of a clock, in BCD or binary and by 12 or 24 hours as its register B in ram says. */
void civil_to_cmos(const struct civil *c, u8 *ram);
void civil_from_cmos(const u8 *ram, struct civil *c);

/* What register index has for the value v: a second, minute or hour, or its alarm. */
u8 civil_encode(const u8 *ram, unsigned index, unsigned v);
