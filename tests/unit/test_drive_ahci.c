/* The driver for SATA disks, on registers behind which a disk may be changed for another one. */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "host/ata.h"
#include "host/page.h"
#include "host/paging.h"
#include "host/pci.h"
#include "lib/errno.h"

/* Registers by their offset / 4: the controller's, and a port's. */
enum { PI = 3, PORTS = 0x100 / 4, PORT_SIZE = 0x80 / 4, HBA_SIZE = 0x1100 / 4 };
enum { CLB, IS = 4, IE, TFD = 8, SIG, SSTS, SERR = 12, CI = 14 };
enum { READ_DMA = 0x25, PCS = 1 << 6 };

static u32 hba[HBA_SIZE], *const port = hba + PORTS, *const empty = hba + PORTS + PORT_SIZE;
static struct drive *drive;
static u32 reads;
static u16 serial; /* of the disk that is there */
static bool swapped, silent;
static u32 busy_ms; /* how long it needs after a COMRESET */

u64 pci_bar(u32 fn, unsigned n)
{
	return (u64)hba;
}

void pci_enable(u32 fn)
{
}

bool pci_msi(u32 fn, u8 vector)
{
	return true;
}

volatile void *mmio_map(u64 pa, u64 size)
{
	return (void *)pa;
}

void mmio_write_address(volatile u32 *reg, const volatile void *p)
{
	memcpy((void *)reg, &p, sizeof(p));
}

void *drive_alloc(u32 size, u64 limit)
{
	void *p = page_alloc_run(size, PAGE_SIZE, limit);

	return memset(p, 0, ALIGN_UP(size, PAGE_SIZE));
}

void drive_add(struct drive *d, const char *kind)
{
	assert_string_equal(kind, "ahci");
	strcpy(d->name, "ahci0");
	d->waiting_end = &d->waiting;
	drive = d;
}

/* The driver waits between the ends of a COMRESET. */
void delay(u32 ms)
{
	silent = false;
	port[CI] = 0;
}

/* What the disk does with the command that is there. */
static void work(void)
{
	u32 *header, *table;
	u16 *data;

	if (port[SERR])
		port[SERR] = swapped = false; /* cleared by ones */
	port[IS] = swapped ? PCS : 0;
	if (!port[CI] || silent)
		return;
	memcpy(&header, &port[CLB], sizeof(header));
	memcpy(&table, &header[2], sizeof(table));
	memcpy(&data, &table[32], sizeof(data));
	port[CI] = 0;
	if ((table[0] >> 16 & 0xFF) == READ_DMA) {
		reads++;
		return;
	}
	assert_int_equal(table[0] >> 16 & 0xFF, ATA_IDENTIFY);
	memset(data, 0, ATA_SECTOR);
	data[49] = 0x300;
	data[10] = serial;
	data[83] = 0x4400;
	data[100] = 1000;
}

bool wait_bits(const volatile u32 *reg, u32 mask, u32 want, u32 ms)
{
	work();
	if (reg == &port[TFD] && ms < busy_ms)
		return false;
	return (*reg & mask) == want;
}

static int setup(void **state)
{
	fake_reset(state);
	memset(hba, 0, sizeof(hba));
	hba[PI] = 3;
	port[SSTS] = 3;
	port[SIG] = 0x101;
	port[IE] = empty[IE] = ~0U;
	drive = NULL;
	reads = 0;
	serial = 1;
	swapped = silent = false;
	busy_ms = 0;
	assert_int_equal(ahci_probe(0), 0);
	assert_non_null(drive);
	return 0;
}

static void the_bios_interrupts_end(void **state)
{
	assert_int_equal(empty[IE], 0);
	assert_int_equal(port[IE], 0x79000003);
}

static bool stepped;

static bool step(struct drive_job *j, struct drive_cmd *c)
{
	static u8 block[512];

	*c = (struct drive_cmd){.op = DRIVE_READ, .blocks = 1, .count = 1, .seg[0] = {(u64)block, 512}};
	stepped = !stepped;
	return stepped;
}

static int read_block(void)
{
	struct drive_job job = {.step = step};

	stepped = false;
	work();
	drive_submit(drive, &job);
	while (!job.ended) {
		work();
		drive_poll(drive);
		fake_tsc += tsc_hz;
	}
	return job.err;
}

static void another_disk_gets_nothing(void **state)
{
	assert_int_equal(read_block(), 0);
	assert_int_equal(reads, 1);
	serial++;
	swapped = true;
	assert_int_equal(read_block(), -EIO);
	assert_true(drive->dead);
	assert_int_equal(reads, 1);
}

/* One that the port does not tell of, too. */
static void another_disk_is_seen_after_a_reset(void **state)
{
	silent = true;
	serial++;
	assert_int_equal(read_block(), -EIO);
	assert_true(drive->dead);
}

static void the_same_disk_works_again(void **state)
{
	swapped = true;
	assert_int_equal(read_block(), -EIO);
	assert_int_equal(reads, 0);
	assert_int_equal(read_block(), 0);
	assert_false(drive->dead);
}

static void a_slow_disk_is_waited_for(void **state)
{
	silent = true;
	busy_ms = 9000;
	assert_int_equal(read_block(), -EIO);
	assert_int_equal(read_block(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_bios_interrupts_end, setup),
		cmocka_unit_test_setup(another_disk_gets_nothing, setup),
		cmocka_unit_test_setup(another_disk_is_seen_after_a_reset, setup),
		cmocka_unit_test_setup(the_same_disk_works_again, setup),
		cmocka_unit_test_setup(a_slow_disk_is_waited_for, setup),
	};

	return cmocka_run_group_tests_name("drive_ahci", tests, NULL, NULL);
}
