/* The guest's ACPI tables (ACPI 6.4 chapter 5). A legacy machine, not a hardware-reduced one: then Linux uses
 * the PIT and the PM timer to calibrate, and finds power-off and reset in the FADT. */
#include "dev/machine.h"
#include "lib/string.h"
#include "load/layout.h"
#include "load/load.h"
#include "vm/vm.h"

#include "load/dsdt_aml.h" /* dsdt_aml_code[], compiled from dsdt.asl */

/* All tables lie below 4 GiB: pointers of 32 bits, an RSDP of revision 0 and an RSDT will do. */
struct rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
} __packed;

/* Four letters as a number. */
#define NAME(a, b, c, d) ((a) | (b) << 8 | (c) << 16 | (u32)(d) << 24)

struct header {
	u32 signature;
	u32 length;
	u8 revision, checksum;
	char oem_id[6];
	u32 oem_table_id[2];
	u32 oem_revision;
	u32 creator_id;
	u32 creator_revision;
} __packed;

struct gas { /* generic address structure */
	u8 space, width, offset, access;
	u64 address;
} __packed;
enum { GAS_IO = 1, GAS_BYTE = 1 };

/* The registers that it has twice are told by port, so that the generic addresses remain empty. */
struct fadt {
	struct header h;
	u32 facs, dsdt;
	u8 reserved, preferred_pm_profile;
	u16 sci_int;
	u32 smi_cmd;
	u8 acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	u32 pm1a_evt, pm1b_evt, pm1a_cnt, pm1b_cnt, pm2_cnt, pm_tmr, gpe0, gpe1;
	u8 pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len, gpe0_len, gpe1_len, gpe1_base, cst_cnt;
	u16 c2_latency, c3_latency, flush_size, flush_stride;
	u8 duty_offset, duty_width, day_alarm, month_alarm, century;
	u16 iapc_boot_arch;
	u8 reserved2;
	u32 flags;
	struct gas reset_reg;
	u8 reset_value;
	u8 reserved3[3];
	u64 x_facs, x_dsdt;
	struct gas x_registers[8];
} __packed;
_Static_assert(sizeof(struct fadt) == 244, "FADT revision 3");

enum { /* ACPI 6.4 tables 5.10 and 5.11 */
       FADT_WBINVD = 1 << 0,
       FADT_PROC_C1 = 1 << 2,
       FADT_PWR_BUTTON = 1 << 4, /* these two: not a fixed register */
       FADT_SLP_BUTTON = 1 << 5,
       FADT_TMR_VAL_EXT = 1 << 8,
       FADT_RESET_REG_SUP = 1 << 10,
       BOOT_LEGACY_DEVICES = 1 << 0,
       BOOT_8042 = 1 << 1,
       BOOT_NO_VGA = 1 << 2,
       PROFILE_SERVER = 4,
};

struct facs {
	u32 signature;
	u32 length, hardware_signature, waking_vector, global_lock, flags;
	u64 x_waking_vector;
	u8 version, reserved[31];
} __packed;

struct madt_lapic {
	u8 type, length, uid, apic_id;
	u32 flags;
} __packed;

struct madt_ioapic {
	u8 type, length, id, reserved;
	u32 address, gsi_base;
} __packed;

struct madt_override {
	u8 type, length, bus, source;
	u32 gsi;
	u16 flags;
} __packed;

struct madt_lapic_nmi {
	u8 type, length, uid;
	u16 flags;
	u8 lint;
} __packed;

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4 };
enum { MPS_ACTIVE_HIGH = 1, MPS_EDGE = 1 << 2, MPS_LEVEL = 3 << 2 };

struct madt_machine {
	u32 lapic_address, flags;
	struct madt_ioapic ioapic;
	struct madt_override timer, sci;
	struct madt_lapic_nmi nmi;
} __packed;

