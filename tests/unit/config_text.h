/* Texts of pxhv.conf, and what the parser says of them. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "built_in.h"
#include "support.h"

static struct config config;
static u32 left_out; /* features, by bit */

const char *feature_missing(u8 feature)
{
	return feature && left_out & BIT(feature) ? "that" : NULL;
}

static unsigned parse(const char *text)
{
	char *copy = malloc(strlen(text)); /* exactly as long, so that ASan sees a read past the end */
	unsigned mistakes;

	memcpy(copy, text, strlen(text));
	captured_reset();
	mistakes = config_parse(&config, "pxhv.conf", copy, strlen(text));
	free(copy);
	return mistakes;
}

/* Text that must give these messages, each with its newline. */
static void assert_says(const char *text, const char *messages)
{
	unsigned lines = 0;

	for (const char *m = messages; *m; m++)
		lines += *m == '\n';
	assert_int_equal(parse(text), lines);
	assert_string_equal(captured(), messages);
}

/* The same for the body of a VM that is complete but for this; it begins at line 3. */
static void assert_vm_says(const char *body, const char *messages)
{
	char text[512];

	snprintf(text, sizeof(text), "[vm x]\nkernel = k\n%s\n", body);
	assert_says(text, messages);
}

static const struct vm_config *vm_of(const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text), "[vm x]\n%s\n", body);
	assert_int_equal(parse(text), 0);
	assert_string_equal(captured(), "");
	return &config.vms[0];
}
