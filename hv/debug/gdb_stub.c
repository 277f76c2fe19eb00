/* The stub's side of the guest: when it stops, who serves GDB meanwhile, and how it goes on. */
#include "debug/gdb.h"
#include "debug/gdb_internal.h"
#include "debug/monitor.h"
#include "host/acpi.h"
#include "host/apic.h"
#include "host/console.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "host/ioapic.h"
#include "host/irq.h"
#include "host/percpu.h"
#include "host/uart.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/debug.h"

#define COM2_IRQ 3
#define RX_SIZE	 256

/* What the line has brought; only this CPU's interrupt handler and the vcpu that talks touch it, interrupts
 * off. */
static struct {
	bool interrupts;
	u32 head, tail;
	u8 byte[RX_SIZE];
} rx;

static void poll_line(void)
{
	unsigned budget = RX_SIZE;
	int c;

	do {
		while (rx.head - rx.tail < RX_SIZE && (c = uart_getc(&com2)) >= 0)
			rx.byte[rx.head++ % RX_SIZE] = (u8)c;
		uart_pump(&com2);
	} while (uart_interrupt_pending(&com2) && budget--);
}

/* While the guest runs: Ctrl-C, or a GDB that connects. '+' acknowledges, and asks for nothing. */
static void com2_interrupt(void)
{
	poll_line();
	if (!gdb.vm || gdb.stopped)
		return;
	while (rx.tail != rx.head && rx.byte[rx.tail % RX_SIZE] == '+')
		rx.tail++;
	if (rx.tail != rx.head)
		vcpu_kick(gdb.vm->vcpus[0], EV_DEBUG);
}

static void transmit_byte(u8 c)
{
	uart_putc(&com2, c);
}

void gdb_transmit(void)
{
	gdb_send(&gdb.out, transmit_byte);
	uart_flush(&com2);
}

static void acknowledge(char c)
{
	if (!gdb.no_ack)
		uart_putc(&com2, (u8)c);
	uart_flush(&com2);
}

/* A GDB that begins. The one before may have gone without a word, and has left what it had set. */
static void greet(void)
{
	gdb.no_ack = false;
	gdb_break_remove_all();
}

/* Serves GDB until the guest is to run on or, unless it is dead, to end. */
static void talk(struct vcpu *v, bool dead)
{
	gdb.current = gdb_vcpu(v);
	gdb.target.code_bits = vcpu_code_bits(v);
	if (rx.tail != rx.head && rx.byte[rx.tail % RX_SIZE] == '$')
		gdb.waiting = false; /* who waits sends no packet: this GDB is a new one */
	if (gdb.waiting) {
		gdb.waiting = false;
		gdb_clear(&gdb.out);
		gdb_put_stop(v);
		gdb_transmit();
	}
	for (gdb.leave = false; !gdb.leave && (dead ? !console_monitor.quit : !(v->events & EV_END));) {
		poll_line();
		if (rx.tail == rx.head) {
			if (monitor_poll)
				monitor_poll();
			if (!gdb.leave) /* by a command */
				monitor_wait(rx.interrupts);
			continue;
		}
		switch (gdb_packet_byte(&gdb.in, rx.byte[rx.tail++ % RX_SIZE])) {
		case GDB_PACKET:
			if (!strncmp(gdb.in.data, "qSupported", 10))
				greet();
			acknowledge('+');
			gdb.connected = true;
			gdb_command(v);
			break;
		case GDB_BAD:
			acknowledge('-');
			break;
		case GDB_NACK:
			gdb_transmit();
			break;
		default:
			break;
		}
	}
}

static void stop_others(struct vcpu *v)
{
	for (u32 i = 0; i < v->vm->vcpu_count; i++)
		if (i != v->index)
			vcpu_kick(v->vm->vcpus[i], EV_DEBUG);
	while (__atomic_load_n(&gdb.stopped, __ATOMIC_ACQUIRE) != BIT(v->vm->vcpu_count) - 1 &&
	       !(v->events & EV_END))
		cpu_relax();
}

/* Waits while another vcpu serves GDB, and as long as GDB holds this one. */
static void park(struct vcpu *v)
{
	u32 round = gdb.round;

	while ((__atomic_load_n(&gdb.round, __ATOMIC_ACQUIRE) == round || !gdb_vcpu(v)->action) &&
	       !(v->events & EV_END))
		cpu_relax();
}

static void serve(struct vcpu *v)
{
	stop_others(v);
	talk(v, false);
	/* Those that GDB lets go must be seen as running before they can stop again. */
	for (u32 i = 0; i < v->vm->vcpu_count; i++)
		if (gdb.vcpu[i].action)
			__atomic_and_fetch(&gdb.stopped, ~(u32)BIT(i), __ATOMIC_RELEASE);
	__atomic_add_fetch(&gdb.round, 1, __ATOMIC_RELEASE);
	spin_unlock(&gdb.talking);
}