static const struct madt_machine madt_machine = {
	.lapic_address = LAPIC_BASE,
	.flags = 1, /* there are two 8259s */
	.ioapic = {MADT_IOAPIC, sizeof(struct madt_ioapic), IOAPIC_ID, 0, IOAPIC_BASE, 0},
	.timer = {MADT_OVERRIDE, sizeof(struct madt_override), 0, IRQ_PIT, IOAPIC_PIN_PIT,
		  MPS_ACTIVE_HIGH | MPS_EDGE},
	.sci = {MADT_OVERRIDE, sizeof(struct madt_override), 0, IRQ_SCI, IRQ_SCI,
		MPS_ACTIVE_HIGH | MPS_LEVEL},
	.nmi = {MADT_LAPIC_NMI, sizeof(struct madt_lapic_nmi), 0xFF, MPS_ACTIVE_HIGH | MPS_EDGE, 1},
};

struct madt {
	struct header h;
	struct madt_machine machine;
	struct madt_lapic lapic[VM_MAX_VCPUS]; /* the table ends after the last vcpu */
} __packed;

/* A virtio slot in AML (ACPI 6.4 chapter 20), as iasl would spell it: Device (\_SB.VRTn) with _HID, _UID and
 * _CRS of Memory32Fixed and an Interrupt. */
struct aml_virtio {
	u8 device[4], path[2];
	char sb[4], name[4];
	u8 hid_op;
	char hid_name[4], hid[10];
	u8 uid_op;
	char uid_name[4];
	u8 uid[2];
	u8 crs_op;
	char crs_name[4];
	u8 buffer[4];
	u8 memory[4];
	u32 base, size;
	u8 interrupt[5];
	u32 gsi;
	u8 end[2];
} __packed;

static const struct aml_virtio aml_virtio = {
	.device = {0x5B, 0x82, 0x40 | ((sizeof(struct aml_virtio) - 2) & 15),
		   (sizeof(struct aml_virtio) - 2) >> 4},
	.path = {'\\', 0x2E}, /* from the root, two names */
	.sb = "_SB_",
	.name = "VRT0",
	.hid_op = 0x08,
	.hid_name = "_HID",
	.hid = "\rLNRO0005", /* a string */
	.uid_op = 0x08,
	.uid_name = "_UID",
	.uid = {0x0A, 0}, /* a byte */
	.crs_op = 0x08,
	.crs_name = "_CRS",
	.buffer = {0x11, 26, 0x0A, 23}, /* a buffer: bytes from here on, and of its data */
	.memory = {0x86, 9, 0, 1},	/* Memory32Fixed, ReadWrite */
	.base = VIRTIO_BASE,
	.size = PAGE_SIZE,
	.interrupt = {0x89, 6, 0, 0x03, 1}, /* one, consumer, edge-triggered, active high */
	.gsi = VIRTIO_IRQ,
	.end = {0x79, 0},
};

/* Everything, as it lies in guest memory. The FACS wants 64-byte alignment. */
struct tables {
	struct rsdp rsdp;
	u8 pad[64 - sizeof(struct rsdp)];
	struct facs facs;
	struct {
		struct header h;
		u32 entry[2];
	} __packed rsdt;
	struct fadt fadt;
	struct madt madt;
	u8 dsdt[sizeof(dsdt_aml_code)];
	struct aml_virtio virtio[CONFIG_MAX_DISKS]; /* the DSDT ends after the last device */
} __packed;
_Static_assert(sizeof(struct tables) <= LOAD_ACPI_SIZE, "the loaders leave room for the tables");

#define AT(member) (at + offsetof(struct tables, member))

static u8 checksum(const void *p, size_t len)
{
	const u8 *b = p;
	u8 sum = 0;

	while (len--)
		sum += *b++;
	return -sum;
}

static void finish(struct header *h, u32 signature, u8 revision, u32 length)
{
	enum { PXHV = NAME('P', 'X', 'H', 'V') };
	static const struct header template = {.oem_id = "PXHV  ",
					       .oem_table_id = {PXHV},
					       .oem_revision = 1,
					       .creator_id = PXHV,
					       .creator_revision = 1};

	*h = template;
	h->signature = h->oem_table_id[1] = signature;
	h->revision = revision;
	h->length = length;
	h->checksum = checksum(h, length);
}

