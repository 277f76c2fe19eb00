/* Where an address leads: through the guest's page tables, then through ours. */
#include "debug/mon.h"
#include "host/cpu.h"
#include "lib/errno.h"

#define ULL(x) ((unsigned long long)(x))

/* The bits that both formats of the guest's entries share (SDM 3A 4.5). */
static void show_entry(const struct mon *m, u64 e, bool nx)
{
	static const char bits[] = "PWU";

	for (unsigned i = 0; i < 3; i++)
		say(m, "%c", e & BIT(i) ? bits[i] : '-');
	say(m, "%c%c%c%s", e & BIT(5) ? 'A' : '-', e & BIT(6) ? 'D' : '-', e & BIT(7) ? 'S' : '-',
	    nx && e >> 63 ? " NX" : "");
}

static void walk_slat(const struct mon *m, u64 gpa)
{
	static const char *const names[] = {"4K", "2M", "1G", "512G"};
	const struct slat *s = &m->vm->slat;
	const struct memslot *slot = memslot_find(m->vm, gpa);
	u64 e[4];
	unsigned level = slat_walk(s, gpa, e), prot;

	for (unsigned l = 4; l >= level; l--)
		say(m, "  host level %u  %016llx\n", l, ULL(e[l - 1]));
	if (!s->fmt->present(e[level - 1])) {
		say(m, "not mapped: ");
		if (slot)
			say(m, "RAM that the VM has not touched\n");
		else
			say(m, "an access exits, to a device if one is there\n");
		return;
	}
	prot = s->fmt->prot(e[level - 1]);
	say(m, "host-physical %llx, a page of %s, %c%c%c\n",
	    ULL((e[level - 1] & 0xFFFFFFFFFF000 & ~((PAGE_SIZE << (9 * (level - 1))) - 1)) |
		(gpa & ((PAGE_SIZE << (9 * (level - 1))) - 1))),
	    names[level - 1], prot & SLAT_R ? 'r' : '-', prot & SLAT_W ? 'w' : '-',
	    prot & SLAT_X ? 'x' : '-');
}

void mon_walk(const struct mon *m, u64 gva)
{
	struct page_walk w;

	vcpu_walk(m->v, gva, &w);
	if (!w.levels) {
		say(m, "%llx: paging is off\n", ULL(gva));
	} else {
		say(m, "%llx: %u levels, cr3 %llx\n", ULL(gva), w.levels, ULL(w.cr3));
		for (unsigned l = w.levels; l >= w.last; l--) {
			say(m, "  level %u at %09llx  %016llx ", l, ULL(w.where[l]), ULL(w.entry[l]));
			show_entry(m, w.entry[l], w.levels > 2);
			say(m, "\n");
		}
	}
	if (w.problem)
		say(m, "%s\n", w.problem);
	else
		say(m, "guest-physical %llx\n", ULL(w.gpa));
}

void mon_translate(struct mon *m)
{
	struct page_walk w;
	u64 gva;

	if (!mon_address(m, 1, &gva))
		return;
	mon_walk(m, gva);
	vcpu_walk(m->v, gva, &w);
	if (!w.problem)
		walk_slat(m, w.gpa);
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
			if (s->fmt->present(e[level - 1]) && level <= 3)
				pages[level - 1]++;
		}
	}
	say(m, "root %llx, %llu pages of tables; mapped: %llu of 4K, %llu of 2M, %llu of 1G\n", ULL(s->root),
	    ULL(s->table_pages), ULL(pages[0]), ULL(pages[1]), ULL(pages[2]));
}
