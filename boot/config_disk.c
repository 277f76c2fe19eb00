/* disk = file:PATH, boot:PATH, or a disk of the PC such as ata0 or ahci0p2; each with ",ro" if wished, a disk
 * of the PC also with ",boot". */
#include "boot/config_key.h"

#include "built_in.h"
#include "lib/string.h"

static bool take(const char **s, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*s, word, len))
		return false;
	*s += len;
	return true;
}

/* Moves *s past characters from low to high; returns how many there were. */
static size_t take_all(const char **s, char low, char high)
{
	const char *start = *s;

	while (**s >= low && **s <= high)
		(*s)++;
	return (size_t)(*s - start);
}

/* A partition's "pN" from 1 to 999 if there is one; false when its number is none. */
static bool take_partition(const char **s, u32 *number)
{
	const char *digit;

	if (!take(s, "p"))
		return true;
	digit = *s;
	if (take_all(s, '0', '9') > 3)
		return false;
	while (digit < *s)
		*number = *number * 10 + (u32)(*digit++ - '0');
	return *number;
}

/* Moves *s past the name of a disk of the PC: letters and a number. */
static bool take_host_disk(const char **s)
{
	return take_all(s, 'a', 'z') && take_all(s, '0', '9');
}

void config_set_disk(struct config_parser *p, const char *value)
{
	struct disk_config *d = p->vm->disks;
	const char *name = value, *end;
	bool good = true;
	size_t len;

	while (d < p->vm->disks + CONFIG_MAX_DISKS && d->kind)
		d++;
	if (d == p->vm->disks + CONFIG_MAX_DISKS) {
		config_mistake(p, "more than %u disks", CONFIG_MAX_DISKS);
		return;
	}
	d->kind = take(&name, "file:") ? DISK_FILE : take(&name, "boot:") ? DISK_BOOT : DISK_HOST;
	if (d->kind != DISK_FILE && !config_has(p, FEATURE_DRIVES))
		return;
	end = name;
	if (d->kind == DISK_HOST) {
		good = take_host_disk(&end);
		len = (size_t)(end - name);
		good &= take_partition(&end, &d->partition);
		d->boot_too = take(&end, ",boot");
	} else {
		len = strlen(name);
		if (len >= 3 && !strcmp(name + len - 3, ",ro"))
			len -= 3;
		end += len;
	}
	d->readonly = take(&end, ",ro");
	if (good && !*end && len && len < sizeof(d->name))
		memcpy(d->name, name, len); /* zeroed before: it ends there */
	else
		config_mistake(p,
			       "disk must be file:NAME, boot:NAME or a disk of the PC such as ahci0p2, "
			       "not '%.40s'",
			       value);
}
