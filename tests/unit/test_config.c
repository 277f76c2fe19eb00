/* pxhv.conf as a text: lines, comments, quotes and sections. */
#include "config_text.h"

static void design_example(void **state)
{
	assert_int_equal(parse("[vm debian]\n"
			       "kernel  = vmlinuz          ; or: multiboot=, flat=, firmware=\n"
			       "initrd  = initrd.img\n"
			       "cmdline = console=ttyS0 quiet\n"
			       "memory  = 256M\n"
			       "cpus    = 1\n"
			       "console = serial           ; which host console it starts on\n"),
			 0);
	assert_string_equal(config.vms[0].image, "vmlinuz");
	assert_string_equal(captured(), "");
}

static void line_ends_and_byte_order_mark(void **state)
{
	assert_int_equal(
		parse("\xEF\xBB\xBF[vm a]\r\nkernel = k\r\n\r\n  \r\n; c\r\n# c\r\ncmdline = x y\r\n"), 0);
	assert_string_equal(config.vms[0].image, "k");
	assert_string_equal(config.vms[0].cmdline, "x y");
	assert_says("[vm a]\r\nkernel = k\r\nfoo = 1\r\n", "pxhv.conf:3: unknown key 'foo'\n");
}

static void comments_and_quotes(void **state)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		{"a;b#c", "a;b#c"},
		{"a ;b", "a"},
		{"a\t# b", "a"},
		{" ; all", ""},
		{"", ""},
		{"\"a ; b # c\"", "a ; b # c"},
		{"\"a\" ; comment", "a"},
		{"\"a ; b\"\t#\"c\"", "a ; b"},
		{"\"\"", ""},
		{"\"  padded \"", "  padded "},
		{"a \"b\" c", "a \"b\" c"},
		{"\"dyndbg=\"file x.c +p\" quiet\"", "dyndbg=\"file x.c +p\" quiet"},
		{"root=UUID=1 x=y", "root=UUID=1 x=y"},
		{"\xC3\xA4\xC3\xB6", "\xC3\xA4\xC3\xB6"},
	};
	char body[128];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(body, sizeof(body), "kernel = k\ncmdline =%s", cases[i].value);
		assert_string_equal(vm_of(body)->cmdline, cases[i].want);
	}
	/* Without a blank before it nothing is a comment, at the value's start neither. */
	assert_string_equal(vm_of("kernel=k\ncmdline=#1")->cmdline, "#1");
	assert_vm_says("cmdline = \"a", "pxhv.conf:3: the closing quote is missing\n");
	assert_vm_says("cmdline = \"", "pxhv.conf:3: the closing quote is missing\n");
	assert_vm_says("cmdline = \"a\" b", "pxhv.conf:3: the closing quote is missing\n");
	assert_vm_says("cmdline = \"a\";b", "pxhv.conf:3: the closing quote is missing\n");
}

static void structure(void **state)
{
	assert_says("", "pxhv.conf:1: no [vm NAME] section: nothing to start\n");
	assert_says("[pxhv]\nquiet = yes\n", "pxhv.conf:1: no [vm NAME] section: nothing to start\n");
	assert_says("kernel = k\n[vm x]\nkernel = k\n", "pxhv.conf:1: a key outside of any section\n");
	assert_says("[vm]\nkernel = k\n", "pxhv.conf:1: [vm NAME] needs a name\n");
	assert_says("[vm x\nkernel = k\n[vm x]\nkernel = k\n", "pxhv.conf:1: the section's ']' is missing\n");
	assert_says("[\n[vm x]\nkernel = k\n", "pxhv.conf:1: the section's ']' is missing\n");
	assert_says("[]\n[vm x]\nkernel = k\n", "pxhv.conf:1: unknown section ''\n");
	assert_says("[vm a b]\n", "pxhv.conf:1: a VM's name is 1 to 31 letters, digits, '-', '_' and '.'\n");
	assert_says("[vm abcdefghijklmnopqrstuvwxyz0123456]\n",
		    "pxhv.conf:1: a VM's name is 1 to 31 letters, digits, '-', '_' and '.'\n");
	assert_vm_says("memory 64M", "pxhv.conf:3: '=' is missing after 'memory 64M'\n");
	assert_vm_says("memory = 1M\nmemory = 2M", "pxhv.conf:4: 'memory' is given twice\n");
	assert_int_equal(config.vms[0].memory, MiB);
	assert_vm_says("kernel = b", "pxhv.conf:3: 'kernel' is given twice\n");
	assert_vm_says("flat = f@0x1000:16", "pxhv.conf:3: 'flat' makes two guests in [vm x]\n");
	assert_vm_says("[vm x]\nkernel = k", "pxhv.conf:3: [vm x] is there already, in line 1\n");
	assert_vm_says("[pxhv]\n[pxhv]", "pxhv.conf:4: [pxhv] is there already\n");
	assert_says("[vm x]\nmemory = 1M\n\n[vm y]\nfirmware = f\n",
		    "pxhv.conf:1: [vm x] has no guest (one of kernel, multiboot, flat, firmware)\n");
	assert_says("[vm y]\nfirmware = f\n[vm x]\nmemory = 1M\n\n",
		    "pxhv.conf:3: [vm x] has no guest (one of kernel, multiboot, flat, firmware)\n");
	assert_says("[vm x]\nkernel =\n", "pxhv.conf:2: kernel needs the name of a file\n");
}

