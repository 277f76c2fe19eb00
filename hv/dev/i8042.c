/* The 8042 keyboard controller, the keyboard behind it, and port 92h. There is no second (mouse) port. A20
 * can be switched and read back but does not mask addresses: nothing later than an 80286 needs it to. */

#include "dev/devices.h"
#include "dev/keys.h"
#include "dev/machine.h"
#include "lib/errno.h"
#include "lib/keymap.h"

#define STATUS_OBF	BIT(0)
#define STATUS_SYSTEM	BIT(2)
#define STATUS_COMMAND	BIT(3) /* the last write went to port 64h */
#define STATUS_UNLOCKED BIT(4)

#define CB_IRQ		  BIT(0)
#define CB_SYSTEM	  BIT(2)
#define CB_DISABLED	  BIT(4)
#define CB_TRANSLATE	  BIT(6)
#define CB_NO_SECOND_PORT BIT(5) /* read-only: it is off, as there is none */

#define OUT_NOT_RESET BIT(0)
#define OUT_A20	      BIT(1)

#define KBD_ACK	   0xFA
#define KBD_RESEND 0xFE
#define KBD_PASSED 0xAA

#define SET2_RELEASE 0xF0

#define QUEUE	16
#define TYPE_HZ 100 /* keys a second at most: a BIOS drops what its buffer of 15 cannot hold */

/* In set 2 a released key, with three modifiers at most, has a byte more than in set 1. */
_Static_assert(KEYS_MAX + 4 <= QUEUE, "all of a key's bytes fit");

struct queue {
	u8 bytes[QUEUE];
	u8 head, count;
};

struct i8042 {
	struct vm *vm;
	u8 status, command_byte, data;
	u8 a20;
	u8 pending_command;  /* of the controller, that waits for its data byte; 0 none */
	u8 pending_keyboard; /* of the keyboard, likewise */
	u8 code_set;
	bool scanning;
	bool irq;
	struct queue answers;  /* the controller's own */
	struct queue keyboard; /* held back while the keyboard is disabled */
	struct keys keys;      /* what the console's user types */
	struct vtimer timer;
};

static void push(struct queue *q, u8 byte)
{
	if (q->count < QUEUE)
		q->bytes[(q->head + q->count++) % QUEUE] = byte;
}

static u8 pop(struct queue *q)
{
	u8 byte = q->bytes[q->head];

	q->head = (q->head + 1) % QUEUE;
	q->count--;
	return byte;
}

/* Moves the next byte into the output buffer, and sets the line: one edge a byte. */
static void update(struct i8042 *k)
{
	bool irq;

	if (!(k->status & STATUS_OBF)) {
		if (k->answers.count)
			k->data = pop(&k->answers);
		else if (k->keyboard.count && !(k->command_byte & CB_DISABLED))
			k->data = pop(&k->keyboard);
		else
			goto line;
		k->status |= STATUS_OBF;
	}
line:
	irq = (k->status & STATUS_OBF) && (k->command_byte & CB_IRQ);
	if (irq != k->irq)
		vm_irq_set(k->vm, IRQ_KEYBOARD, irq);
	k->irq = irq;
}

static void set_output_port(struct i8042 *k, u8 val)
{
	k->a20 = val & OUT_A20;
	if (!(val & OUT_NOT_RESET))
		vm_end(k->vm, VM_REBOOT, 0);
}

static u8 output_port(const struct i8042 *k)
{
	return OUT_NOT_RESET | k->a20 | (k->irq ? BIT(4) : 0) | 0xC0;
}

