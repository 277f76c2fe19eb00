#include "debug/gdb_internal.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "vm/emulate.h"

void *gdb_memory(struct vcpu *v, u64 addr, u64 *gpa)
{
	struct page_walk w;

	vcpu_walk(v, addr, &w);
	*gpa = w.gpa;
	return w.problem ? NULL : guest_ptr(v->vm, w.gpa, 1);
}

int gdb_memory_read(struct vcpu *v, u64 addr, void *buf, u64 len)
{
	while (len) {
		u64 gpa, n = MIN(len, PAGE_SIZE - (addr & ~PAGE_MASK));
		const u8 *p = gdb_memory(v, addr, &gpa);

		if (!p)
			return -EFAULT;
		memcpy(buf, p, n); /* RAM slots are made of whole pages */
		addr += n;
		buf = (u8 *)buf + n;
		len -= n;
	}
	return 0;
}

unsigned gdb_code(struct vcpu *v, u64 addr, u8 *buf, unsigned max)
{
	unsigned n = 0;

	while (n < max && !gdb_memory_read(v, addr + n, buf + n, 1))
		n++;
	return n;
}

u64 gdb_pc(struct vcpu *v)
{
	return seg_linear(v, SEG_CS, v->rip, vcpu_code_bits(v));
}

u64 gdb_sp(struct vcpu *v)
{
	u64 sp = v->ops->get(v, VREG_RSP);
	unsigned bits = vcpu_code_bits(v);
	struct segment ss;

	v->ops->get_seg(v, SEG_SS, &ss);
	return seg_linear(v, SEG_SS, bits == 64 || ss.attr & SEG_BIG ? sp : (u16)sp, bits);
}
