/* The PS/2 keyboard (or what firmware makes of a USB one), scancode set 1, US layout. */
#pragma once

#include "lib/types.h"

/* Takes what the controller has and calls put for each byte that the keys mean: ASCII, control characters,
 * ANSI escapes for the cursor keys. Never waits. */
void keyboard_poll(void (*put)(u8 c));
