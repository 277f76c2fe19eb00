#include "vm/trace.h"

#include "host/exit.h"
#include "host/page.h"
#include "lib/string.h"
#include "vm/vm.h"

struct trace *trace_create(const char *vm, u32 vcpu, u64 size, u32 insns)
{
	struct trace *t = page_alloc_run(size, PAGE_SIZE, 0);

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	t->capacity = (size - sizeof(*t)) / sizeof(struct exit_record);
	t->tsc_hz = tsc_hz;
	t->begin = t->end = tsc_now();
	t->vcpu = vcpu;
	t->insns = insns;
	memcpy(t->vm, vm, MIN(strlen(vm), sizeof(t->vm) - 1));
	t->magic = TRACE_MAGIC;
	host_report("pxhv-trace %#llx %#llx", (unsigned long long)t, (unsigned long long)size);
	return t;
}

static void save(struct trace *t, const struct exit_record *r, u64 n)
{
	while (n) {
		u64 at = t->written % t->capacity, count = MIN(n, t->capacity - at);

		memcpy(&t->records[at], r, count * sizeof(*r));
		t->written += count;
		r += count;
		n -= count;
	}
}

void trace_save_ring(struct vcpu *v)
{
	save(v->trace, v->ring, EXIT_RING_SIZE);
}

void trace_begin(struct vcpu *v)
{
	struct trace *t = v->vm->config->traces[v->index];

	if (!t)
		return;
	v->trace = t;
	v->traced = true;
	memcpy(t->vendor, v->ops->name, MIN(strlen(v->ops->name), sizeof(t->vendor) - 1));
	*vcpu_exit(v, 0) = (struct exit_record){.reason = TRACE_START, .tsc = tsc_now()};
}

void trace_insn(struct vcpu *v, u64 pc, u64 code)
{
	struct exit_record r = {.rip = pc, .reason = TRACE_INSN, .tsc = tsc_now(), .detail = code};

	save(v->trace, &r, 1);
}

void trace_finish(struct vcpu *v)
{
	u64 last = vcpu_exits(v) % EXIT_RING_SIZE;

	v->traced = false;
	/* The exit that ended the guest was followed by no entry. */
	if (!v->ring[last].ticks)
		v->ops->trace_exit(v, &v->ring[last]);
	if (last != EXIT_RING_SIZE - 1)
		save(v->trace, v->ring, last + 1);
	v->trace->tsc_hz = tsc_hz;
	v->trace->end = tsc_now();
}
