/* GDB's side of the line says anything: the stub stays inside its buffers and the guest's memory, and puts
 * every byte back that it has replaced by a breakpoint. */
#include <stdlib.h>
#include <string.h>

#include "debug/gdb_internal.h"
#include "lib/errno.h"
#include "vm/debug.h"
#include "vm/emulate.h"

#define RAM_SIZE 0x8000

static u8 ram[RAM_SIZE];
static bool written;

void gdb_transmit(void)
{
	if (gdb.out.len > GDB_PACKET_MAX || gdb.out.data[gdb.out.len])
		abort();
}

void gdb_kill(void)
{
}

void monitor_command(char *line, void (*out)(const char *s))
{
	out(line);
}

u64 seg_linear(struct vcpu *v, enum seg seg, u64 offset, unsigned bits)
{
	return offset;
}

unsigned vcpu_code_bits(struct vcpu *v)
{
	return 64;
}

void vcpu_get_state(struct vcpu *v, struct cpu_state *s)
{
	memset(s, 0, sizeof(*s));
}

void debug_set_state(struct vcpu *v, const struct cpu_state *s)
{
}

/* Pages lie in RAM in turn, but every fourth is not mapped. */
void vcpu_walk(struct vcpu *v, u64 gva, struct page_walk *w)
{
	*w = (struct page_walk){.gpa = gva % RAM_SIZE, .problem = (gva >> 12) % 4 == 3 ? "not mapped" : NULL};
}

void *guest_ptr(struct vm *vm, u64 gpa, u64 len)
{
	return gpa <= RAM_SIZE && len <= RAM_SIZE - gpa ? ram + gpa : NULL;
}

static void run(struct vcpu *v)
{
	const char *s = gdb.in.data;

	written |= *s == 'M' || *s == 'X';
	gdb_command(v);
	if (gdb.current < gdb.vcpu || gdb.current >= gdb.vcpu + v->vm->vcpu_count)
		abort();
	gdb.waiting = gdb.leave = false;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vm vm;
	static struct vcpu vcpu[2];

	memset(&gdb, 0, sizeof(gdb));
	memset(ram, 0x90, sizeof(ram));
	written = false;
	vm.vcpu_count = 2;
	for (u32 i = 0; i < 2; i++) {
		vm.vcpus[i] = &vcpu[i];
		vcpu[i] = (struct vcpu){.vm = &vm, .index = i};
	}
	gdb.vm = &vm;
	gdb.current = gdb.vcpu;
	for (size_t i = 0; i < size; i++)
		if (gdb_packet_byte(&gdb.in, data[i]) == GDB_PACKET)
			run(&vcpu[0]);
	gdb_break_remove_all();
	for (size_t i = 0; i < RAM_SIZE && !written; i++)
		if (ram[i] != 0x90)
			abort();
	return 0;
}
