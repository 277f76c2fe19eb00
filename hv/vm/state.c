/* A vcpu's whole state at once. */
#include "lib/string.h"
#include "vm/vcpu.h"

void vcpu_get_state(struct vcpu *v, struct cpu_state *s)
{
	memcpy(s->gpr, v->regs, sizeof(s->gpr));
	s->gpr[RSP] = v->ops->get(v, VREG_RSP);
	for (unsigned i = 0; i < VREG_STATE_COUNT; i++)
		s->vreg[i] = v->ops->get(v, i);
	for (unsigned i = 0; i < SEG_ALL; i++)
		v->ops->get_seg(v, i, &s->seg[i]);
}

void vcpu_set_state(struct vcpu *v, const struct cpu_state *s)
{
	memcpy(v->regs, s->gpr, sizeof(s->gpr));
	v->ops->set(v, VREG_RSP, s->gpr[RSP]);
	for (unsigned i = 0; i < VREG_MODE; i++)
		v->ops->set(v, i, s->vreg[i]);
	for (unsigned i = 0; i < SEG_ALL; i++)
		v->ops->set_seg(v, i, &s->seg[i]);
	v->ops->set_mode(v, &s->mode);
}
