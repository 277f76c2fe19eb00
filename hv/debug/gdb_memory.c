#include "debug/gdb_internal.h"

#include "lib/errno.h"
#include "lib/string.h"

void *gdb_memory(struct vcpu *v, u64 addr, u64 *gpa)
{
	struct page_walk w;

	vcpu_walk(v, addr, &w);
	*gpa = w.gpa;
	return w.problem ? NULL : guest_ptr(v->vm, w.gpa, 1);
}

static int copy(struct vcpu *v, u64 addr, u8 *buf, u64 len, bool write)
{
	while (len) {
		u64 gpa, n = MIN(len, PAGE_SIZE - (addr & ~PAGE_MASK));
		u8 *p = gdb_memory(v, addr, &gpa);

		if (!p)
			return -EFAULT;
		memcpy(write ? p : buf, write ? buf : p, n); /* RAM slots are made of whole pages */
		addr += n;
		buf += n;
		len -= n;
	}
	return 0;
}

int gdb_memory_read(struct vcpu *v, u64 addr, void *buf, u64 len)
{
	return copy(v, addr, buf, len, false);
}

int gdb_memory_write(struct vcpu *v, u64 addr, const void *buf, u64 len)
{
	return copy(v, addr, (u8 *)buf, len, true);
}
