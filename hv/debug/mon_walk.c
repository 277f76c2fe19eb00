/* Where an address leads: through the guest's page tables, then through ours. */
#include "debug/mon.h"
#include "host/cpu.h"
#include "lib/string.h"

#define ULL(x) ((unsigned long long)(x))

/* A letter for each bit from 0, or a dash; a blank for a bit that is not told. */
static void show_bits(const struct mon *m, const char *letters, u64 bits)
{
	for (; *letters; letters++, bits >>= 1)
		if (*letters != ' ')
			say(m, "%c", bits & 1 ? *letters : '-');
}

static void walk_slat(const struct mon *m, u64 gpa)
{
	const struct slat *s = &m->vm->slat;
	u64 e[4], entry, size;
	unsigned level = slat_walk(s, gpa, e);

	for (unsigned l = 4; l >= level; l--)
		say(m, "  host level %u  %016llx\n", l, ULL(e[l - 1]));
	entry = e[level - 1];
	if (!entry) {
		say(m, memslot_find(m->vm, gpa)
			       ? "not mapped: RAM that the VM has not touched\n"
			       : "not mapped: an access exits, to a device if one is there\n");
		return;
	}
	size = PAGE_SIZE << (9 * (level - 1));
	say(m, "host-physical %llx, a page of %s, ",
	    ULL((entry & 0xFFFFFFFFFF000 & ~(size - 1)) | (gpa & (size - 1))),
	    nth_string("4K\0"
		       "2M\0"
		       "1G\0"
		       "512G",
		       level - 1));
	show_bits(m, "rwx", s->fmt->prot(entry));
	say(m, "\n");
}

bool mon_walk(const struct mon *m, u64 gva, u64 *gpa)
{
	struct page_walk w;

	vcpu_walk(m->v, gva, &w);
	*gpa = w.gpa;
	if (!w.levels)
		say(m, "%llx: paging is off\n", ULL(gva));
	else
		say(m, "%llx: %u levels, cr3 %llx\n", ULL(gva), w.levels, ULL(w.cr3));
	for (unsigned l = w.levels; l && l >= w.last; l--) {
		say(m, "  level %u at %09llx  %016llx ", l, ULL(w.where[l]), ULL(w.entry[l]));
		/* What both formats of the guest's entries share (SDM 3A 4.5). */
		show_bits(m, "PWU  ADS", w.entry[l]);
		say(m, w.levels > 2 && w.entry[l] >> 63 ? " NX\n" : "\n");
	}
	if (w.problem)
		say(m, "%s\n", w.problem);
	else
		say(m, "guest-physical %llx\n", ULL(w.gpa));
	return !w.problem;
}

void mon_translate(struct mon *m)
{
	u64 gva, gpa;

	if (mon_address(m, 1, &gva) && mon_walk(m, gva, &gpa))
		walk_slat(m, gpa);
}

/* Everything that is mapped, by the size of its pages. */
void mon_info_ept(struct mon *m)
{
	const struct slat *s = &m->vm->slat;
	u64 pages[3] = {0}, step, e[4];

	for (u32 i = 0; i < m->vm->slot_count; i++) {
		const struct memslot *slot = &m->vm->slots[i];

		for (u64 at = slot->gpa; at < slot->gpa + slot->size; at += step) {
			unsigned level = slat_walk(s, at, e);

			step = PAGE_SIZE << (9 * (level - 1));
			step -= at & (step - 1);
			if (e[level - 1] && level <= 3)
				pages[level - 1]++;
		}
	}
	say(m, "root %llx, %llu pages of tables; mapped: %llu of 4K, %llu of 2M, %llu of 1G\n", ULL(s->root),
	    ULL(s->table_pages), ULL(pages[0]), ULL(pages[1]), ULL(pages[2]));
}
