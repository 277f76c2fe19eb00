/* The life of a virtual machine. */
#include "vm/vm.h"

#include "host/page.h"
#include "host/percpu.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/disk.h"
#include "vm/exits.h"
#include "vm/trace.h"

#define PORTS	   0x10000
#define HEAP_RUN   (16 * KiB)
#define HEAP_ALIGN 64

/* Never used again, so that what hardware tags with it (VPIDs) needs no flush. */
static u32 next_id;

u64 wall_clock_base;

static void *heap_run(struct vm *vm, u64 size)
{
	u8 *p;

	if (vm->heap_count == VM_MAX_HEAP_RUNS)
		return NULL;
	p = page_alloc_run(size, PAGE_SIZE, 0);
	if (!p)
		return NULL;
	vm->heap[vm->heap_count].base = p;
	vm->heap[vm->heap_count++].size = ALIGN_UP(size, PAGE_SIZE);
	return memset(p, 0, ALIGN_UP(size, PAGE_SIZE));
}

void *vm_zalloc(struct vm *vm, size_t size)
{
	void *p;

	if (size >= PAGE_SIZE)
		return heap_run(vm, size);
	size = ALIGN_UP(size, HEAP_ALIGN);
	if (vm->heap_left < size) {
		p = heap_run(vm, HEAP_RUN);
		if (!p)
			return NULL;
		vm->heap_next = p;
		vm->heap_left = HEAP_RUN;
	}
	p = vm->heap_next;
	vm->heap_next += size;
	vm->heap_left -= size;
	return p;
}

static int check_config(const struct vm_config *c, const struct vcpu_ops *ops)
{
	if (c->cpus > 1) {
		printk("vm '%s': cpus = %u, but this version runs 1 CPU per VM\n", c->name, c->cpus);
		return -EINVAL;
	}
	if ((c->kind == GUEST_FIRMWARE || c->flat_bits == 16) && ops->no_real_mode()) {
		printk("vm '%s': starts in real mode, which %s here cannot run: %s\n", c->name, ops->name,
		       ops->no_real_mode());
		return -ENODEV;
	}
	return 0;
}

/* In the power-on state of SDM 3A 10.1, but for the registers, which are the loader's to choose. */
static int create_vcpu(struct vm *vm, const struct vcpu_ops *ops)
{
	struct vcpu *v = vm_zalloc(vm, ops->vcpu_size);
	int err;

	if (!v)
		return -ENOMEM;
	v->vm = vm;
	v->ops = ops;
	v->index = vm->vcpu_count;
	vm->vcpus[vm->vcpu_count++] = v;
	v->timers.next = TIMER_NEVER;
	err = msr_create(v);
	if (!err)
		err = lapic_create(v);
	return err ? err : ops->create(v);
}

/* -ENOMEM, having said for what. */
static int no_memory(const struct vm_config *c, const char *what)
{
	printk("vm '%s': no memory left for %s\n", c->name, what);
	return -ENOMEM;
}

/* The port table and the vcpus. Only a lack of memory is left for us to tell; the vendor explains the rest.
 */
static int create_core(struct vm *vm, const struct vcpu_ops *ops)
{
	int err;

	vm->port_owner = vm_zalloc(vm, PORTS);
	err = vm->port_owner ? create_vcpu(vm, ops) : -ENOMEM;
	return err == -ENOMEM ? no_memory(vm->config, "its vcpu") : err;
}

static int create_parts(struct vm *vm, const struct vcpu_ops *ops)
{
	int err;

	if (slat_init(&vm->slat, ops->slat, ops->slat_max_level()))
		return no_memory(vm->config, "its page tables");
	err = vm_memory_create(vm, vm->config->memory);
	if (!err)
		err = create_core(vm, ops);
	if (err)
		return err;
	vm_console_create(vm);
	vcpu_watch(vm->vcpus[0]);
	return devices_create(vm);
}

struct vm *vm_create(const struct vm_config *config, const struct vcpu_ops *ops)
{
	struct vm *vm;

	if (check_config(config, ops))
		return NULL;
	vm = page_alloc_run(sizeof(*vm), PAGE_SIZE, 0);
	if (!vm) {
		no_memory(config, "it");
		return NULL;
	}
	memset(vm, 0, sizeof(*vm));
	vm->config = config;
	vm->id = __atomic_fetch_add(&next_id, 1, __ATOMIC_RELAXED);
	if (create_parts(vm, ops)) {
		vm_destroy(vm);
		return NULL;
	}
	return vm;
}

struct disk *vm_disk(struct vm *vm, unsigned n)
{
	struct disk *d = n < CONFIG_MAX_DISKS ? vm->config->disks[n].disk : NULL;

	if (d)
		d->lock = &vm->lock;
	return d;
}

/* No drive may write to memory that is given back. */
static void cancel_requests(struct vm *vm)
{
	struct disk *d;

	spin_lock(&vm->lock);
	for (unsigned n = 0; (d = vm_disk(vm, n)); n++)
		if (d->ops->cancel)
			d->ops->cancel(d);
	spin_unlock(&vm->lock);
}

void vm_destroy(struct vm *vm)
{
	cancel_requests(vm);
	vm_console_release(vm);
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i]->ops->destroy)
			vm->vcpus[i]->ops->destroy(vm->vcpus[i]);
		if (this_cpu()->vcpu == vm->vcpus[i])
			this_cpu()->vcpu = NULL;
	}
	slat_destroy(&vm->slat);
	vm_memory_destroy(vm);
	for (u32 i = 0; i < vm->heap_count; i++)
		page_free_run(vm->heap[i].base, vm->heap[i].size);
	page_free_run(vm, sizeof(*vm));
}

enum vm_end vm_run(struct vm *vm)
{
	struct vcpu *v = vm->vcpus[0];

	vm_console_activate(vm);
	this_cpu()->vcpu = v;
	/* The devices armed their timers before this CPU knew whose they are. */
	vcpu_kick(v, EV_TIMER | EV_INTERRUPT);
	if (vm->config->trace)
		trace_begin(v);
	if (v->ops->run(v) < 0)
		vm_died(vm, "%s could not run it", v->ops->name);
	if (v->traced)
		trace_finish(v);
	this_cpu()->vcpu = NULL;
	host_timer_rearm(TIMER_NEVER);
	vm_console_leave(vm);
	return vm->end;
}

void vm_end(struct vm *vm, enum vm_end how, u32 status)
{
	if (vm->end == VM_RUNNING) { /* the first reason counts */
		vm->end = how;
		vm->end_status = status;
	}
	for (u32 i = 0; i < vm->vcpu_count; i++)
		vcpu_kick(vm->vcpus[i], EV_END);
}

void vm_died(struct vm *vm, const char *fmt, ...)
{
	va_list ap;

	if (vm->end != VM_RUNNING)
		return;
	va_start(ap, fmt);
	kvsnprintf(vm->end_reason, sizeof(vm->end_reason), fmt, ap);
	va_end(ap);
	vm_end(vm, VM_DIED, 0);
}

u64 vm_memory_size(const struct vm *vm)
{
	return vm->memory_size;
}

bool vm_wants_debug_exit(const struct vm *vm)
{
	return vm->config->debug_exit;
}

struct timer_queue *vm_timers(struct vm *vm)
{
	return &vm->vcpus[0]->timers;
}