static void controller_command(struct i8042 *k, u8 cmd)
{
	int answer = -1;

	k->pending_command = 0;
	switch (cmd) {
	case 0x20: /* read command byte */
		answer = k->command_byte | CB_NO_SECOND_PORT;
		break;
	case 0x60: /* write command byte */
	case 0xD1: /* write output port */
	case 0xD2: /* write the keyboard's output buffer */
	case 0xD3: /* write the mouse's */
	case 0xD4: /* write to the mouse */
		k->pending_command = cmd;
		break;
	case 0xA9: /* mouse interface test: its clock line is stuck, for there is none */
		answer = 0x01;
		break;
	case 0xAA: /* self test */
		k->status |= STATUS_SYSTEM;
		answer = 0x55;
		break;
	case 0xAB: /* keyboard interface test */
		answer = 0x00;
		break;
	case 0xAD:
		k->command_byte |= CB_DISABLED;
		break;
	case 0xAE:
		k->command_byte &= ~CB_DISABLED;
		break;
	case 0xC0: /* read input port: keyboard not locked */
		answer = 0x80;
		break;
	case 0xD0:
		answer = output_port(k);
		break;
	case 0xDD:
		k->a20 = 0;
		break;
	case 0xDF:
		k->a20 = OUT_A20;
		break;
	}
	if (answer >= 0)
		push(&k->answers, (u8)answer);
	/* F0h-FFh pulse those lines of the output port whose bit is 0. */
	if (cmd >= 0xF0 && !(cmd & OUT_NOT_RESET))
		vm_end(k->vm, VM_REBOOT, 0);
}

static void controller_data(struct i8042 *k, u8 cmd, u8 val)
{
	switch (cmd) {
	case 0x60:
		k->command_byte = val;
		k->status = (k->status & ~STATUS_SYSTEM) | (val & CB_SYSTEM ? STATUS_SYSTEM : 0);
		break;
	case 0xD1:
		set_output_port(k, val);
		break;
	case 0xD2:
	case 0xD3: /* comes back without the mouse's flag, which tells Linux that there is no mouse port */
		push(&k->answers, val);
		break;
	}
}

static void identify(struct i8042 *k)
{
	push(&k->keyboard, 0xAB);
	push(&k->keyboard, k->command_byte & CB_TRANSLATE ? 0x41 : 0x83);
}

static void keyboard_parameter(struct i8042 *k, u8 cmd, u8 val)
{
	static const u8 translated[4] = {0, 0x43, 0x41, 0x3F};

	push(&k->keyboard, KBD_ACK);
	if (cmd != 0xF0)
		return;
	if (val)
		k->code_set = val & 3;
	else
		push(&k->keyboard, k->command_byte & CB_TRANSLATE ? translated[k->code_set] : k->code_set);
}

static void keyboard_defaults(struct i8042 *k, bool scanning)
{
	k->keyboard.count = 0;
	k->code_set = 2;
	k->scanning = scanning;
}

static void keyboard_command(struct i8042 *k, u8 cmd)
{
	u8 parameter_of = k->pending_keyboard;

	k->command_byte &= ~CB_DISABLED; /* sending to the keyboard turns its interface on */
	k->pending_keyboard = 0;
	if (parameter_of && cmd < 0xED) {
		keyboard_parameter(k, parameter_of, cmd);
		return;
	}
	if (cmd == 0xF5 || cmd == 0xF6 || cmd == 0xFF)
		keyboard_defaults(k, cmd != 0xF5);
	else if (cmd == 0xF4)
		k->scanning = true;
	else if (cmd == 0xED || cmd == 0xF0 || cmd == 0xF3) /* LEDs, code set, typematic rate */
		k->pending_keyboard = cmd;
	else if (cmd == 0xEE) { /* echo */
		push(&k->keyboard, cmd);
		return;
	} else if (cmd != 0xF2) {
		push(&k->keyboard, KBD_RESEND);
		return;
	}
	push(&k->keyboard, KBD_ACK);
	if (cmd == 0xFF)
		push(&k->keyboard, KBD_PASSED);
	else if (cmd == 0xF2)
		identify(k);
}

static u32 data_read(void *dev, u16 port, unsigned size)
{
	struct i8042 *k = dev;
	u8 val = k->data;

	k->status &= ~STATUS_OBF;
	if (k->irq)
		vm_irq_set(k->vm, IRQ_KEYBOARD, k->irq = false);
	update(k);
	return val;
}

