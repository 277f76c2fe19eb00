/* Directories of a FAT32 volume: entries, long and short names. */
#include "boot/fat.h"

#include "lib/errno.h"
#include "lib/string.h"

#define LFN_UNITS  13 /* UTF-16 units in one long-name entry */
#define LFN_PIECES 20

struct dirent {
	u8 name[11];
	u8 attr, nt, tenths;
	u16 ctime, cdate, adate, cluster_high, mtime, mdate, cluster_low;
	u32 size;
} __packed;

#define ATTR_VOLUME    0x08
#define ATTR_DIRECTORY 0x10
#define ATTR_LFN       0x0F
#define ATTR_MASK      0x3F

struct lfn_entry {
	u8 order;
	u16 name1[5];
	u8 attr, type, checksum;
	u16 name2[6], zero, name3[2];
} __packed;

#define LFN_LAST 0x40 /* in order: the name's last piece, which comes first on disk */

/* A long name while its pieces come in, from the last to the first. */
struct long_name {
	u8 next; /* the piece before this one is due; 1: complete, 0: there is none */
	u8 pieces, checksum;
	u16 units[LFN_PIECES * LFN_UNITS];
};

static u8 short_checksum(const u8 *name)
{
	u8 sum = 0;

	for (unsigned i = 0; i < 11; i++)
		sum = (u8)((sum << 7 | sum >> 1) + name[i]);
	return sum;
}

static void lfn_add(struct long_name *l, const struct lfn_entry *e)
{
	u8 order = e->order & ~LFN_LAST;
	u16 *units;

	if (e->order & LFN_LAST) {
		l->pieces = order;
		l->checksum = e->checksum;
	} else if (order + 1 != l->next || e->checksum != l->checksum) {
		order = 0; /* not of the name before it: an orphan */
	}
	l->next = order <= LFN_PIECES ? order : 0;
	if (!l->next)
		return;
	units = l->units + (order - 1) * LFN_UNITS;
	memcpy(units, e->name1, sizeof(e->name1));
	memcpy(units + 5, e->name2, sizeof(e->name2));
	memcpy(units + 11, e->name3, sizeof(e->name3));
}

/* Is text name, without regard to case? */
static bool same(const u8 *text, size_t n, const char *name, size_t len)
{
	if (n != len)
		return false;
	while (n--)
		if (lower((char)text[n]) != lower(name[n]))
			return false;
	return true;
}

/* The code point c as UTF-8; returns the number of bytes. */
static size_t to_utf8(u32 c, u8 *out)
{
	unsigned more = (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);

	*out = (u8)(more ? 0xFF00 >> (more + 1) | c >> 6 * more : c);
	for (unsigned i = more; i--;)
		*++out = 0x80 | (c >> 6 * i & 0x3F);
	return more + 1;
}

/* A surrogate without its half stays as it is, and so is like no name. */
static bool long_name_is(const struct long_name *l, const char *name, size_t len)
{
	const u16 *end = l->units + l->pieces * LFN_UNITS;
	u8 text[3 * LFN_PIECES * LFN_UNITS];
	size_t n = 0;

	for (const u16 *u = l->units; u < end && *u; u++) {
		u32 c = *u;

		if ((c & 0xFC00) == 0xD800 && u + 1 < end && (u[1] & 0xFC00) == 0xDC00)
			c = 0x10000 + ((c & 0x3FF) << 10) + (*++u & 0x3FF);
		n += to_utf8(c, text + n);
	}
	return same(text, n, name, len);
}

static bool short_name_is(const u8 *short_name, const char *name, size_t len)
{
	u8 text[12];
	unsigned n = 8;

	memcpy(text, short_name, 8);
	if (text[0] == 0x05) /* stands for 0xE5, which marks a deleted entry */
		text[0] = 0xE5;
	while (n && text[n - 1] == ' ')
		n--;
	for (unsigned i = 8; i < 11 && short_name[i] != ' '; i++) {
		if (i == 8)
			text[n++] = '.';
		text[n++] = short_name[i];
	}
	return same(text, n, name, len);
}

/* Looks at one directory entry: 1 when it is the wanted one, 0 when not, -ENOENT at the directory's end. */
static int match_entry(const struct dirent *e, struct long_name *l, const char *name, size_t len)
{
	bool found;

	if (e->name[0] == 0)
		return -ENOENT;
	if (e->name[0] == 0xE5) {
		l->next = 0;
		return 0;
	}
	if ((e->attr & ATTR_MASK) == ATTR_LFN) {
		lfn_add(l, (const void *)e);
		return 0;
	}
	found = !(e->attr & ATTR_VOLUME) &&
		((l->next == 1 && l->checksum == short_checksum(e->name) && long_name_is(l, name, len)) ||
		 short_name_is(e->name, name, len));
	l->next = 0;
	return found;
}

/* Finds name in the directory that begins at cluster. */
static int find(struct fat *f, u32 cluster, const char *name, size_t len, struct fat_file *out)
{
	struct dirent sector[FAT_SECTOR / sizeof(struct dirent)];
	struct long_name l = {.next = 0};
	u32 steps = 0;
	int err;

	do {
		for (u32 s = 0; s < f->sectors_per_cluster; s++) {
			err = f->read(f->ctx, fat_cluster_lba(f, cluster) + s, 1, sector);
			if (err)
				return err;
			for (unsigned i = 0; i < ARRAY_SIZE(sector); i++) {
				const struct dirent *e = &sector[i];

				err = match_entry(e, &l, name, len);
				if (err < 0)
					return err;
				if (!err)
					continue;
				out->cluster = (u32)e->cluster_high << 16 | e->cluster_low;
				out->size = e->size;
				out->directory = e->attr & ATTR_DIRECTORY;
				return 0;
			}
		}
		err = fat_next_cluster(f, &cluster, &steps);
	} while (err > 0);
	return err ? err : -ENOENT;
}

int fat_open(struct fat *f, const char *path, struct fat_file *out)
{
	*out = (struct fat_file){.cluster = f->root_cluster, .directory = true};
	for (;;) {
		size_t len = 0;
		int err;

		while (*path == '/')
			path++;
		if (!*path)
			return 0;
		while (path[len] && path[len] != '/')
			len++;
		if (!out->directory)
			return -ENOENT;
		err = find(f, out->cluster, path, len, out);
		if (err)
			return err;
		if (out->directory && !out->cluster) /* ".." says 0 for the root */
			out->cluster = f->root_cluster;
		if ((out->directory || out->size) && out->cluster - 2 >= f->clusters)
			return fat_damaged("a file begins outside the volume", out->cluster);
		path += len;
	}
}
