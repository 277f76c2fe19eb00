/* The boot disk by INT 13h: EDD's LBA calls, else cylinder, head and sector. All data goes through
 * BIOS_BUFFER, which any BIOS can reach and which crosses no 64 KiB. */
#include "boot/boot.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

#define SECTOR	    512
#define MAX_SECTORS 127 /* a call: what the oldest EDD BIOSes take */
#define TRIES	    3

struct edd_packet { /* disk address packet */
	u8 size, zero;
	u16 count;
	u16 offset, segment;
	u64 lba;
} __packed;

struct edd_params { /* result of AH=48h, EDD 3.0 (T13 1572D); older BIOSes give less */
	u16 size, flags;
	u32 cylinders, heads, sectors;
	u64 total;
	u16 sector_size;
	u8 table_and_bus[14];
	char interface[8];
	u8 paths[26];
} __packed;
_Static_assert(sizeof(struct edd_params) == 74, "what BIOSes know");

bool boot_from_usb;

static struct {
	u32 heads, sectors; /* a cylinder's heads, a track's sectors; sectors is 0 with EDD */
} disk;

static const struct bios_regs *int13(u32 eax, u32 ebx, u32 ecx, u32 edx, u16 es)
{
	return bios(0x13, eax, ebx, ecx, edx | boot_drive, es);
}

static u8 code_of(const struct bios_regs *r)
{
	return (u8)(r->eax >> 8);
}

static bool has_edd(void)
{
	const struct bios_regs *r = int13(0x4100, 0x55AA, 0, 0, 0);

	return !bios_failed(r) && (u16)r->ebx == 0xAA55 && (r->ecx & 1);
}

int disk_init(void)
{
	struct edd_params *p = (struct edd_params *)BIOS_PACKET;
	const struct bios_regs *r;

	if (has_edd()) {
		*p = (struct edd_params){.size = sizeof(*p)};
		if (!bios_failed(int13(0x4800, 0, 0, 0, 0)) && p->sector_size && p->sector_size != SECTOR) {
			printk("boot disk %02Xh: its sectors have %u bytes; pxHV boots from disks with %u\n",
			       boot_drive, p->sector_size, SECTOR);
			return -EIO;
		}
		boot_from_usb = !memcmp(p->interface, "USB", 3);
		return 0;
	}
	r = int13(0x0800, 0, 0, 0, 0); /* with ES:DI = 0, which some BIOSes want */
	disk.sectors = r->ecx & 0x3F;
	disk.heads = (u8)(r->edx >> 8) + 1;
	if (bios_failed(r) || !disk.sectors) {
		printk("boot disk %02Xh: the BIOS does not tell its geometry (code %02Xh)\n", boot_drive,
		       code_of(r));
		return -EIO;
	}
	return 0;
}

/* One attempt at up to *count sectors from lba on; a track's end lowers *count. Returns the BIOS's code. */
static u8 read_once(u64 lba, u32 *count)
{
	const struct bios_regs *r;

	if (!disk.sectors) {
		*(struct edd_packet *)BIOS_PACKET = (struct edd_packet){
			.size = 16, .count = (u16)*count, .segment = BIOS_BUFFER_SEG, .lba = lba};
		r = int13(0x4200, 0, 0, 0, 0);
	} else {
		u32 sector = lba % disk.sectors;
		u64 track = lba / disk.sectors;
		u32 head = track % disk.heads;
		u64 cylinder = track / disk.heads;

		if (cylinder > 1023)
			return 0x04; /* sector not found: out of CHS's reach */
		*count = MIN(*count, disk.sectors - sector);
		r = int13(0x0200 | *count, 0,
			  (u32)((cylinder & 0xFF) << 8 | cylinder >> 8 << 6 | (sector + 1)), head << 8,
			  BIOS_BUFFER_SEG);
	}
	if (!bios_failed(r))
		return 0;
	return code_of(r) ?: 0xFF;
}

int disk_read(u64 lba, u32 count, void *buf)
{
	while (count) {
		u32 n;
		u8 code;

		for (unsigned tries = TRIES;;) {
			n = MIN(count, MAX_SECTORS);
			code = read_once(lba, &n);
			if (!code || !--tries)
				break;
			int13(0, 0, 0, 0, 0); /* reset */
		}
		if (code) {
			progress_end();
			printk("boot disk %02Xh: cannot read %u sectors at LBA %lu (BIOS code %02Xh)\n",
			       boot_drive, n, lba, code);
			return -EIO;
		}
		memcpy(buf, (void *)BIOS_BUFFER, n * SECTOR);
		buf = (u8 *)buf + n * SECTOR;
		lba += n;
		count -= n;
	}
	return 0;
}
