/* Between the two halves of the config reader: lines and sections (config.c), keys and values (config_key.c).
 */
#pragma once

#include "lib/types.h"
#include "vm/config.h"

#define CONFIG_MAX_MISTAKES 20
#define SHOWN		    40 /* characters of the user's text that a message repeats */

enum config_section { SECTION_NONE, SECTION_PXHV, SECTION_VM, SECTION_SKIP /* a bad one, already told */ };

/* A piece of the text. */
struct slice {
	const char *p;
	size_t len;
};

struct config_parser {
	struct config *c;
	const char *file;
	unsigned line, mistakes;
	enum config_section section;
	struct vm_config *vm; /* of a SECTION_VM */
	unsigned vm_sections; /* good and bad ones */
	bool pxhv_seen;
	u32 seen; /* keys of this section, bit by index in config_keys[] */
};

struct config_key {
	const char *name;
	const char *words; /* of a yes-or-no key: that for false, NUL, that for true */
	u16 offset;	   /* of its field in struct config or struct vm_config */
	u16 max;	   /* the largest number, or the field's size */
	u8 section;
	u8 type;
	u8 feature; /* that it takes, for other values than false; 0: none */
};

/* The one list of all keys, ended by a NULL name. */
extern const struct config_key config_keys[];

/* Prints "FILE:LINE: " and the message, with "(did you mean 'suggestion'?)" unless that is NULL. */
void config_mistake(struct config_parser *p, const char *suggestion, const char *fmt, ...) __printf(3, 4);

/* Keeps in *best the candidate nearest to word that is not further than *distance. Start with distance 2. */
void config_nearest(struct slice word, const char *candidate, const char **best, unsigned *distance);

bool slice_is(struct slice s, const char *text);

/* Handles "key = value" of the current section. */
void config_set(struct config_parser *p, struct slice key, struct slice value);

/* Says so when the VM that just ended has no guest. */
void config_check_guest(struct config_parser *p);

/* Is the feature in this build? If not, says so. */
bool config_has(struct config_parser *p, u8 feature);

/* Adds a disk to the current VM (config_disk.c). Left out by WITHOUT=disks. */
void config_set_disk(struct config_parser *p, struct slice value);
#pragma weak config_set_disk
