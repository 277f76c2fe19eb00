/* `info`: what the VM is made of. */
#include "debug/mon.h"
#include "host/time.h"
#include "lib/math.h"
#include "lib/string.h"

#define ULL(x) ((unsigned long long)(x))

static void info_vms(struct mon *m)
{
	const struct vm *vm = m->vm;

	say(m, "%s (%s, %s, %llu MiB, %u CPU): %s\n", vm->config->name,
	    nth_string("none\0linux\0multiboot\0flat\0firmware", vm->config->kind), m->v->ops->name,
	    ULL(vm->memory_size / MiB), vm->vcpu_count,
	    vm->end == VM_RUNNING && monitor.stopped
		    ? "is stopped"
		    : nth_string("runs\0is off\0reboots\0has ended\0has died", vm->end));
	if (vm->end_reason[0])
		say(m, "%s\n", vm->end_reason);
	mon_show_chain(m);
}

static void info_regs(struct mon *m)
{
	struct cpu_state s;

	vcpu_get_state(m->v, &s);
	mon_show_registers(m, &s);
}

static void info_cpu(struct mon *m)
{
	struct cpu_state s;

	vcpu_get_state(m->v, &s);
	say(m, "%u-bit code, privilege level %u%s\n", vcpu_code_bits(m->v), vcpu_cpl(m->v),
	    m->v->halted ? ", halted" : "");
	mon_show_control(m, &s);
	mon_show_segments(m, &s);
}

void mon_info_mem(struct mon *m)
{
	for (u32 i = 0; i < m->vm->slot_count; i++) {
		const struct memslot *s = &m->vm->slots[i];

		say(m, "%012llx-%012llx  %s at host-physical %llx\n", ULL(s->gpa), ULL(s->gpa + s->size - 1),
		    s->readonly ? "ROM" : "RAM", ULL(s->host));
	}
}

static void show_bank(const struct mon *m, const char *name, u32 bank)
{
	say(m, "%s", name);
	for (unsigned i = 0; i < 256; i++)
		if (lapic_read(m->v, bank + i / 32 * 16) & BIT(i % 32))
			say(m, " %02x", i);
	say(m, "\n");
}

void mon_info_irq(struct mon *m)
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
}

static void info_devices(struct mon *m)
{
	const struct vm *vm = m->vm;

	for (u32 i = 0; i < vm->pio_count; i++)
		say(m, "port %04x+%x  %-12s %llu accesses\n", vm->pio[i].base, vm->pio[i].count,
		    vm->pio[i].name, ULL(vm->pio[i].accesses));
	for (u32 i = 0; i < vm->mmio_count; i++)
		say(m, "%llx+%llx  %-12s %llu accesses\n", ULL(vm->mmio[i].base), ULL(vm->mmio[i].size),
		    vm->mmio[i].name, ULL(vm->mmio[i].accesses));
	mon_show_unclaimed(m);
}

static void info_clock(struct mon *m)
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
}

void mon_info(struct mon *m)
{
	/* As the command's words. Only the last needs no VM. */
	static void (*const topics[])(struct mon * m) = {
		info_vms,     info_regs,    info_cpu,	  mon_info_exits, mon_info_mem,
		mon_info_ept, mon_info_irq, info_devices, info_clock,	  mon_info_host,
	};
	int n = mon_choice(m);

	if (n < 0)
		return;
	if (m->vm || n == ARRAY_SIZE(topics) - 1)
		topics[n](m);
	else
		mon_no_vm(m);
}
