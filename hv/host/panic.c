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
	if (addr & 7 || !paging_writable(addr))
		return false;
	*val = *(const u64 *)addr;
	return true;
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
			symbol_print(word);
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
	/* of struct trap_frame */
	static const char names[] = "r15r14r13r12r11r10r9 r8 rbprdirsirdxrcxrbxraxvecerrripcs rflrspss ";

	enter();
	printk("\npxHV panic: %s at\n", exception_name((u8)f->vector));
	symbol_print(f->rip);
	for (unsigned i = 0; i < sizeof(*f) / 8; i++)
		printk("%.3s %016lx%c", &names[3 * i], ((const u64 *)f)[i], i % 3 == 2 ? '\n' : ' ');
	printk("cr0 %lx cr2 %lx cr3 %lx cr4 %lx\n", read_cr0(), read_cr2(), read_cr3(), read_cr4());
	backtrace(f->rsp);
	leave();
}
