#include "debug/autopsy.h"
#include "host/percpu.h"
#include "lib/printf.h"
#include "vm/trace.h"
#include "vm/vm.h"

#define SHOWN_EXITS 16
#define ULL(x)	    ((unsigned long long)(x))

static void print_registers(const struct cpu_state *s)
{
	static const char names[GPR_COUNT][4] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
						 "r8",	"r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
	static const char seg_names[SEG_COUNT][3] = {"es", "cs", "ss", "ds", "fs", "gs", "ld", "tr"};

	printk("rip %016llx  rflags %08llx\n", ULL(s->rip), ULL(s->rflags));
	for (unsigned i = 0; i < GPR_COUNT; i++)
		printk("%-3s %016llx%s", names[i], ULL(s->gpr[i]), i % 4 == 3 ? "\n" : "  ");
	printk("cr0 %llx  cr2 %llx  cr3 %llx  cr4 %llx  efer %llx  dr7 %llx\n", ULL(s->cr0), ULL(s->cr2),
	       ULL(s->cr3), ULL(s->cr4), ULL(s->efer), ULL(s->dr7));
	for (unsigned i = 0; i < SEG_COUNT; i++)
		printk("%s %04x base %llx limit %x attr %x%s", seg_names[i], s->seg[i].selector,
		       ULL(s->seg[i].base), s->seg[i].limit, s->seg[i].attr, i % 2 ? "\n" : "   ");
	printk("gdt %llx/%x  idt %llx/%x\n", ULL(s->gdtr.base), s->gdtr.limit, ULL(s->idtr.base),
	       s->idtr.limit);
}

static void print_code(struct vcpu *v, const struct cpu_state *s)
{
	u64 fault, rip = s->rip + (vcpu_code_bits(v) == 64 ? 0 : s->seg[SEG_CS].base);
	u32 error;
	u8 byte;

	printk("code at rip:");
	for (unsigned i = 0; i < 16; i++) {
		if (vcpu_read(v, rip + i, &byte, 1, 0, &fault, &error)) {
			printk(i ? " (not mapped)" : " not mapped by the guest's page tables");
			break;
		}
		printk(" %02x", byte);
	}
	printk("\n");
}

static void print_exits(struct vcpu *v)
{
	u64 all = vcpu_exits(v), n = MIN(all, (u64)SHOWN_EXITS);

	printk("last %llu of %llu exits:\n", ULL(n), ULL(all));
	for (u64 i = all - n; i != all; i++) {
		const struct exit_record *r = vcpu_exit(v, i + 1);

		printk("  tsc %llu  rip %llx  %s (%u)\n", ULL(r->tsc), ULL(r->rip),
		       v->ops->exit_name(r->reason), r->reason);
	}
}

void autopsy(struct vm *vm)
{
	struct vcpu *v = vm->vcpus[0];
	struct cpu_state s;

	printk("\npxHV: vm '%s' died: %s\n", vm->config->name, vm->end_reason);
	v->ops->get_state(v, &s);
	print_registers(&s);
	print_code(v, &s);
	print_exits(v);
	if (vm->unclaimed_reads + vm->unclaimed_writes + vm->unknown_msrs)
		printk("unclaimed accesses: %llu (last port %#x); unknown MSRs: %llu (last %#x)\n",
		       ULL(vm->unclaimed_reads + vm->unclaimed_writes), vm->last_unclaimed_port,
		       ULL(vm->unknown_msrs), vm->last_unknown_msr);
}

void exit_ring_dump(void)
{
	struct vcpu *v = this_cpu()->vcpu;

	if (!v)
		return;
	print_exits(v);
	trace_finish(v);
}
