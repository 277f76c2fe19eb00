#include "host/panic.h"

#include <stdarg.h>

#include "host/console.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "host/irq.h"
#include "host/paging.h"
#include "lib/exception.h"
#include "lib/printf.h"
#include "lib/string.h"

#define FRAMES	   16
#define SCAN_WORDS 256

extern const u8 __image_start[], __text_end[];

/* The last VM exits, if that part of the hypervisor is in this image. */
void exit_ring_dump(void) __attribute__((weak));

static bool in_text(u64 addr)
{
	return addr >= (u64)__image_start && addr < (u64)__text_end;
}

/* Reads a word of the stack, if there is one. */
static bool stack_read(u64 addr, u64 *val)
{
	bool w, x;
	u64 pa;

	if (addr & 7 || paging_lookup(addr, &pa, &w, &x) || !w)
		return false;
	*val = *(const u64 *)addr;
	return true;
}

static void print_frame(u64 rip)
{
	char name[64];

	symbol_name(rip, name, sizeof(name));
	printk("  %08lx %s\n", rip, name);
}

/* Is the instruction before addr a CALL: E8 of an address in text, or FF /2 with 0 to 5 bytes of address? */
static bool after_call(u64 addr)
{
	const u8 *p = (const u8 *)addr;
	s32 to;

	if (!in_text(addr - 7) || !in_text(addr))
		return false;
	memcpy(&to, p - 4, sizeof(to));
	if (p[-5] == 0xE8 && in_text(addr + (u64)to))
		return true;
	for (int i = 2; i < 8; i++)
		if (p[-i] == 0xFF && (p[1 - i] & 0x38) == 0x10)
			return true;
	return false;
}

/* Without frame pointers, what looks like a return address is one: this may show a call too many, which has
 * ended already, but none too few. */
void backtrace(u64 sp)
{
	unsigned frames = 0;
	u64 word;

	for (unsigned i = 0; frames < FRAMES && i < SCAN_WORDS && stack_read(sp, &word); i++, sp += 8) {
		if (after_call(word)) {
			print_frame(word);
			frames++;
		}
	}
}

/* The first panic is told; one that comes of telling it is not. */
static void enter(void)
{
	static bool entered;

	cli();
	if (__atomic_test_and_set(&entered, __ATOMIC_RELAXED))
		for (;;)
			__asm__ volatile("cli; hlt");
	console_break_lock();
}

static void __noreturn leave(void)
{
	if (exit_ring_dump)
		exit_ring_dump();
	console_flush();
	host_exit(EXIT_REFUSED);
}

void panic(const char *fmt, ...)
{
	char buf[160];
	va_list ap;

	enter();
	va_start(ap, fmt);
	kvsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	printk("\npxHV panic: %s\n", buf);
	backtrace((u64)__builtin_frame_address(0));
	leave();
}

void panic_trap(const struct trap_frame *f)
{
	char name[64];

	enter();
	symbol_name(f->rip, name, sizeof(name));
	printk("\npxHV panic: %s (error 0x%lx) at %08lx %s\n", exception_name((u8)f->vector), f->error,
	       f->rip, name);
	printk("rax %016lx rbx %016lx rcx %016lx\nrdx %016lx rsi %016lx rdi %016lx\n", f->rax, f->rbx, f->rcx,
	       f->rdx, f->rsi, f->rdi);
	printk("rbp %016lx rsp %016lx r8  %016lx\nr9  %016lx r10 %016lx r11 %016lx\n", f->rbp, f->rsp, f->r8,
	       f->r9, f->r10, f->r11);
	printk("r12 %016lx r13 %016lx r14 %016lx\nr15 %016lx rip %016lx rfl %016lx\n", f->r12, f->r13, f->r14,
	       f->r15, f->rip, f->rflags);
	printk("cr0 %016lx cr2 %016lx cr3 %016lx\ncr4 %016lx cs %04lx ss %04lx\n", read_cr0(), read_cr2(),
	       read_cr3(), read_cr4(), f->cs, f->ss);
	backtrace(f->rsp);
	leave();
}
