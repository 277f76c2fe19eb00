/* Getting past the instruction that exited. CPUs without nRIP do not say how long it was: then it is decoded,
 * and lengths are remembered, because the same few instructions exit again and again. */

#include "host/cpu.h"
#include "svm/svm.h"
#include "vm/emulate.h"
#include "vm/vm.h"

const struct insn *svm_decode(struct vcpu *v)
{
	const struct fetch *f;

	if (!fetch_insn(v))
		return NULL;
	f = v->fetch;
	if (f->insn.len)
		return &f->insn;
	vm_died(v->vm, "cannot decode the instruction at rip %#llx: %016llx", (unsigned long long)v->rip,
		(unsigned long long)__builtin_bswap64(f->now[0]));
	return NULL;
}

static struct svm_length *length_slot(struct svm_vcpu *x)
{
	return &x->lengths[x->v.rip % SVM_LENGTHS];
}

/* Which code is at RIP: other pages have another CR3; and where a boot sector made way for the next, whatever
 * exits in the same way there has, prefixes apart, the same length. */
static u64 length_key(void *vmcb)
{
	return *vmcb_cr3(vmcb) + *vmcb_exitcode(vmcb);
}

/* Sets RIP, ends the shadow and RF, and does what few instructions need: EIP that wraps at 4 GiB outside
 * 64-bit mode, and the #DB that TF asks for. */
static __attribute__((noinline, cold)) void skip_to(struct svm_vcpu *x, u64 rip)
{
	void *b = x->vmcb;

	if ((u32)rip < INSN_MAX && vcpu_code_bits(&x->v) != 64)
		rip = (u32)rip;
	*vmcb_rip(b) = x->v.rip = rip;
	*vmcb_interrupt_shadow(b) = 0;
	*vmcb_rflags(b) &= ~RFLAGS_RF;
	if (!(*vmcb_rflags(b) & RFLAGS_TF))
		return;
	if (x->v.debug & DEBUG_STEP) {
		vcpu_kick(&x->v, EV_DEBUG);
	} else {
		*vmcb_dr6(b) |= DR6_BS;
		svm_give_db(&x->v);
	}
}

static __attribute__((noinline, cold)) void measure_and_skip(struct svm_vcpu *x)
{
	const struct insn *i = svm_decode(&x->v);

	if (!i)
		return;
	/* svm_skip() does not look whether a remembered length makes EIP wrap. */
	if ((u32)(x->v.rip + i->len) >= INSN_MAX)
		*length_slot(x) = (struct svm_length){x->v.rip, length_key(x->vmcb), i->len};
	skip_to(x, x->v.rip + i->len);
}

void svm_skip(struct vcpu *v, unsigned len)
{
	struct svm_vcpu *x = to_svm(v);
	void *b = x->vmcb;
	u64 next = *vmcb_nrip(b); /* 0 where the CPU has no nRIP, or none for this exit */
	bool wraps = false;

	if (unlikely(len)) {
		next = v->rip + len;
		wraps = (u32)next < INSN_MAX;
	} else if (next) {
		*vmcb_nrip(b) = 0;
		wraps = (u32)next < INSN_MAX;
	} else {
		const struct svm_length *l = length_slot(x);

		if (unlikely(l->rip != v->rip || l->key != length_key(b))) {
			measure_and_skip(x);
			return;
		}
		next = v->rip + l->len;
	}
	if (unlikely(wraps || (*vmcb_rflags(b) & (RFLAGS_TF | RFLAGS_RF)))) {
		skip_to(x, next);
		return;
	}
	*vmcb_rip(b) = v->rip = next;
	*vmcb_interrupt_shadow(b) = 0;
}
