/* The guest's machine in numbers: where its devices are. The devices claim these, and the ACPI tables
 * (load/acpi.c) tell the guest about them. */
#pragma once

#define PORT_PIC_MASTER	   0x20
#define PORT_PIT	   0x40
#define PORT_I8042	   0x60 /* data; status and commands at 64h */
#define PORT_B		   0x61 /* PIT channel 2's gate and output, speaker, refresh toggle */
#define PORT_RTC	   0x70
#define PORT_POST	   0x80
#define PORT_92		   0x92 /* A20 and fast reset */
#define PORT_PIC_SLAVE	   0xA0
#define PORT_DEBUG_CONSOLE 0xE9
#define PORT_NO_BIOS	   0xEC /* and EDh: load/no_bios.c's */
#define PORT_FPU	   0xF0
#define PORT_DEBUG_EXIT	   0xF4
#define PORT_VGA	   0x3C0 /* to 3DFh */
#define PORT_COM1	   0x3F8
#define PORT_PIC_ELCR	   0x4D0
#define PORT_FW_CFG	   0x510 /* selector, data at 511h, DMA address at 514h */

/* ACPI fixed hardware (ACPI 6.4 §4.8). There is no SMI command port: the machine is in ACPI mode from the
 * start. */
#define PORT_PM1_EVT	 0x600
#define PM1A_EVT_LEN	 4
#define PORT_PM1_CNT	 0x604
#define PM1A_CNT_LEN	 2
#define PORT_PM_TIMER	 0x608
#define PM_TIMER_LEN	 4
#define PM_TIMER_HZ	 3579545
#define PM_TIMER_TOP_BIT 31 /* all 32 bits count: FADT flag TMR_VAL_EXT */
#define PORT_PCI_ADDRESS 0xCF8
#define PORT_RESET	 0xCF9
#define RESET_VALUE	 6
#define S5_SLP_TYP	 0 /* as the DSDT's _S5 says; QEMU's: 2000h to 604h is power-off */

/* GSIs; below 16 also inputs of the 8259s. IRQ_FPU is the vcpu's (vm/bus.h). */
#define IRQ_PIT	     0 /* on IOAPIC pin 2, as on PCs: the MADT overrides it */
#define IRQ_KEYBOARD 1
#define IRQ_COM1     4
#define IRQ_RTC	     8
#define IRQ_SCI	     9 /* level-triggered, active high */

#define IOAPIC_BASE    0xFEC00000ULL
#define IOAPIC_ID      0
#define IOAPIC_PINS    24
#define IOAPIC_PIN_PIT 2

/* Slot n of the virtio devices: a page at VIRTIO_BASE + n * 4 KiB and GSI VIRTIO_IRQ + n, edge-triggered. The
 * disks come first. */
#define VIRTIO_BASE 0xD0000000ULL
#define VIRTIO_IRQ  16

#define RTC_CENTURY 0x32 /* CMOS index, as the FADT says */
