/* GDB's commands (GDB manual, appendix E.2). Everything in them is checked: it comes from outside. */
#include "debug/gdb_internal.h"
#include "debug/monitor.h"
#include "lib/string.h"

static void ok(void)
{
	gdb_put(&gdb.out, "OK");
}

static void error(unsigned n)
{
	gdb_put(&gdb.out, "E");
	gdb_put_hex(&gdb.out, (u8[]){(u8)n}, 1);
}

enum { E_SYNTAX = 1, E_ADDRESS = 14, E_REGISTER = 22, E_BREAK = 28 };

static struct cpu_state *state(void)
{
	return &gdb.vcpu[gdb.current].state;
}

bool gdb_thread(const char **s, u32 *index)
{
	u64 n;

	if (gdb_word(s, "-1"))
		n = 0;
	else if (!gdb_number(s, &n))
		return false;
	*index = n ? (u32)n - 1 : gdb.current;
	return n <= gdb.vm->vcpu_count;
}

void gdb_put_stop(u32 index)
{
	static const char *const reasons[BREAK_TYPES] = {"swbreak", "hwbreak", "watch", "rwatch", "awatch"};
	const struct gdb_report *r = &gdb.vcpu[index].report;

	gdb_put(&gdb.out, "T");
	gdb_put_hex(&gdb.out, &r->signal, 1);
	gdb_put(&gdb.out, "thread:");
	gdb_put_number(&gdb.out, index + 1);
	gdb_put(&gdb.out, ";");
	/* Program counter, stack, frame, flags: mostly all that GDB wants to know of a step, and a line is
	 * slow. */
	for (unsigned i = 0; i < 4; i++) {
		static const u8 numbers[2][4] = {{8, 4, 5, 9}, {16, 7, 6, 17}};
		unsigned n = numbers[gdb.target.wide][i];

		gdb_put_number(&gdb.out, n);
		gdb_put(&gdb.out, ":");
		gdb_reg_put(&gdb.target, &gdb.vcpu[index].state, n, &gdb.out);
		gdb_put(&gdb.out, ";");
	}
	if (r->reason < 0)
		return;
	gdb_put(&gdb.out, reasons[r->reason]);
	gdb_put(&gdb.out, ":");
	if (r->reason >= BREAK_WRITE)
		gdb_put_number(&gdb.out, r->addr);
	gdb_put(&gdb.out, ";");
}

static void read_registers(void)
{
	for (unsigned n = 0; gdb_reg_size(&gdb.target, n); n++)
		gdb_reg_put(&gdb.target, state(), n, &gdb.out);
}

static void write_registers(const char *s)
{
	for (unsigned n = 0; gdb_reg_size(&gdb.target, n); n++) {
		const char *next = s + 2 * gdb_reg_size(&gdb.target, n);

		if (strlen(s) < (size_t)(next - s)) {
			error(E_SYNTAX);
			return;
		}
		gdb_reg_set(&gdb.target, state(), n, &s);
		s = next;
	}
	gdb.vcpu[gdb.current].dirty = true;
	ok();
}

static void one_register(const char *s, bool write)
{
	u64 n;

	if (!gdb_number(&s, &n) || n > 255 || !gdb_reg_size(&gdb.target, (unsigned)n)) {
		error(E_REGISTER);
	} else if (!write) {
		gdb_reg_put(&gdb.target, state(), (unsigned)n, &gdb.out);
	} else if (*s++ != '=' || !gdb_reg_set(&gdb.target, state(), (unsigned)n, &s)) {
		error(E_REGISTER);
	} else {
		gdb.vcpu[gdb.current].dirty = true;
		ok();
	}
}

/* m and M in hexadecimal, X in bytes: reads as far as there is memory. */
static void memory(struct vcpu *v, char command, const char *s)
{
	u8 byte;
	u64 addr, len, done = 0;

	if (!gdb_number(&s, &addr) || *s++ != ',' || !gdb_number(&s, &len) ||
	    (command != 'm' && *s++ != ':')) {
		error(E_SYNTAX);
		return;
	}
	if (command == 'm') {
		for (; done < MIN(len, GDB_PACKET_MAX / 2ULL); done++) {
			if (gdb_memory_read(v, addr + done, &byte, 1))
				break;
			gdb_put_hex(&gdb.out, &byte, 1);
		}
		if (!done && len)
			error(E_ADDRESS);
		return;
	}
	for (; done < len; done++) {
		if (command == 'X' && s < gdb.in.data + gdb.in.len) {
			byte = (u8)*s++;
		} else if (command == 'X' || !gdb_bytes(&s, &byte, 1)) {
			error(E_SYNTAX);
			return;
		}
		if (gdb_memory_write(v, addr + done, &byte, 1)) {
			error(E_ADDRESS);
			return;
		}
	}
	ok();
}

static void breakpoint(struct vcpu *v, bool insert, const char *s)
{
	u64 type, addr, len;

	if (!gdb_number(&s, &type) || type >= BREAK_TYPES || *s++ != ',' || !gdb_number(&s, &addr) ||
	    *s++ != ',' || !gdb_number(&s, &len))
		error(E_SYNTAX);
	else if (!insert)
		gdb_break_remove((enum gdb_break_type)type, addr, len), ok();
	else if (gdb_break_insert(v, (enum gdb_break_type)type, addr, len))
		error(E_BREAK);
	else
		ok();
}

