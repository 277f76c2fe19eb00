/* The hypercalls of guest/pxhv.h. */
#include "guest/pxhv.h"
#include "vm/exits.h"
#include "vm/vm.h"

static s64 hypercall_result(struct vcpu *v, u32 number)
{
	if (number == PXHV_HC_VERSION)
		return PXHV_VERSION;
	if (number != PXHV_HC_PUTC && number != PXHV_HC_YIELD && number != PXHV_HC_SHUTDOWN)
		return PXHV_ENOSYS;
	if (vcpu_cpl(v))
		return PXHV_EPERM;
	if (number == PXHV_HC_PUTC) {
		spin_lock(&v->vm->lock);
		vm_console_putc(v->vm, v->regs[RBX]);
		spin_unlock(&v->vm->lock);
	} else if (number == PXHV_HC_SHUTDOWN) {
		vm_end(v->vm, VM_POWEROFF, 0);
	}
	return 0; /* YIELD: every exit is a chance for others already */
}

__noinline void hypercall(struct vcpu *v, u32 number)
{
	v->regs[RAX] = hypercall_result(v, number);
	v->ops->skip(v, 0);
}
