/* The names of exceptions. */
#pragma once

#include "lib/types.h"

/* "#PF" for 14 (SDM 3A table 6-1); "?" for vectors that are none. */
const char *exception_name(u8 vector);