static void run_on(struct vcpu *v)
{
	struct gdb_vcpu *g = gdb_vcpu(v);

	gdb_settle(v);
	g->report = (struct gdb_report){.signal = SIGNAL_INT, .reason = -1}; /* if nothing else comes */
	__atomic_and_fetch(&v->events, ~EV_DEBUG, __ATOMIC_RELAXED);
	if (g->action == 's')
		gdb_step_begin(v);
	gdb_break_apply(v);
}

static void stop(struct vcpu *v)
{
	struct gdb_vcpu *g = gdb_vcpu(v);

	if ((v->debug & DEBUG_STEP) && g->report.signal == SIGNAL_INT)
		g->report.signal = SIGNAL_TRAP;
	gdb_step_end(v);
	vcpu_get_state(v, &g->state);
	g->action = 0;
	__atomic_or_fetch(&gdb.stopped, (u32)BIT(v->index), __ATOMIC_RELEASE);
	if (!__atomic_test_and_set(&gdb.talking.taken, __ATOMIC_ACQUIRE))
		serve(v);
	else
		park(v);
	if (!g->action && !(v->events & EV_END)) /* the one that served GDB, held by it */
		park(v);
	run_on(v);
}

static bool attends(void)
{
	return gdb.connected;
}

static const struct vm_debugger debugger = {
	.stop = stop, .exception = gdb_exception, .deliver = gdb_step_deliver, .attends = attends};

static void open_line(void)
{
	uart_init(&com2, COM2_PORT);
	if (!uart_present(&com2)) {
		printk("gdb = com2: this PC has no second serial port at 2F8h\n");
		return;
	}
	if (!acpi.ioapic_base)
		return;
	irq_set_handler(VEC_COM2, com2_interrupt);
	if (!ioapic_route_isa(COM2_IRQ, VEC_COM2, this_cpu()->apic_id)) {
		rx.interrupts = true;
		uart_enable_interrupts(&com2);
	}
}

void gdb_attach(struct vm *vm)
{
	if (!uart_present(&com2))
		open_line();
	if (!uart_present(&com2))
		return;
	for (unsigned i = GDB_HW_SLOTS; i < GDB_BREAKS; i++) /* the INT3s have gone with the memory */
		gdb.breaks[i].len = 0;
	gdb.vm = vm;
	gdb.stopped = 0;
	vm->debugger = &debugger;
	gdb.vcpu[0].report = (struct gdb_report){.signal = SIGNAL_TRAP, .reason = -1};
	if (!gdb.connected)
		printk("vm '%s' waits for GDB on COM2\n", vm->config->name);
	vcpu_kick(vm->vcpus[0], EV_DEBUG);
}

void gdb_kill(void)
{
	gdb.connected = false;
	gdb.leave = true;
	if (gdb.vm->end == VM_DIED) /* then no monitor stays behind GDB either */
		console_monitor.quit = !gdb.vm->config->restart_on_crash;
	vm_end(gdb.vm, VM_POWEROFF, 0);
}

void gdb_vm_ended(struct vm *vm)
{
	struct vcpu *v = vm->vcpus[0];

	if (gdb.vm != vm) /* there is no line to GDB */
		return;
	gdb_step_end(v);
	if (vm->end == VM_DIED &&
	    (gdb.connected || (console_monitor.attended && !vm->config->restart_on_crash))) {
		printk("vm '%s' stays for GDB to look at\n", vm->config->name);
		if (!gdb.connected) /* nobody may be there */
			host_would_exit(EXIT_GUEST_DIED);
		gdb.vcpu[0].report = (struct gdb_report){.signal = SIGNAL_SEGV, .reason = -1};
		vcpu_get_state(v, &gdb.vcpu[0].state);
		if (console_monitor.attended && console_monitor.toggle) {
			console_monitor.open = true;
			console_monitor.toggle(vm, true);
		}
		talk(v, true);
		gdb.connected = false; /* until it speaks to the next */
	}
	gdb.vm = NULL;
	if (vm->end == VM_REBOOT || !gdb.waiting)
		return;
	gdb_clear(&gdb.out);
	gdb_put(&gdb.out, vm->end == VM_DIED ? "X0b" : "W");
	if (vm->end != VM_DIED)
		gdb_put_hex(&gdb.out, &vm->end_status, 1);
	gdb_transmit();
	gdb.waiting = gdb.connected = gdb.no_ack = false;
}
