/* Whoever types at the monitor, or sends GDB's `monitor`, types anything: the line's first byte says whether
 * it comes as keys or whole. Reads stay inside the guest's memory, answers inside their buffers, and every
 * command ends. */
#include <stdlib.h>
#include <string.h>

#include "debug/gdb_internal.h"
#include "debug/insns.h"
#include "debug/lineedit.h"
#include "debug/mon.h"
#include "debug/monitor.h"
#include "host/cpu.h"
#include "lib/errno.h"
#include "vm/debug.h"

#define RAM_SIZE 0x8000
#define OUT_MAX	 (1 << 20) /* 4096 instructions are the longest */

u64 fake_tsc, tsc_hz = 1000000000;
struct gdb gdb;
struct monitor monitor;
static u8 ram[RAM_SIZE];
static struct vcpu vcpu;
static struct vm vm;
static struct cpu_state state;
static size_t written;

static void out(const char *s)
{
	size_t len = strlen(s);

	written += len;
	if (len > 255 || written > OUT_MAX)
		abort();
}

struct vm *vm_console_active(void)
{
	return &vm;
}

unsigned vcpu_code_bits(struct vcpu *v)
{
	return 16u << state.rflags % 3;
}

unsigned vcpu_cpl(struct vcpu *v)
{
	return 0;
}

/* Pages lie in RAM in turn, but every fourth is not mapped. */
u64 gdb_pc(struct vcpu *v)
{
	return state.rip;
}

u64 gdb_sp(struct vcpu *v)
{
	return state.gpr[RSP];
}

int gdb_memory_read(struct vcpu *v, u64 addr, void *buf, u64 len)
{
	u8 *b = buf;

	for (u64 i = 0; i < len; i++) {
		if ((addr + i) >> 12 & 3)
			b[i] = ram[(addr + i) % RAM_SIZE];
		else
			return -EFAULT;
	}
	return 0;
}

int guest_read(struct vm *m, u64 gpa, void *buf, u64 len)
{
	if (gpa > RAM_SIZE || len > RAM_SIZE - gpa)
		return -EFAULT;
	memcpy(buf, ram + gpa, len);
	return 0;
}

void vcpu_walk(struct vcpu *v, u64 gva, struct page_walk *w)
{
	*w = (struct page_walk){.levels = 4, .last = 1 + gva % 5, .gpa = gva % RAM_SIZE};
}

struct memslot *memslot_find(struct vm *m, u64 gpa)
{
	return gpa < RAM_SIZE ? &m->slots[0] : NULL;
}

unsigned slat_walk(const struct slat *s, u64 gpa, u64 e[4])
{
	memset(e, 0x55, 32);
	return 1 + gpa % 4;
}

u32 lapic_read(struct vcpu *v, u32 offset)
{
	return offset * 0x01010101;
}

u32 bus_pio_read(struct vm *m, u16 port, unsigned size)
{
	return 0xFF;
}

void vcpu_kick(struct vcpu *v, u32 events)
{
}

void vm_end(struct vm *m, enum vm_end how, u32 status)
{
}

void console_set_quiet(bool quiet)
{
}

void insns_end(struct vcpu *v)
{
}

void debug_set_state(struct vcpu *v, const struct cpu_state *s)
{
	state = *s;
}

void mon_info_host(struct mon *m)
{
}

void mon_show_chain(const struct mon *m)
{
}

u64 time_ms(void)
{
	return 1;
}

static u64 get(struct vcpu *v, enum vreg r)
{
	return state.rip;
}

static void get_seg(struct vcpu *v, enum seg s, struct segment *seg)
{
	*seg = state.seg[s];
}

void vcpu_get_state(struct vcpu *v, struct cpu_state *s)
{
	*s = state;
}

void vcpu_set_state(struct vcpu *v, const struct cpu_state *s)
{
	state = *s;
}

static bool yes(struct vcpu *v)
{
	return true;
}

static const char *exit_name(u64 reason)
{
	return "EXIT";
}

static unsigned prot(u64 e)
{
	return e & 7;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct slat_format format = {.prot = prot};
	static const struct vcpu_ops ops = {.name = "test",
					    .get = get,
					    .get_seg = get_seg,
					    .can_take_interrupt = yes,
					    .can_take_nmi = yes,
					    .exit_name = exit_name};
	static const struct vm_config config = {.name = "fuzz"};
	static struct lineedit editor;
	char line[600];

	memset(&editor, 0, sizeof(editor));
	memset(&state, 0, sizeof(state));
	monitor = (struct monitor){0};
	for (unsigned i = 0; i < RAM_SIZE; i++)
		ram[i] = (u8)(i * 31 + (i >> 8));
	vm = (struct vm){.config = &config, .vcpu_count = 1, .vcpus = {&vcpu}, .slot_count = 1};
	vm.slots[0] = (struct memslot){.size = RAM_SIZE, .host = ram};
	vm.slat.fmt = &format;
	vcpu = (struct vcpu){.vm = &vm, .ops = &ops, .ring_pos = 100 * EXIT_POS};
	editor.out = out;
	editor.words = mon_words;
	editor.prompt = "pxhv> ";
	written = 0;
	if (!size)
		return 0;
	if (data[0] & 1) {
		lineedit_start(&editor);
		for (size_t i = 1; i < size && written < OUT_MAX / 4; i++) {
			if (lineedit_key(&editor, data[i])) {
				written = 0;
				monitor_command(editor.line, out);
				lineedit_start(&editor);
			}
			if (strlen(editor.line) != editor.len || editor.pos > editor.len)
				abort();
		}
	} else {
		size = MIN(size - 1, sizeof(line) - 1);
		memcpy(line, data + 1, size);
		line[size] = 0;
		monitor_command(line, out);
	}
	return 0;
}
