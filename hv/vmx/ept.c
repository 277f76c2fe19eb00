/* Extended page tables: how an entry is spelled, and what must be invalidated (SDM 3C 29.3). */

#include "vm/vm.h"
#include "vmx/vmx.h"

#define EPT_LARGE   BIT(7)
#define EPTP_WB	    6ULL
#define EPTP_WALK_4 (3ULL << 3)

static u64 ept_leaf(u64 hpa, unsigned prot, enum memtype mt, unsigned level)
{
	return hpa | prot | (u64)mt << 3 | (level > 1 ? EPT_LARGE : 0);
}

static unsigned ept_prot(u64 e)
{
	return e & 7;
}

const struct slat_format vmx_ept_format = {ept_leaf, ept_prot};

unsigned vmx_ept_max_level(void)
{
	return vmx_caps.ept_vpid & BIT(17) ? 3 : 2;
}

u64 vmx_ept_pointer(const struct slat *s)
{
	return (u64)s->root | EPTP_WB | EPTP_WALK_4;
}

struct inv_descriptor {
	u64 a, b;
};

/* Single-context where the CPU has it (EPT_VPID_CAP bit 25), else all contexts (bit 26). */
void vmx_ept_flush(struct vcpu *v)
{
	struct inv_descriptor d = {vmx_ept_pointer(&v->vm->slat), 0};
	u64 type = vmx_caps.ept_vpid & BIT(25) ? 1 : 2;

	__asm__ volatile("invept %0, %1" ::"m"(d), "r"(type) : "cc", "memory");
}

/* Single-context (bit 41), else all contexts (bit 42); nothing to do without VPID, where each entry flushes.
 */
void vmx_vpid_flush(struct vcpu *v)
{
	struct inv_descriptor d = {to_vmx(v)->vpid, 0};
	u64 type = vmx_caps.ept_vpid & BIT(41) ? 1 : 2;

	if (to_vmx(v)->vpid)
		__asm__ volatile("invvpid %0, %1" ::"m"(d), "r"(type) : "cc", "memory");
}
