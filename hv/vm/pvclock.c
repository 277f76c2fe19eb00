/* The paravirtual clock. System time is the host's TSC in nanoseconds, the same for all vcpus and for ever:
 * the page is written when the guest asks for it and when it sets its TSC, and never else. */
#include "vm/pvclock.h"

#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/math.h"
#include "vm/vm.h"

#define NS_PER_S 1000000000ULL

struct pvclock {
	u64 system; /* the MSR */
	u32 version;
};

void pvclock_scale(u64 hz, u32 *mul, s8 *shift)
{
	int s = 0;

	/* mul = 2^32 * 1e9 / (hz << s) shall have 32 bits: 1e9 < hz << s <= 2e9. */
	while (hz > 2 * NS_PER_S << s)
		s++;
	if (s) {
		*mul = muldiv64(NS_PER_S << 32, BIT(s), hz);
		*shift = -s;
		return;
	}
	while (hz << s <= NS_PER_S)
		s++;
	*mul = (NS_PER_S << 32) / (hz << s);
	*shift = s;
}

/* Writes the page as readers on other vcpus need it: an odd version, the values, an even version. x86 keeps
 * the order of stores. Without the address in RAM nothing is written. */
static void write_system_time(struct vcpu *v)
{
	struct pvclock *p = v->pvclock;
	struct pvclock_time t = {.flags = PVCLOCK_TSC_STABLE};
	u64 now = tsc_now(), gpa = p->system & ~3ULL;

	if (!(p->system & 1))
		return;
	p->version += 2;
	t.version = p->version - 1;
	t.tsc_timestamp = now + v->tsc_offset;
	t.system_time = muldiv64(now, NS_PER_S, tsc_hz);
	pvclock_scale(tsc_hz, &t.tsc_to_system_mul, &t.tsc_shift);
	if (guest_write(v->vm, gpa, &t.version, sizeof(t.version)) || guest_write(v->vm, gpa, &t, sizeof(t)))
		return;
	guest_write(v->vm, gpa, &p->version, sizeof(p->version));
}

void pvclock_write_wall(struct vcpu *v, u64 val)
{
	struct pvclock_wall w = {.version = 2, .sec = wall_clock_base};

	guest_write(v->vm, val & ~3ULL, &w, sizeof(w));
}

void pvclock_write_system(struct vcpu *v, u64 val)
{
	((struct pvclock *)v->pvclock)->system = val;
	write_system_time(v);
}

void pvclock_tsc_changed(struct vcpu *v)
{
	write_system_time(v);
}

int pvclock_create(struct vcpu *v)
{
	v->pvclock = vm_zalloc(v->vm, sizeof(struct pvclock));
	return v->pvclock ? 0 : -ENOMEM;
}
