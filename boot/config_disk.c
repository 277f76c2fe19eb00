/* disk = file:PATH, boot:PATH, or a disk of the PC such as ata0 or ahci0p2; each with ",ro" if wished, a disk
 * of the PC also with ",boot". */
#include "boot/config_key.h"

#include "built_in.h"
#include "lib/string.h"

static bool starts_with(struct slice *s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (s->len < len || memcmp(s->p, prefix, len))
		return false;
	s->p += len;
	s->len -= len;
	return true;
}

static bool ends_with(struct slice *s, const char *suffix)
{
	size_t len = strlen(suffix);

	if (s->len <= len || memcmp(s->p + s->len - len, suffix, len))
		return false;
	s->len -= len;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The length of the digits at the end of s. */
static size_t digits(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_digit(s.p[s.len - 1 - n]))
		n++;
	return n;
}

/* Cuts a partition's "pN" off: letters, a number, 'p', a number from 1 to 999. */
static u32 cut_partition(struct slice *s)
{
	size_t n = digits(*s);
	u32 partition = 0;

	if (!n || n > 3 || s->len < n + 2 || s->p[s->len - n - 1] != 'p' || !is_digit(s->p[s->len - n - 2]))
		return 0;
	for (size_t i = s->len - n; i < s->len; i++)
		partition = partition * 10 + (u32)(s->p[i] - '0');
	if (partition)
		s->len -= n + 1;
	return partition;
}

/* Letters and then a number? */
static bool is_host_disk(struct slice s)
{
	size_t n = digits(s);

	for (size_t i = 0; i < s.len - n; i++)
		if (s.p[i] < 'a' || s.p[i] > 'z')
			return false;
	return n && n < s.len;
}

void config_set_disk(struct config_parser *p, struct slice v)
{
	struct slice all = v;
	struct disk_config *d = p->vm->disks;

	while (d < p->vm->disks + CONFIG_MAX_DISKS && d->kind)
		d++;
	if (d == p->vm->disks + CONFIG_MAX_DISKS) {
		config_mistake(p, NULL, "more than %u disks", CONFIG_MAX_DISKS);
		return;
	}
	d->readonly = ends_with(&v, ",ro");
	if (starts_with(&v, "file:")) {
		d->kind = DISK_FILE;
	} else if (starts_with(&v, "boot:")) {
		d->kind = DISK_BOOT;
	} else {
		d->kind = DISK_HOST;
		d->boot_too = ends_with(&v, ",boot");
		d->partition = cut_partition(&v);
	}
	if (d->kind != DISK_FILE && !config_has(p, FEATURE_DRIVES))
		return;
	if (!v.len || v.len >= sizeof(d->name) || (d->kind == DISK_HOST && !is_host_disk(v)))
		config_mistake(p, NULL,
			       "disk must be file:NAME, boot:NAME or a disk of the PC such as ahci0p2, "
			       "not '%.*s'",
			       (int)MIN(all.len, SHOWN), all.p);
	else
		memcpy(d->name, v.p, v.len); /* zeroed before: it ends there */
}
