/* ACPI fixed hardware (ACPI 6.4 §4.8): PM1a event and control registers, the PM timer, and the reset port
 * CF9h. There are no buttons: of the events only the PM timer's ever happens. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "host/tsc.h"
#include "lib/errno.h"
#include "lib/math.h"

#define PM1_TMR	    BIT(0) /* in status and enable */
#define PM1_ENABLE  0x0721 /* timer, global lock, power and sleep button, RTC */
#define CNT_SCI_EN  BIT(0)
#define CNT_SLP_TYP 10
#define CNT_SLP_EN  BIT(13)
#define CNT_STORED  0x1C03 /* SCI_EN, BM_RLD, SLP_TYP */

#define RST_CPU BIT(2)

struct acpi_pm {
	struct vm *vm;
	u16 status, enable, control;
	u8 reset;
	u64 halves; /* half periods of the timer's top bit that status has taken notice of */
	bool sci;
	struct vtimer timer; /* the top bit's next change, while TMR_EN is set */
};

static u64 pm_ticks(void)
{
	return muldiv64(tsc_now(), PM_TIMER_HZ, tsc_hz);
}

static void update(struct acpi_pm *pm)
{
	u64 halves = pm_ticks() >> PM_TIMER_TOP_BIT;
	bool sci;

	if (halves != pm->halves)
		pm->status |= PM1_TMR;
	pm->halves = halves;
	if (pm->enable & PM1_TMR)
		vtimer_arm(&pm->timer, muldiv64((halves + 1) << PM_TIMER_TOP_BIT, tsc_hz, PM_TIMER_HZ) + 1);
	else
		vtimer_arm(&pm->timer, TIMER_NEVER);

	sci = (pm->status & pm->enable) && (pm->control & CNT_SCI_EN);
	if (sci != pm->sci)
		vm_irq_set(pm->vm, IRQ_SCI, sci);
	pm->sci = sci;
}

static void timer_fire(void *dev, u64 deadline)
{
	update(dev);
}

/* The registers as 32-bit words; narrower accesses pick their bytes. */
static u32 pm_read(void *dev, u16 port, unsigned size)
{
	struct acpi_pm *pm = dev;
	u32 val;

	switch (port & ~3) {
	case PORT_PM_TIMER:
		val = (u32)pm_ticks();
		break;
	case PORT_PM1_CNT:
		val = pm->control;
		break;
	default:
		update(pm);
		val = pm->status | (u32)pm->enable << 16;
	}
	val >>= (port & 3) * 8;
	return size == 4 ? val : val & (u32)(BIT(size * 8) - 1);
}

static void write_control(struct acpi_pm *pm, u32 val)
{
	pm->control = val & CNT_STORED;
	if ((val & CNT_SLP_EN) && (val >> CNT_SLP_TYP & 7) == S5_SLP_TYP)
		vm_end(pm->vm, VM_POWEROFF, 0);
}

static void pm_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct acpi_pm *pm = dev;
	unsigned shift = (port & 3) * 8;
	u32 mask = size == 4 ? ~0U : (u32)(BIT(size * 8) - 1) << shift;

	val = (val << shift) & mask;
	if ((port & ~3) == PORT_PM1_CNT) {
		write_control(pm, (pm->control & ~mask) | val);
	} else if ((port & ~3) == PORT_PM1_EVT) {
		u32 enable = ((u32)pm->enable << 16 & ~mask) | val;

		update(pm); /* so that a change of the top bit so far is cleared, too */
		pm->status &= ~val;
		pm->enable = (enable >> 16) & PM1_ENABLE;
	} else {
		return;
	}
	update(pm);
}

static const struct pio_ops pm_ops = {pm_read, pm_write};

/* Only a byte reaches it: its port is also in the middle of PCI's configuration address, which the machine
 * has not. */
static bool is_reset(u16 port, unsigned size)
{
	return port == PORT_RESET && size == 1;
}

static u32 reset_read(void *dev, u16 port, unsigned size)
{
	struct acpi_pm *pm = dev;

	return is_reset(port, size) ? pm->reset : ~0U >> (32 - 8 * size);
}

/* Reset control register of Intel's chipsets: RST_CPU going up resets; the bits beside it say how much. */
static void reset_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct acpi_pm *pm = dev;

	if (!is_reset(port, size))
		return;
	if ((val & RST_CPU) && !(pm->reset & RST_CPU))
		vm_end(pm->vm, VM_REBOOT, 0);
	pm->reset = val & 0x0A; /* SYS_RST, FULL_RST */
}

static const struct pio_ops reset_ops = {reset_read, reset_write};

int acpi_pm_create(struct vm *vm)
{
	struct acpi_pm *pm = vm_zalloc(vm, sizeof(*pm));
	int err = 0;

	if (!pm)
		return -ENOMEM;
	pm->vm = vm;
	pm->control = CNT_SCI_EN;
	pm->halves = pm_ticks() >> PM_TIMER_TOP_BIT;
	vtimer_init(&pm->timer, vm_timers(vm), timer_fire, pm);
	for (u16 port = PORT_PM1_EVT; !err && port <= PORT_PM_TIMER; port += 4)
		err = bus_add_wide_pio(vm, port, 4, &pm_ops, pm, "ACPI PM");
	return err ? err : bus_add_wide_pio(vm, PORT_PCI_ADDRESS, 4, &reset_ops, pm, "reset");
}
