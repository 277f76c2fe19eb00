/* PCI by configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2). Every chipset has it, and all that we
 * look at lies in the first 256 bytes, which is as far as it reaches. */
#include "host/pci.h"

#include "host/apic.h"
#include "host/cpu.h"
#include "host/paging.h"

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA    0xCFC
#define CONFIG_ENABLE  BIT(31)

#define BRIDGE	       0x0604 /* class and subclass, to another PCI bus */
#define BUSES	       0x18   /* primary, and from bit 8 on the one behind the bridge */
#define HEADER	       0x0C
#define HEADER_MULTI   BIT(23)
#define CAPABILITIES   0x34
#define STATUS_CAPS    BIT(20)		  /* in the word of PCI_COMMAND */
#define COMMAND_ENABLE (7U | PCI_NO_INTX) /* I/O, memory, bus master */
#define BRIDGE_ENABLE  6U		  /* memory, bus master */
#define BAR_IO	       BIT(0)
#define BAR_64	       BIT(2)
#define MSI_ADDRESS    0xFEE00000U
#define MSI_ENABLE     BIT(16) /* in the capability's first word */
#define MSI_64	       BIT(23)
#define MSI_MULTIPLE   (7U << 20)
#define MSIX_ENABLE    BIT(31)
#define MSIX_MASK      BIT(30)

static void address(u32 fn, u32 reg)
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE | fn << 8 | (reg & 0xFC));
}

u32 pci_read(u32 fn, u32 reg)
{
	address(fn, reg);
	return inl(CONFIG_DATA);
}

void pci_write(u32 fn, u32 reg, u32 val)
{
	address(fn, reg);
	outl(CONFIG_DATA, val);
}

u64 pci_bar(u32 fn, unsigned n)
{
	u32 low = pci_read(fn, PCI_BAR0 + 4 * n);

	if (low & BAR_IO)
		return low & 0xFFFC;
	return (low & ~15U) | (low & BAR_64 ? (u64)pci_read(fn, PCI_BAR0 + 4 * n + 4) << 32 : 0);
}

/* The status bits beside the command are cleared by ones. */
static void set_command(u32 fn, u32 bits)
{
	pci_write(fn, PCI_COMMAND, (u16)pci_read(fn, PCI_COMMAND) | bits);
}

void pci_enable(u32 fn)
{
	u32 bus = fn >> 8;

	set_command(fn, COMMAND_ENABLE);
	while (bus && fn--) { /* a bridge's own bus has a lower number than the one behind it */
		if (pci_read(fn, PCI_CLASS) >> 16 != BRIDGE || (u8)(pci_read(fn, BUSES) >> 8) != bus)
			continue;
		set_command(fn, BRIDGE_ENABLE);
		bus = fn >> 8;
	}
}

u32 pci_capability(u32 fn, u8 id, u32 after)
{
	u32 at = after ? pci_read(fn, after) >> 8 : pci_read(fn, CAPABILITIES);

	if (!(pci_read(fn, PCI_COMMAND) & STATUS_CAPS))
		return 0;
	for (unsigned i = 0; i < PCI_CAPS_MAX && (at &= 0xFC) >= 0x40; i++) {
		u32 cap = pci_read(fn, at);

		if ((u8)cap == id)
			return at;
		at = cap >> 8;
	}
	return 0;
}

static bool use_msix(u32 fn, u32 cap, u32 to, u8 vector)
{
	u32 table = pci_read(fn, cap + 4);
	u64 bar = pci_bar(fn, table & 7);
	volatile u32 *entry = bar ? mmio_map(bar + (table & ~7U), 16) : NULL;

	if (!entry)
		return false;
	entry[0] = to;
	entry[1] = 0;
	entry[2] = vector;
	entry[3] = 0; /* not masked */
	pci_write(fn, cap, (pci_read(fn, cap) & ~MSIX_MASK) | MSIX_ENABLE);
	return true;
}

bool pci_msi(u32 fn, u8 vector)
{
	u32 to = MSI_ADDRESS | apic_id() << 12, cap, head, data;

	if (apic_id() > 254) /* the address has 8 bits for it */
		return false;
	cap = pci_capability(fn, PCI_CAP_MSIX, 0);
	if (cap)
		return use_msix(fn, cap, to, vector);
	cap = pci_capability(fn, PCI_CAP_MSI, 0);
	if (!cap)
		return false;
	head = pci_read(fn, cap) & ~MSI_MULTIPLE;
	data = cap + (head & MSI_64 ? 12 : 8);
	pci_write(fn, cap + 4, to);
	if (head & MSI_64)
		pci_write(fn, cap + 8, 0);
	pci_write(fn, data, (pci_read(fn, data) & ~0xFFFFU) | vector);
	pci_write(fn, cap, head | MSI_ENABLE);
	return true;
}

/* Brute force: what other host bridges than the first lead to is not behind any bridge of bus 0. */
void pci_scan(void (*found)(u32 fn, u32 class))
{
	outl(CONFIG_ADDRESS, CONFIG_ENABLE);
	if (inl(CONFIG_ADDRESS) != CONFIG_ENABLE)
		return;
	for (u32 fn = 0; fn < 0x10000; fn++) {
		bool there = (u16)pci_read(fn, PCI_ID) != 0xFFFF;

		if (there)
			found(fn, pci_read(fn, PCI_CLASS) >> 8);
		/* A device without function 0 is none; or that may be its only one. */
		if (!(fn & 7) && !(there && pci_read(fn, HEADER) & HEADER_MULTI))
			fn |= 7;
	}
}
