/* The PC's two 8259A interrupt controllers and their edge/level control registers, which are why PC chipsets
 * do not look at ICW1's level bit. */

#include "dev/devices.h"
#include "dev/machine.h"
#include "lib/errno.h"

enum { MASTER, SLAVE };
#define CASCADE	 2 /* the master's input that the slave drives */
#define SPURIOUS 7 /* acknowledged when there is nothing to acknowledge */
#define NONE	 8

enum init_state { READY, WANT_ICW2, WANT_ICW3, WANT_ICW4 };

#define ICW1_INIT     BIT(4)
#define ICW1_SINGLE   BIT(1)
#define ICW1_ICW4     BIT(0)
#define ICW4_AEOI     BIT(1)
#define ICW4_SFNM     BIT(4)
#define OCW3	      BIT(3)
#define OCW3_POLL     BIT(2)
#define OCW3_READ     BIT(1)
#define OCW3_READ_ISR BIT(0)
#define OCW3_ESMM     BIT(6)
#define OCW3_SMM      BIT(5)

struct pic {
	u8 irr, imr, isr;
	u8 lines;  /* inputs as they are */
	u8 elcr;   /* level-triggered inputs */
	u8 lowest; /* input of lowest priority; the next one has the highest */
	u8 base;   /* vector of input 0 */
	u8 icw1, icw4;
	u8 state;
	bool special_mask, rotate_aeoi, poll, read_isr;
};

struct pic_pair {
	struct vm *vm;
	struct pic chip[2];
	bool out;
};

/* Rotated so that bit 0 has the highest priority, a set of inputs tells its first by counting zeros. */
static unsigned highest(const struct pic *p, u8 set)
{
	unsigned shift = (p->lowest + 1) & 7;

	return set ? (unsigned)__builtin_ctz((u8)(set >> shift | set << (8 - shift))) : NONE;
}

static unsigned input_of(const struct pic *p, unsigned priority)
{
	return (priority + p->lowest + 1) & 7;
}

/* The input that the chip asks to have served, NONE if none beats what is in service. */
static unsigned requested(const struct pic *p, bool master)
{
	u8 in_service = p->isr;
	unsigned priority = highest(p, p->irr & ~p->imr);

	if (priority == NONE)
		return NONE;
	if (p->special_mask)
		in_service &= ~p->imr;
	/* Special fully nested: the slave may interrupt itself with something more urgent. */
	if (master && (p->icw4 & ICW4_SFNM))
		in_service &= ~BIT(CASCADE);
	return priority < highest(p, in_service) ? input_of(p, priority) : NONE;
}

/* Recomputes the outputs, the slave's first. The cascade input follows the slave's output as a level, so that
 * no request of the slave is lost whatever order EOIs come in. */
static void update(struct pic_pair *pp)
{
	struct pic *m = &pp->chip[MASTER], *s = &pp->chip[SLAVE];
	bool out;

	m->irr &= ~BIT(CASCADE);
	if (s->irr & ~s->imr && requested(s, false) != NONE)
		m->irr |= BIT(CASCADE);
	out = requested(m, true) != NONE;
	if (out != pp->out)
		vm_extint_set(pp->vm, out);
	pp->out = out;
}

static void pic_set(void *chip, unsigned gsi, bool level)
{
	struct pic_pair *pp = chip;
	struct pic *p = &pp->chip[gsi >> 3 & 1];
	u8 bit = BIT(gsi & 7), irr = p->irr;

	if (gsi >= 16 || gsi == CASCADE)
		return;
	if (p->elcr & bit)
		p->irr = level ? irr | bit : irr & ~bit;
	else if (level && !(p->lines & bit))
		p->irr = irr | bit;
	p->lines = level ? p->lines | bit : p->lines & ~bit;
	if (p->irr != irr)
		update(pp);
}

static const struct irqchip_ops irqchip_ops = {pic_set};

/* Interrupt acknowledge, or a poll: takes the request of one chip into service. */
static unsigned take(struct pic *p, bool master)
{
	unsigned in = requested(p, master);
	u8 bit = BIT(in & 7);

	if (in == NONE)
		return NONE;
	if (!(p->icw4 & ICW4_AEOI))
		p->isr |= bit;
	else if (p->rotate_aeoi)
		p->lowest = in;
	if (!(p->elcr & bit))
		p->irr &= ~bit;
	return in;
}

static int pic_ack(void *chip)
{
	struct pic_pair *pp = chip;
	struct pic *p = &pp->chip[MASTER];
	unsigned in = take(p, true);

	if (in == CASCADE) {
		p = &pp->chip[SLAVE];
		in = take(p, false);
	}
	update(pp);
	return p->base + (in == NONE ? SPURIOUS : in);
}

static void eoi(struct pic *p, unsigned in, bool rotate)
{
	p->isr &= ~BIT(in);
	if (rotate)
		p->lowest = in;
}