static void fill_fadt(struct fadt *f, u64 at, bool vga)
{
	f->facs = AT(facs);
	f->dsdt = AT(dsdt);
	f->preferred_pm_profile = PROFILE_SERVER;
	f->sci_int = IRQ_SCI; /* no SMI command: the machine is in ACPI mode from the start */
	f->pm1a_evt = PORT_PM1_EVT;
	f->pm1a_cnt = PORT_PM1_CNT;
	f->pm_tmr = PORT_PM_TIMER;
	f->pm1_evt_len = PM1A_EVT_LEN;
	f->pm1_cnt_len = PM1A_CNT_LEN;
	f->pm_tmr_len = PM_TIMER_LEN;
	f->c2_latency = 0xFFF; /* above 100 and 1000 us: no such state */
	f->c3_latency = 0xFFF;
	f->century = RTC_CENTURY;
	f->iapc_boot_arch = BOOT_LEGACY_DEVICES | BOOT_8042 | (vga ? 0 : BOOT_NO_VGA);
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_PWR_BUTTON | FADT_SLP_BUTTON | FADT_TMR_VAL_EXT |
		   FADT_RESET_REG_SUP;
	f->reset_reg = (struct gas){.space = GAS_IO, .width = 8, .access = GAS_BYTE, .address = PORT_RESET};
	f->reset_value = RESET_VALUE;
	finish(&f->h, NAME('F', 'A', 'C', 'P'), 3, sizeof(*f));
}

static void fill_madt(struct madt *m, unsigned vcpus)
{
	m->machine = madt_machine;
	for (unsigned i = 0; i < vcpus; i++)
		m->lapic[i] = (struct madt_lapic){MADT_LAPIC, sizeof(m->lapic[i]), i, i, 1};
	finish(&m->h, NAME('A', 'P', 'I', 'C'), 4,
	       offsetof(struct madt, lapic) + vcpus * sizeof(m->lapic[0]));
}

/* The DSDT as it was compiled, and behind it the virtio slots that have a device. */
static void fill_dsdt(struct tables *t, struct vm *vm)
{
	unsigned n;

	memcpy(t->dsdt, dsdt_aml_code, sizeof(t->dsdt));
	for (n = 0; vm_disk(vm, n); n++) {
		struct aml_virtio *v = &t->virtio[n];

		*v = aml_virtio;
		v->name[3] = '0' + n;
		v->uid[1] = n;
		v->base += n * PAGE_SIZE;
		v->gsi += n;
	}
	finish((struct header *)t->dsdt, NAME('D', 'S', 'D', 'T'), 2,
	       sizeof(t->dsdt) + n * sizeof(t->virtio[0]));
}

static const struct rsdp rsdp = {.signature = "RSD PTR ", .oem_id = "PXHV  "};

u64 load_acpi(struct vm *vm, u64 at)
{
	struct tables *t = guest_ptr(vm, at, sizeof(*t));

	if (!t)
		return 0;
	memset(t, 0, sizeof(*t));
	fill_dsdt(t, vm);
	fill_madt(&t->madt, vm->vcpu_count);
	fill_fadt(&t->fadt, at, vm_has_vga(vm));
	t->facs.signature = NAME('F', 'A', 'C', 'S');
	t->facs.length = sizeof(t->facs);
	t->facs.version = 2;
	t->rsdt.entry[0] = AT(fadt);
	t->rsdt.entry[1] = AT(madt);
	finish(&t->rsdt.h, NAME('R', 'S', 'D', 'T'), 1, sizeof(t->rsdt));

	t->rsdp = rsdp;
	t->rsdp.rsdt = AT(rsdt);
	t->rsdp.checksum = checksum(&t->rsdp, sizeof(t->rsdp));
	return at;
}