static void data_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct i8042 *k = dev;
	u8 cmd = k->pending_command;

	k->status &= ~STATUS_COMMAND;
	k->pending_command = 0;
	if (cmd)
		controller_data(k, cmd, (u8)val);
	else
		keyboard_command(k, (u8)val);
	update(k);
}

static const struct pio_ops data_ops = {data_read, data_write};

static u32 status_read(void *dev, u16 port, unsigned size)
{
	struct i8042 *k = dev;

	return k->status;
}

static void command_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct i8042 *k = dev;

	k->status |= STATUS_COMMAND;
	controller_command(k, (u8)val);
	update(k);
}

static const struct pio_ops command_ops = {status_read, command_write};

static u32 port92_read(void *dev, u16 port, unsigned size)
{
	struct i8042 *k = dev;

	return k->a20;
}

static void port92_write(void *dev, u16 port, unsigned size, u32 val)
{
	struct i8042 *k = dev;

	k->a20 = val & OUT_A20;
	if (val & 1) /* fast reset */
		vm_end(k->vm, VM_REBOOT, 0);
}

static const struct pio_ops port92_ops = {port92_read, port92_write};

void i8042_key(void *dev, const u8 *codes, unsigned count)
{
	struct i8042 *k = dev;
	bool raw = k->code_set == 2 && !(k->command_byte & CB_TRANSLATE);
	u8 before = k->keyboard.count;

	if (!k->scanning)
		return;
	for (unsigned i = 0; i < count; i++) {
		bool key = raw && codes[i] != SCAN_EXTENDED, up = key && codes[i] & SCAN_RELEASE;

		if (k->keyboard.count + up >= QUEUE) { /* all of a key's bytes or none */
			k->keyboard.count = before;
			return;
		}
		if (up)
			push(&k->keyboard, SET2_RELEASE);
		push(&k->keyboard, key ? keys_set2[codes[i] & ~SCAN_RELEASE] : codes[i]);
	}
	update(k);
}

/* The next key of the console's user, once the guest has taken the last one. */
static void type(void *dev, u64 deadline)
{
	struct i8042 *k = dev;
	u8 codes[KEYS_MAX];
	unsigned n = 0;
	int c = -1;

	if (!k->keyboard.count && k->scanning) {
		/* Only the first can find the line silent: the bytes of a sequence come one by one. */
		c = vm_keyboard_getc(k->vm);
		n = keys_byte(&k->keys, c, codes);
		while (!n && c >= 0 && (c = vm_keyboard_getc(k->vm)) >= 0)
			n = keys_byte(&k->keys, c, codes);
		i8042_key(k, codes, n);
	}
	if (n || k->keyboard.count || k->keys.state)
		vtimer_arm(&k->timer, tsc_now() + tsc_hz / TYPE_HZ);
}

static void input(void *dev)
{
	struct i8042 *k = dev;

	if (k->timer.deadline == TIMER_NEVER)
		vtimer_arm(&k->timer, tsc_now());
}

int i8042_create(struct vm *vm)
{
	struct i8042 *k = vm_zalloc(vm, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->vm = vm;
	/* As a BIOS leaves it. */
	k->status = STATUS_SYSTEM | STATUS_UNLOCKED;
	k->command_byte = CB_TRANSLATE | CB_SYSTEM | CB_IRQ;
	k->a20 = OUT_A20;
	keyboard_defaults(k, true);
	if (vm_has_vga(vm)) {
		vtimer_init(&k->timer, vm_timers(vm), type, k);
		vm_keyboard_register(vm, input, k);
	}
	err = bus_add_pio(vm, PORT_I8042, 1, &data_ops, k, "i8042 data");
	if (!err)
		err = bus_add_pio(vm, PORT_I8042 + 4, 1, &command_ops, k, "i8042 command");
	return err ? err : bus_add_pio(vm, PORT_92, 1, &port92_ops, k, "port 92h");
}