static void write_ocw2(struct pic *p, u8 val)
{
	u8 in_service = p->special_mask ? p->isr & ~p->imr : p->isr;
	bool rotate = val & 0x80;

	switch (val >> 5 & 3) {
	case 0:
		p->rotate_aeoi = rotate;
		break;
	case 1: /* non-specific EOI */
		if (in_service)
			eoi(p, input_of(p, highest(p, in_service)), rotate);
		break;
	case 3: /* specific EOI */
		eoi(p, val & 7, rotate);
		break;
	case 2: /* set priority */
		if (rotate)
			p->lowest = val & 7;
		break;
	}
}

static void write_ocw3(struct pic *p, u8 val)
{
	if (val & OCW3_ESMM)
		p->special_mask = val & OCW3_SMM;
	if (val & OCW3_POLL)
		p->poll = true;
	else if (val & OCW3_READ)
		p->read_isr = val & OCW3_READ_ISR;
}

static void write_icw1(struct pic *p, u8 val)
{
	/* Everything but the level control and the vector base goes; edges seen so far are forgotten. */
	*p = (struct pic){
		.icw1 = val,
		.state = WANT_ICW2,
		.lines = p->lines,
		.elcr = p->elcr,
		.base = p->base,
		.lowest = 7,
	};
	p->irr = p->lines & p->elcr;
}

static void write_icw(struct pic *p, u8 val)
{
	switch (p->state) {
	case WANT_ICW2:
		p->base = val & 0xF8;
		p->state = p->icw1 & ICW1_SINGLE ? WANT_ICW4 : WANT_ICW3;
		break;
	case WANT_ICW3: /* the cascade is wired as it is */
		p->state = WANT_ICW4;
		break;
	case WANT_ICW4:
		p->icw4 = val;
		p->state = READY;
		break;
	}
	if (p->state == WANT_ICW4 && !(p->icw1 & ICW1_ICW4))
		p->state = READY;
}

static void pic_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct pic_pair *pp = dev;
	struct pic *p = &pp->chip[port >= PORT_PIC_SLAVE];

	if (likely(port & 1)) {
		u8 changed = p->imr ^ (u8)val;

		if (unlikely(p->state != READY)) {
			write_icw(p, (u8)val);
			return;
		}
		p->imr = (u8)val;
		/* Masks matter for the output only where something is requested, or in special mask mode. */
		if (likely(!(changed & p->irr) && !p->special_mask))
			return;
	} else if (val & ICW1_INIT) {
		write_icw1(p, (u8)val);
	} else if (val & OCW3) {
		write_ocw3(p, (u8)val);
	} else {
		write_ocw2(p, (u8)val);
	}
	update(pp);
}

static u32 pic_read(void *dev, u16 port, unsigned size)
{
	struct pic_pair *pp = dev;
	struct pic *p = &pp->chip[port >= PORT_PIC_SLAVE];
	unsigned in;

	if (unlikely(p->poll)) {
		p->poll = false;
		in = take(p, p == &pp->chip[MASTER]);
		update(pp);
		return in == NONE ? 0 : 0x80 | in;
	}
	if (port & 1)
		return p->imr;
	return p->read_isr ? p->isr : p->irr;
}

static const struct pio_ops ops = {pic_read, pic_write};

static u32 elcr_read(void *dev, u16 port, unsigned size)
{
	struct pic_pair *pp = dev;

	return pp->chip[port & 1].elcr;
}

static void elcr_write(void *dev, u16 port, unsigned size, u32 val)
{
	static const u8 writable[2] = {0xF8,
				       0xDE}; /* timer, keyboard, cascade, RTC and FPU are edges for ever */
	struct pic_pair *pp = dev;

	pp->chip[port & 1].elcr = val & writable[port & 1];
}

static const struct pio_ops elcr_ops = {elcr_read, elcr_write};

/* Any write takes back IRQ 13, by which a PC's chipset tells of an x87 error. */
static u32 fpu_read(void *dev, u16 port, unsigned size)
{
	return 0xFF;
}

static void fpu_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct pic_pair *pp = dev;

	vm_irq_set(pp->vm, IRQ_FPU, false);
}

static const struct pio_ops fpu_ops = {fpu_read, fpu_write};

int pic_create(struct vm *vm)
{
	struct pic_pair *pp = vm_zalloc(vm, sizeof(*pp));
	int err;

	if (!pp)
		return -ENOMEM;
	pp->vm = vm;
	/* At 08h and 70h, as a PC's BIOS leaves them; but all masked, since the timer runs and not every
	 * guest has a handler for it at once. */
	for (unsigned i = MASTER; i <= SLAVE; i++)
		pp->chip[i] = (struct pic){.lowest = 7, .imr = 0xFF, .base = i == MASTER ? 0x08 : 0x70};
	vm_extint_register(vm, pic_ack, pp);
	err = vm_add_irqchip(vm, &irqchip_ops, pp);
	if (!err)
		err = bus_add_pio(vm, PORT_PIC_MASTER, 2, &ops, pp, "8259 master");
	if (!err)
		err = bus_add_pio(vm, PORT_PIC_SLAVE, 2, &ops, pp, "8259 slave");
	if (!err)
		err = bus_add_pio(vm, PORT_FPU, 1, &fpu_ops, pp, "x87 error");
	return err ? err : bus_add_pio(vm, PORT_PIC_ELCR, 2, &elcr_ops, pp, "8259 ELCR");
}
