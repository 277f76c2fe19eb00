#include "host/panic.h"

#include <stdarg.h>

#include "host/console.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "host/irq.h"
#include "host/paging.h"
#include "lib/exception.h"
#include "lib/printf.h"

#define FRAMES	    16
#define SCAN_WORDS  256
#define FRAME_LIMIT (16 * KiB) /* no function of ours has a larger frame */

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

static void print_frame(u64 rip, const char *how)
{
	char name[64];

	symbol_name(rip, name, sizeof(name));
	printk("  %08lx %s%s\n", rip, name, how);
}

/* Follows the frame pointers from rbp; where they end in nonsense, as in code compiled without them, whatever
 * on the stack above sp looks like a return address has to do. */
static void print_stack(u64 rbp, u64 sp, unsigned frames)
{
	u64 next, rip;

	for (; frames && stack_read(rbp, &next) && stack_read(rbp + 8, &rip) && in_text(rip); frames--) {
		print_frame(rip, "");
		sp = rbp + 16;
		if (!next)
			return;
		if (next <= rbp || next - rbp > FRAME_LIMIT)
			break;
		rbp = next;
	}
	for (unsigned i = 0; frames && i < SCAN_WORDS && stack_read(sp, &rip); i++, sp += 8) {
		if (in_text(rip)) {
			print_frame(rip, " ?");
			frames--;
		}
	}
}

void backtrace(u64 rbp, u64 rip)
{
	print_frame(rip, "");
	print_stack(rbp, rbp, FRAMES - 1);
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
	backtrace(*(u64 *)__builtin_frame_address(0), (u64)__builtin_return_address(0));
	leave();
}

void panic_trap(const struct trap_frame *f)
{
	char name[64];
	u64 ret;

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
	print_frame(f->rip, "");
	/* After a call into nowhere the return address is still where CALL put it. */
	if (!in_text(f->rip) && stack_read(f->rsp, &ret) && in_text(ret))
		print_frame(ret, "");
	print_stack(f->rbp, f->rsp, FRAMES - 1);
	leave();
}
