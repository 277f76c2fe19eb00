#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/acpi.h"
#include "host/apic.h"
#include "host/console.h"
#include "host/cpu.h"
#include "host/exit.h"
#include "host/irq.h"
#include "host/page.h"
#include "host/panic.h"
#include "host/time.h"
#include "lib/errno.h"
#include "vm/config.h"

/* --- text --- */

static char capture[65536];
static size_t capture_len;

const char *captured(void)
{
	return capture;
}

void captured_reset(void)
{
	capture[capture_len = 0] = 0;
}

static void capture_text(const char *s, size_t len)
{
	len = MIN(len, sizeof(capture) - 1 - capture_len);
	memcpy(capture + capture_len, s, len);
	capture[capture_len += len] = 0;
}

static void capture_vprintf(const char *fmt, va_list ap)
{
	char line[4096];
	int len = kvsnprintf(line, sizeof(line), fmt, ap);

	capture_text(line, MIN((size_t)len, sizeof(line) - 1));
}

FAKE void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	capture_vprintf(fmt, ap);
	va_end(ap);
}

FAKE void story(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	capture_vprintf(fmt, ap);
	va_end(ap);
}

FAKE void console_write(const char *s, size_t len)
{
	capture_text(s, len);
}

FAKE void panic(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fail_msg("panic: %s", line);
	abort();
}

/* --- time and CPU --- */

u64 fake_tsc;
FAKE u64 tsc_hz = 1000000000;
struct cpu fake_cpu = {.self = &fake_cpu, .timer_deadline = ~0ULL};
FAKE struct cpu cpus[MAX_CPUS];
FAKE u32 cpu_count = 1;

FAKE u64 time_ms(void)
{
	return fake_tsc * 1000 / tsc_hz;
}

FAKE struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	return cpuid_real(leaf, subleaf);
}

FAKE u64 rdmsr(u32 msr)
{
	return 0;
}

FAKE void wrmsr(u32 msr, u64 val)
{
}

FAKE int rdmsr_safe(u32 msr, u64 *val)
{
	*val = 0;
	return -EFAULT;
}

FAKE int wrmsr_safe(u32 msr, u64 val)
{
	return -EFAULT;
}

FAKE void cpu_forget_guest(u64 xcr0)
{
}

FAKE int xsetbv_safe(u32 xcr, u64 val)
{
	return 0;
}

FAKE u64 xgetbv(u32 xcr)
{
	return 7;
}

FAKE void cli(void)
{
}

FAKE u8 inb(u16 port)
{
	return 0xFF;
}

FAKE u32 inl(u16 port)
{
	return ~0u;
}

FAKE void outb(u16 port, u8 val)
{
}

FAKE void outl(u16 port, u32 val)
{
}

FAKE void wait_for_interrupt(void)
{
	if (fake_cpu.timer_deadline != ~0ULL)
		fake_tsc = MAX(fake_tsc, fake_cpu.timer_deadline);
}

FAKE void apic_timer_arm(u64 deadline)
{
	fake_cpu.timer_deadline = deadline;
}

/* --- memory --- */

u64 fake_pages_used, fake_pages_left = ~0ULL;

FAKE void *page_alloc_run(u64 size, u64 align, u64 limit)
{
	u64 pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
	void *p;

	if (pages > fake_pages_left)
		return NULL;
	p = aligned_alloc(align, ALIGN_UP(size, align));
	if (p) {
		memset(p, 0xA5, size);
		fake_pages_left -= pages;
		fake_pages_used += pages;
	}
	return p;
}

FAKE void *page_alloc(void)
{
	void *p = page_alloc_run(PAGE_SIZE, PAGE_SIZE, 0);

	return p ? memset(p, 0, PAGE_SIZE) : NULL;
}

FAKE void page_free_run(void *p, u64 size)
{
	u64 pages = ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;

	fake_pages_left += pages;
	fake_pages_used -= pages;
	free(p);
}

FAKE void page_free(void *p)
{
	page_free_run(p, PAGE_SIZE);
}

FAKE u64 page_largest_run(u64 align)
{
	return MIN(fake_pages_left, 1 * GiB / PAGE_SIZE) * PAGE_SIZE;
}

FAKE u64 page_free_bytes(void)
{
	return page_largest_run(PAGE_SIZE);
}

FAKE u64 page_total_bytes(void)
{
	return 1 * GiB;
}

/* --- the rest of the host --- */

FAKE struct acpi_info acpi = {.lapic_base = 0xFEE00000, .cpu_count = 1};
FAKE u32 nmi_count;

FAKE bool console_has_uart(void)
{
	return true;
}

FAKE void console_write_raw(const char *s, size_t len, bool screen)
{
	console_write(s, len);
}

FAKE void progress_end(void)
{
}

FAKE void console_cells(const u16 *cells, u32 cursor)
{
}

FAKE int console_getc(void)
{
	return -1;
}

FAKE void console_flush(void)
{
}

FAKE void irq_handle(u8 vector)
{
}

FAKE void irq_set_handler(u8 vector, irq_handler_t fn)
{
}

FAKE void apic_eoi(void)
{
}

FAKE void apic_send_ipi(u32 apic_id, u8 vector)
{
}

FAKE void apic_send_nmi(u32 apic_id)
{
}

FAKE void symbol_name(u64 addr, char *buf, size_t size)
{
	ksnprintf(buf, size, "?");
}

FAKE void host_exit(int status)
{
	fail_msg("host_exit(%d)", status);
	abort();
}

int fake_reset(void **state)
{
	captured_reset();
	fake_tsc = 0;
	tsc_hz = 1000000000;
	fake_cpu = (struct cpu){.self = &fake_cpu, .timer_deadline = ~0ULL};
	fake_pages_used = 0;
	fake_pages_left = ~0ULL;
	nmi_count = 0;
	fake_vm_reset();
	return 0;
}
