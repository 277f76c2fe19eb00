/* What a build may be without: `make WITHOUT=...` (features.mk). */
#pragma once

#include "vm/config.h"

/* Kinds of guests are features by their enum guest_kind. */
enum feature { FEATURE_DISKS = GUEST_KINDS, FEATURE_DRIVES, FEATURE_GDB, FEATURE_TRACE, FEATURE_VGA };

/* NULL when the feature, or 0 for none, is in this build, else its name. */
const char *feature_missing(u8 feature);
