/* `info`: what the VM is made of. */
#include "debug/mon.h"
#include "host/time.h"
#include "lib/errno.h"
#include "lib/math.h"
#include "lib/string.h"

#define ULL(x) ((unsigned long long)(x))

static int info_vms(struct mon *m)
{
	static const char *const kinds[] = {"none", "linux", "multiboot", "flat", "firmware"};
	static const char *const ends[] = {"runs", "is off", "reboots", "has ended", "has died"};
	const struct vm *vm = m->vm;

	say(m, "%s (%s, %s, %llu MiB, %u CPU): %s\n", vm->config->name, kinds[vm->config->kind],
	    m->v->ops->name, ULL(vm->memory_size / MiB), vm->vcpu_count,
	    vm->end == VM_RUNNING && monitor.stopped ? "is stopped" : ends[vm->end]);
	if (vm->end_reason[0])
		say(m, "%s\n", vm->end_reason);
	mon_show_chain(m);
	return 0;
}

static int info_regs(struct mon *m)
{
	struct cpu_state s;

	vcpu_get_state(m->v, &s);
	mon_show_registers(m, &s);
	return 0;
}

static int info_cpu(struct mon *m)
{
	struct cpu_state s;

	vcpu_get_state(m->v, &s);
	say(m, "%u-bit code, privilege level %u%s\n", vcpu_code_bits(m->v), vcpu_cpl(m->v),
	    m->v->halted ? ", halted" : "");
	mon_show_control(m, &s);
	mon_show_segments(m, &s);
	return 0;
}

int mon_info_mem(struct mon *m)
{
	for (u32 i = 0; i < m->vm->slot_count; i++) {
		const struct memslot *s = &m->vm->slots[i];

		say(m, "%012llx-%012llx  %s at host-physical %llx\n", ULL(s->gpa), ULL(s->gpa + s->size - 1),
		    s->readonly ? "ROM" : "RAM", ULL(s->host));
	}
	return 0;
}

static void show_bank(const struct mon *m, const char *name, u32 bank)
{
	say(m, "%s", name);
	for (unsigned i = 0; i < 256; i++)
		if (lapic_read(m->v, bank + i / 32 * 16) & BIT(i % 32))
			say(m, " %02x", i);
	say(m, "\n");
}

int mon_info_irq(struct mon *m)
{
	static const struct {
		char name[8];
		u16 reg;
	} regs[] = {{"TPR", LAPIC_TPR},	   {"PPR", LAPIC_PPR},	  {"SVR", LAPIC_SVR},
		    {"timer", LAPIC_LVTT}, {"LINT0", LAPIC_LVT0}, {"LINT1", LAPIC_LVT1},
		    {"count", LAPIC_TMICT}};
	struct vcpu *v = m->v;

	say(m, "LAPIC %llx:", ULL(v->lapic.base));
	for (unsigned i = 0; i < ARRAY_SIZE(regs); i++)
		say(m, " %s %x", regs[i].name, lapic_read(v, regs[i].reg));
	say(m, "\n");
	show_bank(m, "requested", LAPIC_IRR);
	show_bank(m, "in service", LAPIC_ISR);
	say(m, "8259 INT %u, NMI pending %u, can take an interrupt %u, an NMI %u\n", m->vm->extint,
	    v->nmi_pending, v->ops->can_take_interrupt(v), v->ops->can_take_nmi(v));
	say(m, "8259 masks %02x %02x\n", bus_pio_read(m->vm, 0x21, 1), bus_pio_read(m->vm, 0xA1, 1));
	return 0;
}

static int info_devices(struct mon *m)
{
	const struct vm *vm = m->vm;

	for (u32 i = 0; i < vm->pio_count; i++)
		say(m, "port %04x+%x  %-12s %llu accesses\n", vm->pio[i].base, vm->pio[i].count,
		    vm->pio[i].name, ULL(vm->pio[i].accesses));
	for (u32 i = 0; i < vm->mmio_count; i++)
		say(m, "%llx+%llx  %-12s %llu accesses\n", ULL(vm->mmio[i].base), ULL(vm->mmio[i].size),
		    vm->mmio[i].name, ULL(vm->mmio[i].accesses));
	mon_show_unclaimed(m);
	return 0;
}

static int info_clock(struct mon *m)
{
	const struct timer_queue *q = &m->v->timers;
	u64 now = tsc_now();

	say(m, "TSC %llu Hz; host %llu, guest %llu; up %llu ms\n", ULL(tsc_hz), ULL(now),
	    ULL(now + m->v->tsc_offset), ULL(time_ms()));
	for (u32 i = 0; i < q->count; i++) {
		u64 at = q->timers[i]->deadline;

		if (at == TIMER_NEVER)
			continue;
		say(m, "timer %u in %s%llu us\n", i, at < now ? "-" : "",
		    ULL(muldiv64(MIN(at < now ? now - at : at - now, 1ULL << 60), 1000000,
				 MAX(tsc_hz, 1ULL << 20))));
	}
	return 0;
}

static const struct {
	char name[8];
	bool needs_vm;
	int (*run)(struct mon *m);
} topics[] = {
	{"vms", true, info_vms},	 {"regs", true, info_regs},	  {"cpu", true, info_cpu},
	{"exits", true, mon_info_exits}, {"mem", true, mon_info_mem},	  {"ept", true, mon_info_ept},
	{"irq", true, mon_info_irq},	 {"devices", true, info_devices}, {"clock", true, info_clock},
	{"host", false, mon_info_host},
};

int mon_info(struct mon *m)
{
	for (unsigned i = 0; m->argc > 1 && i < ARRAY_SIZE(topics); i++) {
		if (strcmp(topics[i].name, m->argv[1]))
			continue;
		if (!topics[i].needs_vm || m->vm)
			return topics[i].run(m);
		say(m, "there is no VM\n");
		return -ENODEV;
	}
	say(m, "info what?");
	for (unsigned i = 0; i < ARRAY_SIZE(topics); i++)
		say(m, " %s", topics[i].name);
	say(m, "\n");
	return -EINVAL;
}
