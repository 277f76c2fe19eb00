/* The monitor on the host's console. Bytes come from vm/console.c while it is open; commands run where the
 * VM's first vcpu is at home, between an exit and an entry. */
#include "debug/monitor.h"

#include "debug/gdb_internal.h"
#include "debug/lineedit.h"
#include "debug/mon.h"
#include "host/acpi.h"
#include "host/console.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "lib/string.h"
#include "vm/debug.h"

#define CTRL_C 3

struct monitor monitor;

static struct lineedit editor;

static struct {
	u8 head, tail; /* they wrap with the size */
	u8 byte[256];
} typed;

/* vm/console.c, perhaps in an interrupt. */
static void key(u8 c)
{
	if (c == CTRL_C && monitor.steps) /* enough of them */
		monitor.steps = 0;
	else if ((u8)(typed.head + 1) != typed.tail)
		typed.byte[typed.head++] = c;
}

static void toggle(struct vm *vm, bool open)
{
	if (open) {
		monitor_out("\npxHV monitor: help lists the commands, Ctrl-A c goes back\n");
		lineedit_start(&editor);
	} else {
		monitor_out(monitor.stopped ? "\n(the VM is stopped)\n" : "\n");
	}
}

void monitor_poll(void)
{
	/* A command that lets the VM run for a while ends this; the prompt comes after it. */
	while (typed.tail != typed.head && !monitor.steps && !monitor.leave) {
		if (!lineedit_key(&editor, typed.byte[typed.tail++]))
			continue;
		monitor_command(editor.line, monitor_out);
		if (!monitor.steps && !monitor.leave)
			lineedit_start(&editor);
	}
}

/* EV_MONITOR: something was typed; or a step is done and the VM held. Interrupts are off, but for the wait.
 */
static void serve(struct vcpu *v)
{
	if (monitor.stepping) {
		if (!monitor.steps)
			v->events |= EV_DEBUG; /* though it is not done */
		return;
	}
	monitor_poll();
	while (monitor.stopped && !monitor.steps && !(v->events & EV_END)) {
		monitor_wait(acpi.ioapic_base);
		monitor_poll();
	}
	if (!monitor.steps || (v->events & EV_END))
		return;
	monitor.stepping = true;
	gdb_step_begin(v);
	gdb_break_apply(v);
}

/* EV_DEBUG: a step is done. */
static void stopped(struct vcpu *v)
{
	struct mon_sink sink;
	struct mon m;

	gdb_step_end(v);
	gdb_break_apply(v);
	__atomic_and_fetch(&v->events, ~EV_DEBUG, __ATOMIC_RELAXED);
	monitor.stepping = false;
	monitor.steps -= monitor.steps != 0;
	mon_init(&m, v->vm, &sink, monitor_out);
	mon_code(&m, 1);
	if (!monitor.steps)
		lineedit_start(&editor);
	serve(v);
}

static const struct vm_debugger debugger = {
	.stop = stopped, .exception = gdb_exception, .deliver = gdb_step_deliver};

void monitor_init(void)
{
	editor.out = monitor_out;
	editor.words = mon_words;
	editor.prompt = "pxhv> ";
	console_monitor.key = key;
	console_monitor.toggle = toggle;
	console_monitor.serve = serve;
}

void monitor_attach(struct vm *vm)
{
	monitor = (struct monitor){0};
	console_monitor.open = false;
	vm->debugger = &debugger;
}

bool monitor_dead(struct vm *vm, int status)
{
	if (monitor.leave || console_monitor.quit) /* said while GDB looked at it */
		return monitor.reset;
	monitor_out("\nThe monitor stays, for a look: help lists the commands, poweroff or reset end it\n");
	lineedit_start(&editor);
	console_flush();
	host_would_exit(status);
	typed.tail = typed.head;
	monitor = (struct monitor){0};
	console_monitor.open = true;
	while (!monitor.leave && !console_monitor.quit) {
		monitor_wait(acpi.ioapic_base);
		monitor_poll();
	}
	return monitor.reset;
}
