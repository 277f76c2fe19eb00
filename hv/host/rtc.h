/* The PC's real-time clock. */
#pragma once

#include "lib/types.h"

/* Seconds since 1970 as the CMOS clock tells, taken as UTC; 0 when the clock does not answer sensibly. */
u64 rtc_read(void);
