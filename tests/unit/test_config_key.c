/* The keys of pxhv.conf and their values. */
#include "config_text.h"

#include "boot/config_key.h"

static void defaults(void **state)
{
	const struct vm_config *vm = vm_of("kernel = vmlinuz");

	assert_false(config.quiet);
	assert_int_equal(config.vm_count, 1);
	assert_string_equal(vm->name, "x");
	assert_int_equal(vm->kind, GUEST_LINUX);
	assert_string_equal(vm->image, "vmlinuz");
	assert_string_equal(vm->initrd, "");
	assert_string_equal(vm->cmdline, "");
	assert_int_equal(vm->memory, 256 * MiB);
	assert_int_equal(vm->cpus, 1);
	assert_false(vm->console_vga);
	assert_false(vm->debug_exit);
	assert_false(vm->restart_on_crash);
	assert_int_equal(vm->line, 1);
}

static void every_key(void **state)
{
	const struct vm_config *vm;

	assert_int_equal(
		parse("[pxhv]\nquiet = yes\n\n[vm debian]\nkernel = boot/vmlinuz\n"
		      "initrd=initrd.img\n cmdline\t=  console=ttyS0 quiet  \nmemory = 1G\ncpus = 8\n"
		      "console = vga\ndebug-exit = yes\non-crash = restart\ntrace = 16M\ntrace-insns = "
		      "1000\n[vm b]\nflat = "
		      "f@0x1000:16"),
		0);
	assert_true(config.quiet);
	assert_int_equal(config.vm_count, 2);
	vm = &config.vms[0];
	assert_string_equal(vm->name, "debian");
	assert_string_equal(vm->image, "boot/vmlinuz");
	assert_string_equal(vm->initrd, "initrd.img");
	assert_string_equal(vm->cmdline, "console=ttyS0 quiet");
	assert_int_equal(vm->memory, GiB);
	assert_int_equal(vm->cpus, 8);
	assert_int_equal(vm->trace, 16 * MiB);
	assert_int_equal(vm->trace_insns, 1000);
	assert_true(vm->console_vga);
	assert_true(vm->debug_exit);
	assert_true(vm->restart_on_crash);
	assert_int_equal(vm->line, 4);
	assert_int_equal(config.vms[1].kind, GUEST_FLAT);
	assert_int_equal(config.vms[1].line, 15);
	assert_int_equal(parse("[pxhv]\nquiet = no\n[vm a]\nkernel=k\nconsole = serial\n"
			       "debug-exit = no\non-crash = stop\n"),
			 0);
	assert_false(config.quiet || config.vms[0].console_vga);
	assert_int_equal(vm_of("multiboot = xv6")->kind, GUEST_MULTIBOOT);
	assert_int_equal(vm_of("firmware = bios.bin")->kind, GUEST_FIRMWARE);
}

static void suggestions(void **state)
{
	assert_says("[vm debian]\nkernel  = vmlinuz\n\n\n\n\nmemroy = 256M\n",
		    "pxhv.conf:7: unknown key 'memroy' (did you mean 'memory'?)\n");
	assert_vm_says("Memory = 1M", "pxhv.conf:3: unknown key 'Memory' (did you mean 'memory'?)\n");
	assert_vm_says("mem = 1M", "pxhv.conf:3: unknown key 'mem'\n");
	assert_vm_says("cpu = 1", "pxhv.conf:3: unknown key 'cpu' (did you mean 'cpus'?)\n");
	assert_vm_says("debug_exit = yes",
		       "pxhv.conf:3: unknown key 'debug_exit' (did you mean 'debug-exit'?)\n");
	assert_vm_says("commandline = x", "pxhv.conf:3: unknown key 'commandline'\n");
	assert_vm_says("a-very-long-key-with-more-than-forty-characters = x",
		       "pxhv.conf:3: unknown key 'a-very-long-key-with-more-than-forty-cha'\n");
	assert_vm_says("= x", "pxhv.conf:3: unknown key ''\n");
	assert_vm_says("quiet = yes", "pxhv.conf:3: key 'quiet' belongs into [pxhv]\n");
	assert_says("[pxhv]\nmemory = 1M\n[vm x]\nkernel=k",
		    "pxhv.conf:2: key 'memory' belongs into [vm NAME]\n");
	assert_vm_says("console = srial",
		       "pxhv.conf:3: console must be serial or vga, not 'srial' (did you mean "
		       "'serial'?)\n");
	assert_vm_says("console = tty", "pxhv.conf:3: console must be serial or vga, not 'tty'\n");
	assert_vm_says("debug-exit = 1", "pxhv.conf:3: debug-exit must be no or yes, not '1'\n");
	assert_vm_says("on-crash = ", "pxhv.conf:3: on-crash must be stop or restart, not ''\n");
	assert_says("[vm a]\nkernel=k\n[pxvh]\nquiet=yes\n",
		    "pxhv.conf:3: unknown section 'pxvh' (did you mean 'pxhv'?)\n");
	assert_says("[vm x]\nkernel = k\n[pxhv x]\n", "pxhv.conf:3: [pxhv] takes no name\n");
	assert_says("[vm a]\nkernel=k\n[VM b]\nkernel=k\n",
		    "pxhv.conf:3: unknown section 'VM' (did you mean 'vm'?)\n");
}

