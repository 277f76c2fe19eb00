/* Instructions as objdump -M intel writes them, but for its PTRs. */
#include "support.h"

#include <string.h>

#include "debug/disasm.h"

static const struct {
	unsigned bits;
	const char *bytes;
	unsigned len;
	const char *text;
} cases[] = {
	{64, "\x90", 1, "nop"},
	{64, "\xf3\x90", 2, "pause"},
	{64, "\x48\x8b\x04\x25\x00\x00\x00\x82", 8, "mov rax,qword [0xffffffff82000000]"},
	{32, "\xff\x24\x25\x00\x00\x00\x82", 7, "jmp dword [0x82000000]"},
	{64, "\xc2\x00\x80", 3, "ret 0x8000"},
	{64, "\x0f\xbc\xc7", 3, "bsf eax,edi"},
	{64, "\xf3\x0f\xbc\xc7", 4, "(0f bc)"},	    /* TZCNT */
	{64, "\xf3\x48\x0f\xae\xd3", 5, "(0f ae)"}, /* WRFSBASE */
	{64, "\x48\x0f\xc7\x0f", 4, "(0f c7)"},	    /* CMPXCHG16B */
	{64, "\x0f\xae\xf0", 3, "mfence"},
	{64, "\x66\x0f\xae\xf0", 4, "(0f ae)"},
	{64, "\x0f\x01\xd5", 3, "(0f 01)"},
	{64, "\xf3\x0f\x1e\xfa", 4, "endbr64"},
	{64, "\x48\x89\xe5", 3, "mov rbp,rsp"},
	{64, "\x88\xe0", 2, "mov al,ah"},
	{64, "\x40\x88\xe0", 3, "mov al,spl"},
	{64, "\x45\x88\xc1", 3, "mov r9b,r8b"},
	{64, "\x41\x54", 2, "push r12"},
	{64, "\x8b\x05\x10\x00\x00\x00", 6, "mov eax,dword [0x1016]"},
	{64, "\x8b\x44\x8d\xf8", 4, "mov eax,dword [rbp+rcx*4-0x8]"},
	{64, "\x4a\x8b\x04\xe5\x00\x10\x00\x00", 8, "mov rax,qword [r12*8+0x1000]"},
	{64, "\x65\x48\x8b\x04\x25\x28\x00\x00\x00", 9, "mov rax,qword [gs:0x28]"},
	{64, "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11", 10, "mov rax,0x1122334455667788"},
	{64, "\x83\xe4\xf0", 3, "and esp,-0x10"},
	{64, "\xe8\xfb\xff\xff\xff", 5, "call 0x1000"},
	{64, "\x0f\x84\x00\x01\x00\x00", 6, "jz 0x1106"},
	{64, "\xf0\x0f\xb1\x0a", 4, "lock cmpxchg dword [rdx],ecx"},
	{64, "\xf3\x48\xab", 3, "rep stosq"},
	{64, "\x0f\xb6\x07", 3, "movzx eax,byte [rdi]"},
	{64, "\x0f\x01\xc1", 3, "vmcall"},
	{64, "\x0f\x22\xd8", 3, "mov cr3,rax"},
	{64, "\x0f\x01\x1f", 3, "lidt [rdi]"},
	{64, "\xf6\xc1\x01", 3, "test cl,0x1"},
	{64, "\xff\xd0", 2, "call rax"},
	{64, "\xcd\x80", 2, "int 0x80"},
	{64, "\x0f\x0b", 2, "ud2"},
	{64, "\x0f\x28\xc1", 3, "(0f 28)"},
	{32, "\x40", 1, "inc eax"},
	{32, "\xa1\x00\x80\x0b\x00", 5, "mov eax,[0xb8000]"},
	{32, "\x66\xb8\x34\x12", 4, "mov ax,0x1234"},
	{16, "\x8b\x42\x04", 3, "mov ax,word [bp+si+0x4]"},
	{16, "\xea\x5b\xe0\x00\xf0", 5, "jmpf 0xf000:0xe05b"},
	{16, "\x66\xea\x78\x56\x34\x12\x08\x00", 8, "jmpf 0x8:0x12345678"},
	{16, "\xe6\x80", 2, "out 0x80,al"},
};

static void known(void **state)
{
	char text[72];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned len = disassemble((const u8 *)cases[i].bytes, cases[i].len, cases[i].bits, 0x1000,
					   text, sizeof(text));

		assert_string_equal(text, cases[i].text);
		assert_int_equal(len, cases[i].len);
	}
}

static void cut_off(void **state)
{
	char text[72];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 bytes[16];

		memcpy(bytes, cases[i].bytes, cases[i].len);
		for (unsigned n = 0; n < cases[i].len; n++)
			assert_in_range(disassemble(bytes, n, cases[i].bits, 0x1000, text, sizeof(text)), 1,
					n + 1);
	}
}

/* Every text ends within its buffer, whatever the bytes. */
static void anything(void **state)
{
	u8 code[16];
	char text[24];
	u32 seed = 1;

	for (unsigned i = 0; i < 300000; i++) {
		for (unsigned j = 0; j < sizeof(code); j++)
			code[j] = (u8)((seed = seed * 1664525 + 1013904223) >> 24);
		assert_in_range(disassemble(code, 15, 16u << i % 3, seed, text, sizeof(text)), 1, 15);
		assert_in_range(strlen(text), 1, sizeof(text) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
