#include "support.h"

#include <string.h>

#include "host/apic.h"
#include "host/drive.h"
#include "host/ioapic.h"
#include "host/paging.h"
#include "host/pci.h"
#include "lib/errno.h"

/* Configuration space: these functions, by mechanism #1. */
static struct {
	u32 fn, reg[64];
} functions[4];
static u32 address;

static u32 *config(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(functions); i++)
		if (functions[i].fn == (address >> 8 & 0xFFFF) && functions[i].reg[0])
			return &functions[i].reg[address >> 2 & 63];
	return NULL;
}

u32 inl(u16 port)
{
	u32 *reg = config();

	if (port == 0xCF8)
		return address;
	assert_int_equal(port, 0xCFC);
	return reg ? *reg : ~0u;
}

void outl(u16 port, u32 val)
{
	if (port == 0xCF8) {
		address = val;
		return;
	}
	assert_int_equal(port, 0xCFC);
	*config() = val;
}

volatile void *mmio_map(u64 pa, u64 size)
{
	fail();
	return NULL;
}

void mmio_write_address(volatile u32 *reg, const volatile void *p)
{
}

void *drive_alloc(u32 size, u64 limit)
{
	static u8 memory[0x10000] __aligned(PAGE_SIZE);

	assert_true(size <= sizeof(memory));
	return memory;
}

void drive_add(struct drive *d, const char *kind)
{
	fail();
}

u32 apic_id(void)
{
	return 0;
}

int ioapic_route_isa(unsigned irq, u8 vector, u32 to)
{
	fail();
	return -ENODEV;
}

static int setup(void **state)
{
	memset(functions, 0, sizeof(functions));
	return fake_reset(state);
}

static u32 seen[8], seen_count;

static void found(u32 fn, u32 class)
{
	seen[seen_count++] = fn;
	assert_int_equal(class, 0x010802);
}

static void every_bus_is_scanned(void **state)
{
	static const u32 fns[] = {0x0000, 0x0003, 0x80FA,
				  0xFFF8}; /* of device 80:1F there is no function 0 */

	for (unsigned i = 0; i < ARRAY_SIZE(fns); i++) {
		functions[i].fn = fns[i];
		functions[i].reg[PCI_ID / 4] = 0x12348086;
		functions[i].reg[PCI_CLASS / 4] = 0x01080200;
	}
	functions[0].reg[3] = BIT(23);
	pci_scan(found);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[0], 0x0000);
	assert_int_equal(seen[1], 0x0003);
	assert_int_equal(seen[2], 0xFFF8);
}

/* In their command register INTx is disabled unless one of their cables has an IRQ of the PC/AT. */
static void legacy_cables_keep_their_interrupts(void **state)
{
	for (u32 native = 0; native < 4; native++) {
		functions[0].reg[PCI_ID / 4] = 0x24DB8086;
		functions[0].reg[PCI_COMMAND / 4] = 0xF9000000;
		functions[0].reg[PCI_CLASS / 4] = 0x01018000 | (native & 1) << 8 | (native & 2) << 9;
		for (unsigned bar = 0; bar < 4; bar++)
			functions[0].reg[PCI_BAR0 / 4 + bar] = 0xC001 + 16 * bar;
		functions[0].reg[PCI_BAR0 / 4 + 4] = 0xC101;
		ata_probe(0);
		assert_int_equal(functions[0].reg[PCI_COMMAND / 4], native == 3 ? 0x407 : 7);
	}
}

/* Bridges let a device's DMA through when firmware has not asked for it, but only those above the device. */
static void bridges_above_a_device_are_enabled(void **state)
{
	static const struct {
		u32 fn, class, buses;
	} f[] = {{0x0010, 0x060400, 0x030100},
		 {0x0018, 0x060400, 0x040400},
		 {0x0108, 0x060401, 0x030300},
		 {0x0300, 0x010601, 0}};

	for (unsigned i = 0; i < ARRAY_SIZE(f); i++) {
		functions[i].fn = f[i].fn;
		functions[i].reg[PCI_ID / 4] = 0x12348086;
		functions[i].reg[PCI_CLASS / 4] = f[i].class << 8;
		functions[i].reg[PCI_COMMAND / 4] = 0xF9000001;
		functions[i].reg[0x18 / 4] = f[i].buses;
	}
	pci_enable(0x0300);
	assert_int_equal(functions[0].reg[PCI_COMMAND / 4], 7);
	assert_int_equal(functions[1].reg[PCI_COMMAND / 4], 0xF9000001);
	assert_int_equal(functions[2].reg[PCI_COMMAND / 4], 7);
	assert_int_equal(functions[3].reg[PCI_COMMAND / 4], 0x407);
}

static void a_circle_of_capabilities_ends(void **state)
{
	functions[0].reg[PCI_ID / 4] = 0x10421AF4;
	functions[0].reg[PCI_COMMAND / 4] = BIT(20);
	functions[0].reg[0x34 / 4] = 0x40;
	functions[0].reg[0x40 / 4] = 0x01005009;
	functions[0].reg[0x50 / 4] = 0x02004009;
	assert_int_equal(virtio_probe(0), -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_bus_is_scanned, setup),
		cmocka_unit_test_setup(legacy_cables_keep_their_interrupts, setup),
		cmocka_unit_test_setup(bridges_above_a_device_are_enabled, setup),
		cmocka_unit_test_setup(a_circle_of_capabilities_ends, setup),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
