/* `info host`: the PC underneath, and which of its CPU's features are used, which not, and why. */
#include "debug/mon.h"
#include "host/acpi.h"
#include "host/cpu.h"
#include "host/page.h"
#include "host/percpu.h"
#include "host/time.h"
#include "vm/vcpu.h"

static void show_brand(const struct mon *m)
{
	char brand[49] = "unknown CPU";

	if (cpuid(0x80000000, 0).eax >= 0x80000004) {
		for (u32 i = 0; i < 3; i++)
			*(struct cpuid_regs *)(brand + 16 * i) = cpuid(0x80000002 + i, 0);
		brand[48] = 0;
	}
	say(m, "%s, %u of it used, %llu Hz\n", brand, cpu_count, (unsigned long long)tsc_hz);
}

void mon_info_host(struct mon *m)
{
	struct cpu_feature f;

	show_brand(m);
	say(m, "memory %llu MiB, %llu free; interrupts by %s\n",
	    (unsigned long long)(page_total_bytes() / MiB), (unsigned long long)(page_free_bytes() / MiB),
	    acpi.ioapic_base ? "the IOAPIC" : "polling");
	if (!m->v)
		return;
	for (unsigned i = 0; m->v->ops->feature(i, &f); i++) {
		if (f.present && !*f.why)
			say(m, "used      %s\n", f.name);
		else if (f.present)
			say(m, "not used  %s: %s\n", f.name, f.why);
		else
			say(m, "missing   %s\n", f.name);
	}
}
