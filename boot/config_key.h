/* Between the two halves of the config reader: lines and sections (config.c), keys and values (config_key.c).
 */
#pragma once

#include "lib/types.h"
#include "vm/config.h"

#define CONFIG_MAX_MISTAKES 20

enum config_section { SECTION_NONE, SECTION_PXHV, SECTION_VM, SECTION_SKIP /* a bad one, already told */ };

struct config_parser {
	struct config *c;
	const char *file;
	unsigned line, mistakes;
	enum config_section section;
	struct vm_config *vm; /* of a SECTION_VM */
	unsigned vm_sections; /* good and bad ones */
	bool pxhv_seen;
	u32 seen;	   /* keys of this section, bit by index in config_keys[] */
	const char *near;  /* what the next mistake suggests, NULL for nothing, */
	unsigned distance; /* and how far it is from what stands there */
};

struct config_key {
	char name[12];
	u16 offset; /* of its field in struct config or struct vm_config */
	u16 max;    /* the largest number, or the field's size; of a yes-or-no key, which words mean that */
	u8 section;
	u8 type;
	u8 feature; /* that it takes, for other values than false; 0: none */
	u8 guests;  /* to whose kinds it means something, bit by enum guest_kind; 0: all */
};

/* The one list of all keys, ended by an empty name. */
extern const struct config_key config_keys[];

/* Prints "FILE:LINE: " and the message, with "(did you mean '...'?)" if there is something near. */
void config_mistake(struct config_parser *p, const char *fmt, ...) __printf(2, 3);

/* Keeps in p->near the candidate nearest to word that is not further than 2. A mistake follows. */
void config_nearest(struct config_parser *p, const char *word, const char *candidate);

/* Handles "key = value" of the current section. */
void config_set(struct config_parser *p, const char *key, char *value);

/* Says so when the VM that just ended has no guest, or keys that mean nothing to it. */
void config_check_guest(struct config_parser *p);

/* Is the feature in this build? If not, says so. */
bool config_has(struct config_parser *p, u8 feature);

/* Adds a disk to the current VM (config_disk.c). Left out by WITHOUT=disks. */
void config_set_disk(struct config_parser *p, const char *value);
#pragma weak config_set_disk