/* A text that GDB reads in pieces: 'm' when more is to come, 'l' for the last. */
static void transfer(const char *s, const char *map)
{
	u64 offset, len, total;
	struct gdb_text *out = &gdb.out;

	if (!gdb_number(&s, &offset) || *s++ != ',' || !gdb_number(&s, &len)) {
		error(E_SYNTAX);
		return;
	}
	len = MIN(len, GDB_PACKET_MAX / 2ULL);
	gdb_put(out, "m");
	if (map) {
		total = strlen(map);
		if (offset < total)
			gdb_put_bytes(out, map + offset, MIN(len, total - offset));
	} else {
		total = gdb_target_xml(&gdb.target, offset, len, out);
	}
	if (offset >= total || len >= total - offset)
		out->data[0] = 'l';
}

/* Linear addresses have no map but the guest's own: all may be RAM, what is not says so. */
static const char memory_map[] =
	"<memory-map><memory type=\"ram\" start=\"0\" length=\"0x8000000000000000\"/><memory type=\"ram\" "
	"start=\"0x8000000000000000\" length=\"0x8000000000000000\"/></memory-map>";

/* What a monitor command prints goes to GDB as it comes. */
static void print(const char *s)
{
	while (*s) {
		size_t n = MIN(strlen(s), (size_t)GDB_PACKET_MAX / 4);

		gdb_clear(&gdb.out);
		gdb_put(&gdb.out, "O");
		gdb_put_hex(&gdb.out, s, n);
		gdb_transmit();
		s += n;
	}
	gdb_clear(&gdb.out);
}

static void monitor(const char *s)
{
	char line[256];
	size_t n = MIN(strlen(s) / 2, sizeof(line) - 1);

	if (!gdb_bytes(&s, line, n)) {
		error(E_SYNTAX);
		return;
	}
	line[n] = 0;
	if (monitor_command)
		monitor_command(line, print);
	else
		print("this pxHV was built without 'monitor'\n");
	gdb_clear(&gdb.out);
	ok();
}

static void query(const char *s)
{
	struct gdb_text *out = &gdb.out;

	if (gdb_word(&s, "Supported")) {
		gdb_put(out, "PacketSize=");
		gdb_put_number(out, GDB_PACKET_MAX);
		gdb_put(out,
			";qXfer:features:read+;qXfer:memory-map:read+;QStartNoAckMode+;swbreak+;hwbreak+;"
			"vContSupported+");
		gdb.target.wide = gdb.vm->debug64 || state()->efer;
	} else if (gdb_word(&s, "Xfer:features:read:target.xml:")) {
		transfer(s, NULL);
	} else if (gdb_word(&s, "Xfer:memory-map:read::")) {
		transfer(s, memory_map);
	} else if (gdb_word(&s, "Rcmd,")) {
		monitor(s);
	} else if (gdb_word(&s, "Attached")) {
		gdb_put(out, "1");
	} else if (!strcmp(s, "C")) {
		gdb_put(out, "QC");
		gdb_put_number(out, gdb.current + 1);
	} else if (gdb_word(&s, "fThreadInfo")) {
		for (u32 i = 0; i < gdb.vm->vcpu_count; i++) {
			gdb_put(out, i ? "," : "m");
			gdb_put_number(out, i + 1);
		}
	} else if (gdb_word(&s, "sThreadInfo")) {
		gdb_put(out, "l");
	} else if (gdb_word(&s, "ThreadExtraInfo,")) {
		u32 i = 0;
		char text[] = "CPU 0, running";

		if (!gdb_thread(&s, &i)) {
			error(E_SYNTAX);
			return;
		}
		text[4] = (char)('0' + i);
		if (gdb.vm->vcpus[i]->halted)
			memcpy(text + 7, "halted", 7);
		gdb_put_hex(out, text, strlen(text));
	}
}

static void detach(void)
{
	gdb_break_remove_all();
	gdb_resume_all();
	gdb.waiting = gdb.connected = gdb.no_ack = false;
}

static void set_thread(const char *s)
{
	u32 index;

	if ((*s == 'g' || *s == 'c') && (s++, gdb_thread(&s, &index))) {
		if (s[-1] != '1' || s[-2] != '-') /* -1 is all: nothing to choose */
			gdb.current = index;
		ok();
	} else {
		error(E_SYNTAX);
	}
}

static void alive(const char *s)
{
	u32 index;

	if (gdb_thread(&s, &index))
		ok();
	else
		error(E_SYNTAX);
}

static void multi(const char *s)
{
	if (gdb_word(&s, "Cont?")) {
		gdb_put(&gdb.out, "vCont;c;C;s;S");
	} else if (gdb_word(&s, "Cont")) {
		if (!gdb_resume_threads(s))
			error(E_SYNTAX);
	} else if (gdb_word(&s, "Kill")) {
		ok();
		gdb.waiting = false;
		gdb_kill();
	}
}

void gdb_command(struct vcpu *v)
{
	const char *s = gdb.in.data;
	char c = *s++;

	gdb_clear(&gdb.out);
	switch (c) {
	case '?':
		gdb_put_stop(v->index);
		break;
	case 'g':
		read_registers();
		break;
	case 'G':
		write_registers(s);
		break;
	case 'p':
	case 'P':
		one_register(s, c == 'P');
		break;
	case 'm':
	case 'M':
	case 'X':
		memory(v, c, s);
		break;
	case 'Z':
	case 'z':
		breakpoint(v, c == 'Z', s);
		break;
	case 'c':
	case 's':
	case 'C':
	case 'S':
		gdb_resume(c, s);
		break;
	case 'H':
		set_thread(s);
		break;
	case 'T':
		alive(s);
		break;
	case 'q':
		query(s);
		break;
	case 'Q':
		if (gdb_word(&s, "StartNoAckMode")) {
			ok();
			gdb.no_ack = true;
		}
		break;
	case 'v':
		multi(s);
		break;
	case 'D':
		detach();
		ok();
		break;
	case 'k':
		gdb_kill();
		return; /* no answer to this one */
	}
	if (!gdb.waiting) /* a resumption is answered by the next stop */
		gdb_transmit();
}
