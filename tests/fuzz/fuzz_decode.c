/* The instruction decoder on any bytes: the first byte chooses 16, 32 or 64 bits, the rest is code. What it
 * accepts must not depend on what comes after the instruction, and every shorter piece must ask for more. */
#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "vm/decode.h"
#include "vm/vcpu.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool same(const struct insn *a, const struct insn *b)
{
	return a->len == b->len && a->map == b->map && a->opcode == b->opcode && a->modrm == b->modrm &&
	       a->rex == b->rex && a->op_size == b->op_size && a->addr_size == b->addr_size &&
	       a->seg == b->seg && a->rep == b->rep && a->lock == b->lock && a->imm == b->imm;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct insn i, j;
	unsigned bits;
	u8 *code;
	int err;

	if (size < 1)
		return 0;
	bits = 16 << data[0] % 3;
	size = MIN(size - 1, (size_t)INSN_MAX + 1);
	code = malloc(size); /* of exactly this size, so that ASan sees every byte too many */
	memcpy(code, data + 1, size);
	err = decode_insn(code, size, bits, &i);
	check(err == 0 || err == -EINVAL || (err == -ERANGE && size < INSN_MAX));
	if (!err) {
		check(i.len >= 1 && i.len <= INSN_MAX && i.len <= size);
		check(i.map <= MAP_0F3A && i.seg <= SEG_GS);
		check(i.op_size == 1 || i.op_size == 2 || i.op_size == 4 || (i.op_size == 8 && bits == 64));
		check(i.addr_size == 2 || i.addr_size == 4 || i.addr_size == 8);
		check((i.addr_size == 2) <= (bits != 64) && (i.addr_size == 8) <= (bits == 64));
		check(!i.rex || bits == 64);
		check(!decode_insn(code, i.len, bits, &j) && same(&i, &j));
		for (size_t n = 0; n < i.len; n++)
			check(decode_insn(code, n, bits, &j) == -ERANGE);
	}
	free(code);
	return 0;
}
