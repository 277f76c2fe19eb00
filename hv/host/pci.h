/* PCI configuration space and what drivers need of it. A function is named by bus << 8 | device << 3 |
 * function. */
#pragma once

#include "lib/types.h"

#define PCI_ID	    0x00 /* vendor, device << 16 */
#define PCI_COMMAND 0x04
#define PCI_CLASS   0x08 /* revision, and from bit 8 on programming interface, subclass, class */
#define PCI_BAR0    0x10

#define PCI_NO_INTX BIT(10) /* in PCI_COMMAND */

#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11
#define PCI_CAPS_MAX   48 /* as many as find room */

/* The aligned 32-bit register at reg (below 100h). */
u32 pci_read(u32 fn, u32 reg);
void pci_write(u32 fn, u32 reg, u32 val);

/* The address in BAR n, memory or port; 0 when the firmware gave it none. */
u64 pci_bar(u32 fn, unsigned n);

/* Turns decoding and bus mastering on, INTx off; and what it needs of the bridges above it. */
void pci_enable(u32 fn);

/* The register of the next capability of that id after the one at `after` (0: the first), or 0. */
u32 pci_capability(u32 fn, u8 id, u32 after);

/* Makes fn interrupt this CPU with vector, by entry 0 of its MSI-X table or by MSI. False when it can
 * neither. */
bool pci_msi(u32 fn, u8 vector);

/* Calls found with every function on every bus; class is PCI_CLASS without the revision. */
void pci_scan(void (*found)(u32 fn, u32 class));
