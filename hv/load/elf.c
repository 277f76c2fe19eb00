#include "load/elf.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "load/layout.h"
#include "vm/vm.h"

enum { ET_EXEC = 2, ET_DYN = 3, EM_386 = 3, EM_X86_64 = 62, PT_LOAD = 1, PT_NOTE = 4 };

#define ELF_MAGIC   0x464C457F
#define NOTE_PHYS32 18	     /* XEN_ELFNOTE_PHYS32_ENTRY (Xen public/elfnote.h) */
#define NOTE_XEN    0x6E6558 /* "Xen" */
#define NOTES_MAX   256

/* A program header of either class, as they begin. */
struct segment_header {
	union {
		u64 field[6];
		struct {
			u64 type, offset, vaddr, paddr, filesz, memsz;
		};
	};
};

/* Little-endian numbers anywhere in the file; its caller has checked that they are inside. */
static u64 number(const struct elf *e, u64 at, unsigned size)
{
	u64 n = 0;

	memcpy(&n, e->image + at, size);
	return n;
}

static bool inside(const struct elf *e, u64 at, u64 len)
{
	return at <= e->size && len <= e->size - at;
}

/* An address or offset of the header, which both classes have at the same place but for its size. */
static u64 word(const struct elf *e, u64 at, unsigned n)
{
	unsigned size = e->wide ? 8 : 4;

	return number(e, at + n * size, size);
}

int elf_open(struct elf *e, const u8 *image, u64 size, const char **why)
{
	u64 counts;

	*e = (struct elf){.image = image, .size = size};
	*why = "is not an ELF file";
	if (size < 52 || number(e, 0, 4) != ELF_MAGIC || image[5] != 1)
		return -ENOEXEC;
	e->wide = image[4] == 2;
	*why = "is not an x86 executable";
	if (number(e, 16, 2) - ET_EXEC > ET_DYN - ET_EXEC || image[4] != (e->wide ? 2 : 1) ||
	    number(e, 18, 2) != (e->wide ? EM_X86_64 : EM_386))
		return -ENOEXEC;
	*why = "is cut short";
	if (e->wide && size < 64)
		return -ENOEXEC;
	e->entry = word(e, 24, 0);
	e->header_at = word(e, 24, 1);
	counts = number(e, e->wide ? 54 : 42, 4);
	e->header_size = (u16)counts;
	e->headers = (u32)counts >> 16;
	if (e->header_size < (e->wide ? 56 : 32) || !inside(e, e->header_at, e->headers * e->header_size))
		return -ENOEXEC;
	return 0;
}

static struct segment_header segment_header(const struct elf *e, u32 i)
{
	struct segment_header h;

	for (unsigned n = 0; n < ARRAY_SIZE(h.field); n++)
		h.field[n] = word(e, e->header_at + i * e->header_size, n);
	h.type = (u32)h.type; /* flags are behind it in the wide one */
	return h;
}

bool load_range_ok(const struct vm *vm, u64 addr, u64 size)
{
	u64 end = addr + size;

	return end >= addr && end <= MIN(vm->memory_size, GUEST_HOLE_START) &&
	       (addr >= MiB || end <= LOAD_LOW_START);
}

const char elf_no_room[] = "goes outside the VM's memory, or between 576 KiB and 1 MiB";

int load_segment(struct vm *vm, u64 addr, const u8 *data, u64 filled, u64 size)
{
	return load_range_ok(vm, addr, size) && !guest_write(vm, addr, data, filled) &&
			       !guest_zero(vm, addr + filled, size - filled)
		       ? 0
		       : -ENOMEM;
}

int elf_load(struct vm *vm, struct elf *e, const char **why)
{
	u64 entry = e->entry;

	for (u32 i = 0; i < e->headers; i++) {
		struct segment_header h = segment_header(e, i);

		if (h.type != PT_LOAD || !h.memsz)
			continue;
		*why = "has a segment that is cut short";
		if (h.filesz > h.memsz || !inside(e, h.offset, h.filesz))
			return -ENOEXEC;
		if (load_segment(vm, h.paddr, e->image + h.offset, h.filesz, h.memsz)) {
			*why = elf_no_room;
			e->start = h.paddr;
			e->end = h.paddr + h.memsz;
			return -ENOMEM;
		}
		if (e->entry >= h.vaddr && e->entry - h.vaddr < h.memsz)
			entry = e->entry - h.vaddr + h.paddr;
		e->end = MAX(e->end, h.paddr + h.memsz);
	}
	e->entry = entry;
	*why = "has nothing to load";
	return e->end ? 0 : -ENOEXEC;
}

/* Notes: name size, descriptor size, type, then both, each padded to 4 bytes. */
static u32 find_note(const struct elf *e, u64 at, u64 len)
{
	for (unsigned i = 0; i < NOTES_MAX && len >= 12; i++) {
		u64 name = ALIGN_UP(number(e, at, 4), 4), desc = ALIGN_UP(number(e, at + 4, 4), 4);
		u64 size = 12 + name + desc;

		if (size > len)
			return 0;
		if (number(e, at + 8, 4) == NOTE_PHYS32 && name == 4 && desc >= 4 &&
		    number(e, at + 12, 4) == NOTE_XEN)
			return (u32)number(e, at + 16, 4);
		at += size;
		len -= size;
	}
	return 0;
}

u32 elf_pvh_entry(const struct elf *e)
{
	u32 entry = 0;

	for (u32 i = 0; i < e->headers && !entry; i++) {
		struct segment_header h = segment_header(e, i);

		if (h.type == PT_NOTE && inside(e, h.offset, h.filesz))
			entry = find_note(e, h.offset, h.filesz);
	}
	return entry;
}
