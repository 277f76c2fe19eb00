#include "load/elf.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "load/layout.h"
#include "vm/vm.h"

enum { ET_EXEC = 2, ET_DYN = 3, EM_386 = 3, EM_X86_64 = 62, PT_LOAD = 1, PT_NOTE = 4 };

#define ELF_MAGIC   0x464C457F
#define NOTE_PHYS32 18 /* XEN_ELFNOTE_PHYS32_ENTRY (Xen public/elfnote.h) */
#define NOTES_MAX   256

/* A program header of either class. */
struct segment_header {
	u32 type;
	u64 offset, vaddr, paddr, filesz, memsz;
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

int elf_open(struct elf *e, const u8 *image, u64 size, const char **why)
{
	u64 machine, type;

	*e = (struct elf){.image = image, .size = size};
	*why = "is not an ELF file";
	if (size < 52 || number(e, 0, 4) != ELF_MAGIC || image[5] != 1)
		return -ENOEXEC;
	e->wide = image[4] == 2;
	type = number(e, 16, 2);
	machine = number(e, 18, 2);
	*why = "is not an x86 executable";
	if ((type != ET_EXEC && type != ET_DYN) || machine != (e->wide ? EM_X86_64 : EM_386) ||
	    image[4] != (e->wide ? 2 : 1))
		return -ENOEXEC;
	*why = "is cut short";
	if (e->wide && size < 64)
		return -ENOEXEC;
	e->entry = number(e, 24, e->wide ? 8 : 4);
	e->header_at = e->wide ? number(e, 32, 8) : number(e, 28, 4);
	e->header_size = number(e, e->wide ? 54 : 42, 2);
	e->headers = (u32)number(e, e->wide ? 56 : 44, 2);
	if (e->header_size < (e->wide ? 56 : 32) || !inside(e, e->header_at, e->headers * e->header_size))
		return -ENOEXEC;
	return 0;
}

static struct segment_header segment_header(const struct elf *e, u32 i)
{
	u64 at = e->header_at + i * e->header_size;

	if (e->wide)
		return (struct segment_header){(u32)number(e, at, 4), number(e, at + 8, 8),
					       number(e, at + 16, 8), number(e, at + 24, 8),
					       number(e, at + 32, 8), number(e, at + 40, 8)};
	return (struct segment_header){(u32)number(e, at, 4), number(e, at + 4, 4),  number(e, at + 8, 4),
				       number(e, at + 12, 4), number(e, at + 16, 4), number(e, at + 20, 4)};
}

bool load_range_ok(const struct vm *vm, u64 addr, u64 size)
{
	u64 end = addr + size;

	return end >= addr && end <= MIN(vm->memory_size, GUEST_HOLE_START) &&
	       (addr >= MiB || end <= LOAD_LOW_START);
}

const char elf_no_room[] = "goes outside the VM's memory, or between 576 KiB and 1 MiB";

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
		if (!load_range_ok(vm, h.paddr, h.memsz) ||
		    guest_write(vm, h.paddr, e->image + h.offset, h.filesz) ||
		    guest_zero(vm, h.paddr + h.filesz, h.memsz - h.filesz)) {
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

		if (name + desc > len - 12)
			return 0;
		if (number(e, at + 8, 4) == NOTE_PHYS32 && name == 4 && desc >= 4 &&
		    !memcmp(e->image + at + 12, "Xen", 4))
			return (u32)number(e, at + 16, 4);
		at += 12 + name + desc;
		len -= 12 + name + desc;
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
