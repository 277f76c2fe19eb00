/* Getting past the instruction that exited. CPUs without nRIP do not say how long it was: then it is decoded,
 * and the last one is remembered, because the same few instructions exit again and again. */

#include "host/cpu.h"
#include "lib/errno.h"
#include "svm/svm.h"
#include "vm/vm.h"

int svm_decode(struct vcpu *v, struct insn *out)
{
	u8 bytes[INSN_MAX];
	u32 access = PF_FETCH | (vcpu_cpl(v) == 3 ? PF_USER : 0), error;
	struct segment cs;
	u64 fault, rip = v->rip;
	size_t n = INSN_MAX;

	svm_get_seg(v, SEG_CS, &cs);
	if (vcpu_code_bits(v) != 64)
		rip = (u32)(rip + cs.base);
	/* An instruction may end right before an absent page. */
	if (vcpu_read(v, rip, bytes, n, access, &fault, &error)) {
		n = MIN(n, PAGE_SIZE - (rip & ~PAGE_MASK));
		if (vcpu_read(v, rip, bytes, n, access, &fault, &error)) {
			vcpu_page_fault(v, fault, error);
			return -EFAULT;
		}
	}
	if (decode_insn(bytes, n, vcpu_code_bits(v), out)) {
		vm_died(v->vm, "cannot decode the instruction at rip %#llx (%02x %02x %02x %02x)",
			(unsigned long long)v->rip, bytes[0], bytes[1], bytes[2], bytes[3]);
		return -EINVAL;
	}
	return 0;
}

static u32 measure(struct svm_vcpu *x)
{
	struct insn i;
	u64 cr3 = *vmcb_cr3(x->vmcb);

	if (likely(x->length_rip == x->v.rip && x->length_cr3 == cr3))
		return x->length;
	if (svm_decode(&x->v, &i))
		return 0;
	x->length_rip = x->v.rip;
	x->length_cr3 = cr3;
	x->length = i.len;
	return i.len;
}

void svm_skip(struct vcpu *v, unsigned len)
{
	struct svm_vcpu *x = to_svm(v);
	u64 rip = v->rip;

	if (len)
		rip += len;
	else if (svm_caps.nrip && *vmcb_nrip(x->vmcb))
		rip = *vmcb_nrip(x->vmcb);
	else
		rip += measure(x);
	if (unlikely((rip ^ v->rip) >> 32) && vcpu_code_bits(v) != 64)
		rip = (u32)rip;
	v->rip = rip;
	*vmcb_rip(x->vmcb) = rip;
	*vmcb_interrupt_shadow(x->vmcb) &= ~1ULL;
	if (likely(!(*vmcb_rflags(x->vmcb) & RFLAGS_TF)))
		return;
	if (v->debug & DEBUG_STEP) {
		v->events |= EV_DEBUG;
	} else {
		*vmcb_dr6(x->vmcb) |= BIT(14);
		vcpu_exception(v, X86_DB, false, 0);
	}
}