static void memory_sizes(void **state)
{
	static const struct {
		const char *text;
		u64 bytes; /* 0: refused */
	} cases[] = {
		{"1M", MiB},
		{"1m", MiB},
		{"64k", 0},
		{"1024K", MiB},
		{"1028K", 1028 * KiB},
		{"1025K", 0},
		{"2G", 2 * GiB},
		{"1024G", 1024 * GiB},
		{"1025G", 0},
		{"0x100000", MiB},
		{"0x40M", 64 * MiB},
		{"1048576", MiB},
		{"256", 0},
		{"0", 0},
		{"", 0},
		{"M", 0},
		{"1T", 0},
		{"1MB", 0},
		{"-1M", 0},
		{"1 M", 0},
		{"0x", 0},
		{"99999999999999999999", 0},
		{"18446744073709551615G", 0},
		{"17179869184G", 0},
		{"1.5G", 0},
	};
	char text[128], want[128];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "memory = %s", cases[i].text);
		snprintf(want, sizeof(want),
			 "pxhv.conf:3: memory must be 1M to 1024G in steps of 4K, not '%s'\n", cases[i].text);
		assert_vm_says(text, cases[i].bytes ? "" : want);
		if (cases[i].bytes)
			assert_int_equal(config.vms[0].memory, cases[i].bytes);
	}
}

static void cpu_counts(void **state)
{
	static const char *const bad[] = {"0",	 "9",  "-1",	     "",
					  "two", "1x", "4294967297", "18446744073709551617"};
	char text[64];

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "cpus = %s", bad[i]);
		assert_vm_says(text, "pxhv.conf:3: cpus must be 1 to 8\n");
	}
}

