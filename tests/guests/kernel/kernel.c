/* What an ELF kernel is told, printed on COM1; then it ends by the debug-exit port with status 0. magic is
 * Multiboot's, or 0 for PVH. */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define COM1 0x3F8

struct info {
	u32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length,
		mmap_addr;
	u32 drives[2], config_table, loader;
};

struct pvh {
	u32 magic, version, flags, modules;
	u64 module_list, cmdline, rsdp, map;
	u32 map_entries;
};

volatile u32 counter; /* for debuggers to watch */
static volatile char cleared[100000];
static const char marker[] = "initialized data";

static void outb(unsigned short port, u8 val)
{
	__asm__ volatile("outb %0, %1" ::"a"(val), "Nd"(port));
}

static void puts(const char *s)
{
	for (; *s; s++)
		outb(COM1, (u8)*s);
}

static void hex(const char *name, u64 n)
{
	char buf[17], *p = buf + 16;

	*p = 0;
	do
		*--p = "0123456789abcdef"[n & 15];
	while (n >>= 4);
	puts(name);
	puts(p);
	puts("\n");
}

static const char *text(u64 at)
{
	return (const char *)(unsigned long)at;
}

static void show_multiboot(const struct info *i)
{
	const u32 *mod = (const void *)text(i->mods_addr);

	hex("flags ", i->flags);
	hex("lower ", i->mem_lower);
	hex("upper ", i->mem_upper);
	puts("cmdline '"), puts(text(i->cmdline)), puts("'\n");
	puts("loader "), puts(text(i->loader)), puts("\n");
	for (u32 m = 0; m < i->mods_count; m++, mod += 4) {
		puts("module '"), puts(text(mod[2])), puts("' ");
		hex("size ", mod[1] - mod[0]);
		hex("starts with ", *(const u8 *)text(mod[0]));
	}
	for (u32 at = 0; at < i->mmap_length; at += 24) {
		const u32 *e = (const void *)text(i->mmap_addr + at);

		hex("map ", e[1]);
	}
}

static void show_pvh(const struct pvh *p)
{
	hex("pvh ", p->magic);
	puts("cmdline '"), puts(text(p->cmdline)), puts("'\n");
	hex("modules ", p->modules);
	hex("map entries ", p->map_entries);
	puts(text(p->rsdp)), puts("\n");
}

__attribute__((noinline)) void tick(u32 n)
{
	counter += n;
}

void kernel_main(u32 magic, const void *info)
{
	hex("magic ", magic);
	for (u32 i = 0; i < sizeof(cleared); i++)
		if (cleared[i])
			puts("bss is not clear\n");
	puts(marker), puts("\n");
	if (magic)
		show_multiboot(info);
	else
		show_pvh(info);
	for (u32 i = 1; i <= 10; i++)
		tick(i);
	hex("counter ", counter);
	outb(0xF4, 0);
}
