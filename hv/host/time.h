/* Time of the host: the TSC calibrated against the ACPI PM timer, else the PIT. */
#pragma once

#include "host/tsc.h"

/* Measures tsc_hz. Every loop is bounded: with no working reference it says
 * so and takes the CPUID frequency, else 1 GHz. */
void time_init(void);

/* Measures tsc_hz again over all the time since time_init(): free of waiting, and more exact. */
void time_refine(void);

/* Milliseconds since power-on as the TSC tells, 0 while its rate is unknown. */
u64 time_ms(void);