static void features(void **state)
{
	static const char sentence[] = "pxhv.conf:3: this pxHV was built without 'that'\n";
	static const struct {
		enum feature feature;
		const char *line;
	} cases[] = {
		{FEATURE_DISKS, "disk = file:f"}, {FEATURE_DRIVES, "disk = boot:f"},
		{FEATURE_DRIVES, "disk = ata0"},  {FEATURE_GDB, "gdb = com2"},
		{FEATURE_TRACE, "trace = 1M"},	  {FEATURE_VGA, "console = vga"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		left_out = (u32)BIT(cases[i].feature);
		assert_vm_says(cases[i].line, sentence);
		left_out = ~left_out;
		assert_says("[vm x]\ncpus = 1\nkernel = k\n", sentence);
		left_out &= ~(u32)BIT(GUEST_LINUX);
		assert_vm_says(cases[i].line, i == 1 || i == 2 ? sentence : "");
	}
	assert_vm_says("gdb = none\nconsole = serial", "");
	assert_says("[vm x]\n\nfirmware = f\n", sentence);
	assert_says("[vm x]\n", "pxhv.conf:1: [vm x] has no guest (one of kernel)\n");
	left_out = (u32)BIT(FEATURE_DRIVES);
	assert_vm_says("disk = file:f", "");
	left_out = 0;
}

static void flat(void **state)
{
	static const char *const bad[] = {
		"f",	       "f@",	     "f@:16",	  "f@0x1000",
		"f@0x1000:32", "@0x1000:16", "f@0x1000:", "f@1k:64",
		"f@0x1:16x",   "f@-1:64",    "",	  "f@0x10000000000000000:64"};
	const struct vm_config *vm;
	char text[128];

	vm = vm_of("flat = hello.bin@0x7C00:16");
	assert_int_equal(vm->kind, GUEST_FLAT);
	assert_string_equal(vm->image, "hello.bin");
	assert_int_equal(vm->flat_addr, 0x7C00);
	assert_int_equal(vm->flat_bits, 16);
	vm = vm_of("flat = a@b.bin@1048576:64 ; at 1 MiB");
	assert_string_equal(vm->image, "a@b.bin");
	assert_int_equal(vm->flat_addr, MiB);
	assert_int_equal(vm->flat_bits, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "[vm x]\nflat = %s\n", bad[i]);
		assert_int_equal(parse(text), 1);
		assert_memory_equal(captured(), "pxhv.conf:2: flat ", 18);
	}
	assert_says("[vm x]\nflat = f@0x10000:16\n",
		    "pxhv.conf:2: a 16-bit image must lie below 0x10000, not at 0x10000\n");
	assert_says("[vm x]\nflat = f\n",
		    "pxhv.conf:2: flat must be FILE@ADDR:16 or FILE@ADDR:64, not 'f'\n");
}

static void keys_of_other_guests(void **state)
{
	static const char *const kinds[] = {"kernel = k", "multiboot = k", "flat = k@0x1000:64",
					    "firmware = k"};
	static const struct {
		const char *line;
		char takes[5]; /* by kind: '+' or '-' */
	} cases[] = {{"initrd = f", "+---"},  {"cmdline = c", "+++-"}, {"module = m", "-+--"},
		     {"vgabios = v", "---+"}, {"floppy = f", "---+"},  {"disk = ata0", "++++"}};
	char text[64], message[96];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
			snprintf(text, sizeof(text), "\n[vm x]\n%s\n%s\n[pxhv]\n", cases[i].line,
				 kinds[kind]);
			snprintf(message, sizeof(message),
				 "pxhv.conf:2: [vm x]: '%.*s' means nothing to '%.*s'\n",
				 (int)strcspn(cases[i].line, " "), cases[i].line,
				 (int)strcspn(kinds[kind], " "), kinds[kind]);
			assert_says(text, cases[i].takes[kind] == '+' ? "" : message);
		}
	}
	assert_vm_says("trace-insns = 4", "pxhv.conf:1: [vm x]: 'trace-insns' goes with 'trace'\n");
	assert_says("[vm a]\nkernel = k\ninitrd = i\n[vm b]\nflat = f@0x1000:16\n", "");
}

/* docs/config.md has one row a key: "| `key` | ...". */
static void documentation_lists_every_key(void **state)
{
	static char doc[65536];
	char row[64];
	unsigned rows = 0, keys = 0;
	FILE *f = fopen("docs/config.md", "r");

	assert_non_null(f);
	doc[fread(doc, 1, sizeof(doc) - 1, f)] = 0;
	fclose(f);
	for (const struct config_key *k = config_keys; *k->name; k++, keys++) {
		snprintf(row, sizeof(row), "\n| `%s` |", k->name);
		if (!strstr(doc, row))
			fail_msg("docs/config.md has no row for %s", k->name);
	}
	for (const char *p = doc; (p = strstr(p, "\n| `")); p++)
		rows++;
	assert_int_equal(rows, keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_key),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(memory_sizes),
		cmocka_unit_test(cpu_counts),
		cmocka_unit_test(features),
		cmocka_unit_test(flat),
		cmocka_unit_test(keys_of_other_guests),
		cmocka_unit_test(documentation_lists_every_key),
	};

	return cmocka_run_group_tests_name("config_key", tests, NULL, NULL);
}
