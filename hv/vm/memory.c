/* Guest RAM. The first slot is the large one, so that guest_ptr() finds almost everything at once. */
#include "vm/memory.h"

#include "host/page.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/vm.h"

#define VGA_HOLE     0xA0000ULL
#define VGA_HOLE_END 0xC0000ULL
#define MIN_RAM	     MiB
#define LARGE	     (2 * MiB)

static int add_slot(struct vm *vm, u64 gpa, u64 size, u8 *host)
{
	vm->slots[vm->slot_count++] = (struct memslot){.gpa = gpa, .size = size, .host = host};
	return slat_map(&vm->slat, gpa, (u64)host, size, SLAT_R | SLAT_W | SLAT_X);
}

/* The run that backs [0, size): all but the VGA window, whose accesses must exit and whose memory goes back.
 */
static int add_low_slots(struct vm *vm, u64 size, u8 *host)
{
	int err;

	page_free_run(host + VGA_HOLE, VGA_HOLE_END - VGA_HOLE);
	err = add_slot(vm, VGA_HOLE_END, size - VGA_HOLE_END, host + VGA_HOLE_END);
	if (err) {
		page_free_run(host, VGA_HOLE);
		return err;
	}
	return add_slot(vm, 0, VGA_HOLE, host);
}

/* Host memory for [gpa, gpa+*size): all of it, or the largest run there is. Its address agrees with gpa
 * modulo 2 MiB, and modulo 1 GiB where that lets a 1 GiB page exist (the first GiB has the VGA hole). */
static u8 *take_run(u64 gpa, u64 *size)
{
	u8 *p = NULL;

	if (gpa % GiB == 0 && *size >= (gpa ? GiB : 2 * GiB))
		p = page_alloc_run(*size, GiB, 0);
	if (!p)
		p = page_alloc_run(*size, LARGE, 0);
	if (!p) {
		*size = MIN(*size, ALIGN_DOWN(page_largest_run(LARGE), LARGE));
		p = *size ? page_alloc_run(*size, LARGE, 0) : NULL;
	}
	return p;
}

static int back(struct vm *vm, u64 gpa, u64 size)
{
	while (size) {
		u64 run = size;
		u8 *host;
		int err;

		if (vm->slot_count + 2 > MEMSLOTS_MAX)
			return -ENOMEM;
		host = take_run(gpa, &run);
		if (!host)
			return -ENOMEM;
		if (gpa || vm_has_vga(vm))
			err = add_slot(vm, gpa, run, host);
		else
			err = add_low_slots(vm, run, host);
		if (err)
			return err;
		gpa += run;
		size -= run;
	}
	return 0;
}

int vm_memory_create(struct vm *vm, u64 bytes)
{
	u64 low = MIN(bytes, GUEST_HOLE_START), available = page_free_bytes();
	int err;

	if (bytes < MIN_RAM || (bytes & ~PAGE_MASK)) {
		printk("vm '%s': memory is %lu KiB; it must be at least 1024 KiB, in steps of 4 KiB\n",
		       vm->config->name, (unsigned long)(bytes / KiB));
		return -EINVAL;
	}
	err = bytes > available ? -ENOMEM : back(vm, 0, low);
	if (!err)
		err = back(vm, 4 * GiB, bytes - low);
	if (err) {
		printk("vm '%s': %lu MiB of memory needed, but of the PC's %lu MiB only %lu MiB are free%s\n",
		       vm->config->name, (unsigned long)(bytes / MiB),
		       (unsigned long)(page_total_bytes() / MiB), (unsigned long)(available / MiB),
		       bytes > available ? "" : ", in pieces too small to use");
		vm_memory_destroy(vm);
		return err;
	}
	vm->memory_size = bytes;
	return 0;
}

int vm_memory_rom(struct vm *vm, u64 gpa, const void *host, u64 size)
{
	if (vm->slot_count == MEMSLOTS_MAX)
		return -ENOSPC;
	vm->slots[vm->slot_count++] =
		(struct memslot){.gpa = gpa, .size = size, .host = (u8 *)host, .readonly = true};
	return slat_map(&vm->slat, gpa, (u64)host, size, SLAT_R | SLAT_X);
}

void vm_memory_destroy(struct vm *vm)
{
	for (u32 i = 0; i < vm->slot_count; i++) {
		if (vm->slots[i].readonly)
			continue;
		memset(vm->slots[i].host, 0, vm->slots[i].size);
		page_free_run(vm->slots[i].host, vm->slots[i].size);
	}
	vm->slot_count = 0;
	vm->memory_size = 0;
}

struct memslot *memslot_find(struct vm *vm, u64 gpa)
{
	struct memslot *s = vm->slots, *end = s + vm->slot_count;

	for (; s < end; s++)
		if (gpa - s->gpa < s->size)
			return s;
	return NULL;
}

void *guest_ptr(struct vm *vm, u64 gpa, u64 len)
{
	struct memslot *s = memslot_find(vm, gpa);
	u64 offset;

	if (unlikely(!s))
		return NULL;
	offset = gpa - s->gpa;
	return likely(len <= s->size - offset) ? s->host + offset : NULL;
}

u8 *guest_chunk(struct vm *vm, u64 gpa, u64 *len, bool write)
{
	struct memslot *s = memslot_find(vm, gpa);

	if (!s || (write && s->readonly))
		return NULL;
	*len = MIN(*len, s->size - (gpa - s->gpa));
	return s->host + (gpa - s->gpa);
}

/* Copies between guest RAM and buf, to the guest or from it; without buf zeros go there. */
static int copy(struct vm *vm, u64 gpa, u8 *buf, u64 len, bool to_guest)
{
	while (len) {
		u64 n = len;
		u8 *p = guest_chunk(vm, gpa, &n, to_guest);

		if (!p)
			return -EFAULT;
		if (!buf) {
			memset(p, 0, n);
		} else {
			memcpy(to_guest ? p : buf, to_guest ? buf : p, n);
			buf += n;
		}
		gpa += n;
		len -= n;
	}
	return 0;
}

int guest_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	return copy(vm, gpa, buf, len, false);
}

int guest_write(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	return copy(vm, gpa, (u8 *)buf, len, true);
}

int guest_zero(struct vm *vm, u64 gpa, u64 len)
{
	return copy(vm, gpa, NULL, len, true);
}