static void lengths(void **state)
{
	char text[8192], name[256];

	memset(name, 'n', sizeof(name));
	name[127] = 0;
	snprintf(text, sizeof(text), "kernel = %s", name);
	assert_string_equal(vm_of(text)->image, name);
	name[127] = 'n';
	name[128] = 0;
	snprintf(text, sizeof(text), "[vm x]\nkernel = %s", name);
	assert_says(text, "pxhv.conf:2: kernel is too long (128 characters, at most 127)\n");
	snprintf(text, sizeof(text), "initrd = %s", name);
	assert_vm_says(text, "pxhv.conf:3: initrd is too long (128 characters, at most 127)\n");
	snprintf(text, sizeof(text), "[vm x]\nkernel = k\ncmdline = %02047u\n", 1);
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(config.vms[0].cmdline), 2047);
	snprintf(text, sizeof(text), "[vm x]\nkernel = k\ncmdline = %02048u\n", 1);
	assert_says(text, "pxhv.conf:3: cmdline is too long (2048 characters, at most 2047)\n");
	snprintf(text, sizeof(text), "[vm x]\nkernel = k\n;%04096u\n", 1);
	assert_says(text, "pxhv.conf:3: the line is too long (4097 bytes, at most 4096)\n");
}

static void nul_bytes(void **state)
{
	static const char text[] = "[vm x]\nker\0nel = k\nkernel = k\n";

	captured_reset();
	assert_int_equal(config_parse(&config, "pxhv.conf", text, sizeof(text) - 1), 1);
	assert_string_equal(captured(),
			    "pxhv.conf:2: a NUL byte: this is not a text file, or it is UTF-16\n");
}

static void number_of_vms(void **state)
{
	char text[1024];
	size_t len = 0;

	for (int i = 0; i < 9; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "[vm v%d]\nkernel = k\n", i);
		if (i == 7) {
			assert_int_equal(parse(text), 0);
			assert_int_equal(config.vm_count, 8);
		}
	}
	assert_says(text, "pxhv.conf:17: more than 8 VMs\n");
	assert_int_equal(config.vm_count, 8);
}

static void reports_all_mistakes_up_to_twenty(void **state)
{
	char text[1024] = "[vm x]\n";

	assert_says("[vm x]\nkernel\ncpus = 0\nfoo = 1\n[vm y]\nflat = f\n",
		    "pxhv.conf:2: '=' is missing after 'kernel'\npxhv.conf:3: cpus must be 1 to 8\n"
		    "pxhv.conf:4: unknown key 'foo'\n"
		    "pxhv.conf:1: [vm x] has no guest (one of kernel, multiboot, flat, firmware)\n"
		    "pxhv.conf:6: flat must be FILE@ADDR:16 or FILE@ADDR:64, not 'f'\n");
	for (int i = 0; i < 30; i++)
		strcat(text, "junk\n");
	assert_int_equal(parse(text), 20);
	assert_non_null(strstr(captured(), "pxhv.conf:21: "));
	assert_null(strstr(captured(), "pxhv.conf:22: "));
	assert_non_null(strstr(captured(), "pxhv.conf: too many mistakes, the rest is not read\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(design_example),
		cmocka_unit_test(line_ends_and_byte_order_mark),
		cmocka_unit_test(comments_and_quotes),
		cmocka_unit_test(structure),
		cmocka_unit_test(lengths),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(number_of_vms),
		cmocka_unit_test(reports_all_mistakes_up_to_twenty),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
