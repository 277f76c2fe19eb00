/* What a real-mode flat guest finds behind the interrupts that a BIOS or DOS would serve: code that tells the
 * interrupt's number by a port, which ends the VM with a sentence. Every vector leads to the same bytes, each
 * through a segment of its own, which is how the number is known. */
#include "dev/machine.h"
#include "lib/errno.h"
#include "load/load.h"
#include "vm/vm.h"

#define FIRST_VECTOR 0x10 /* below are the CPU's exceptions and the 8259's interrupts */
#define STUB_SEGMENT 0xFFF0
#define STUB	     (STUB_SEGMENT * 16ULL)

static const u8 stub[] = {
	0x8C, 0xC8,	    /* mov ax, cs */
	0xE7, PORT_NO_BIOS, /* out PORT_NO_BIOS, ax */
	0xF4,		    /* hlt */
	0xEB, 0xFD,	    /* jmp back to the hlt */
};

static u32 no_bios_read(void *dev, u16 port, unsigned size)
{
	return ~0u;
}

static void no_bios_write(void *dev, u16 port, unsigned size, u32 val)
{
	unsigned number = (STUB_SEGMENT - val) & 0xFF;

	vm_died(dev, "it called %s (INT %02Xh), which a flat guest does not have; use --disk",
		number >= 0x20 ? "DOS or another program" : "the BIOS", number);
}

static const struct pio_ops ops = {no_bios_read, no_bios_write};

int load_no_bios(struct vm *vm)
{
	struct vector {
		u16 ip, cs;
	} *ivt = guest_ptr(vm, 0, 256 * sizeof(*ivt));

	if (!ivt || guest_zero(vm, 0, 256 * sizeof(*ivt)) || guest_write(vm, STUB, stub, sizeof(stub)))
		return -EFAULT;
	for (unsigned n = FIRST_VECTOR; n < 256; n++)
		ivt[n] = (struct vector){(u16)(16 * n), (u16)(STUB_SEGMENT - n)};
	return bus_add_wide_pio(vm, PORT_NO_BIOS, 2, &ops, vm, "no BIOS");
}
