/* GDB's commands (GDB manual, appendix E.2). Everything in them is checked: it comes from outside. */
#include "debug/gdb_internal.h"
#include "debug/monitor.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "vm/debug.h"

/* What a command comes to: an error's number, or one of these. */
enum { ANSWERED = -1, OK, E_SYNTAX, E_ADDRESS = 14, E_REGISTER = 22, E_BREAK = 28 };

/* Reads count numbers, with something between them. */
static bool numbers(u64 *n, unsigned count)
{
	while (count--)
		if (!gdb_number(&gdb.in.at, n++))
			return false;
	return true;
}

static void put(const char *s)
{
	gdb_put(&gdb.out, s);
}

bool gdb_thread(struct gdb_vcpu **g)
{
	u64 n;

	*g = NULL;
	if (gdb_word(&gdb.in.at, "-1"))
		return true;
	if (!numbers(&n, 1) || n > gdb.vm->vcpu_count)
		return false;
	*g = n ? &gdb.vcpu[n - 1] : gdb.current;
	return true;
}

void gdb_put_stop(struct vcpu *v)
{
	const struct gdb_vcpu *g = gdb_vcpu(v);

	put("T");
	gdb_put_hex(&gdb.out, &g->report.signal, 1);
	put("thread:");
	gdb_put_number(&gdb.out, v->index + 1);
	put(";");
	/* Program counter, stack, frame, flags: mostly all that GDB wants to know of a step, and a line is
	 * slow. */
	for (unsigned i = 0; i < 4; i++) {
		static const u8 numbers[2][4] = {{8, 4, 5, 9}, {16, 7, 6, 17}};
		unsigned n = numbers[gdb.target.wide][i];

		gdb_put_number(&gdb.out, n);
		put(":");
		gdb_reg_put(&gdb.target, &g->state, n, &gdb.out);
		put(";");
	}
	if (g->report.reason < 0)
		return;
	put(nth_string("swbreak\0hwbreak\0watch\0rwatch\0awatch", (unsigned)g->report.reason));
	put(":");
	if (g->report.reason >= BREAK_WRITE)
		gdb_put_number(&gdb.out, g->report.addr);
	put(";");
}

static void put_register(unsigned n)
{
	gdb_reg_put(&gdb.target, &gdb.current->state, n, &gdb.out);
}

static bool set_register(unsigned n)
{
	gdb.current->dirty = true;
	return gdb_reg_set(&gdb.target, &gdb.current->state, n, &gdb.in.at);
}

/* All of them, one behind the other; what is not to be written is passed over. */
static int registers(bool write)
{
	const char *s = gdb.in.at;
	unsigned size;

	for (unsigned n = 0; (size = gdb_reg_size(&gdb.target, n)); n++) {
		if (!write) {
			put_register(n);
			continue;
		}
		gdb.in.at = s;
		s += 2 * size;
		if (s > gdb.in.data + gdb.in.len)
			return E_SYNTAX;
		set_register(n);
	}
	return write ? OK : ANSWERED;
}

static int one_register(bool write)
{
	u64 n;

	if (!numbers(&n, 1) || n > 255 || !gdb_reg_size(&gdb.target, (unsigned)n))
		return E_REGISTER;
	if (write)
		return set_register((unsigned)n) ? OK : E_REGISTER;
	put_register((unsigned)n);
	return ANSWERED;
}

void gdb_settle(struct vcpu *v)
{
	struct gdb_vcpu *g = gdb_vcpu(v);

	if (g->dirty)
		debug_set_state(v, &g->state);
	g->dirty = false;
}

/* m and M in hexadecimal, X in bytes: reads as far as there is memory. */
static int memory(struct vcpu *v, char command)
{
	bool read = command == 'm';
	struct gdb_packet *in = &gdb.in;
	u64 n[2], gpa; /* address and length */

	if (!numbers(n, 2))
		return E_SYNTAX;
	gdb_settle(v);
	for (u64 i = 0; i < n[1] && !(read && gdb.out.room < 2); i++) {
		u8 *p = gdb_memory(v, n[0] + i, &gpa);

		if (!p)
			return read && i ? ANSWERED : E_ADDRESS;
		if (read)
			gdb_put_hex(&gdb.out, p, 1);
		else if (command == 'X' && in->at < in->data + in->len)
			*p = (u8)*in->at++;
		else if (command == 'X' || !gdb_bytes(&in->at, p, 1))
			return E_SYNTAX;
	}
	return read ? ANSWERED : OK;
}

static int breakpoint(struct vcpu *v, bool insert)
{
	u64 n[3]; /* type, address and length */

	if (!numbers(n, 3) || n[0] >= BREAK_TYPES)
		return E_SYNTAX;
	if (insert)
		return gdb_break_insert(v, (enum gdb_break_type)n[0], n[1], n[2]) ? E_BREAK : OK;
	gdb_break_remove((enum gdb_break_type)n[0], n[1], n[2]);
	return OK;
}

/* Linear addresses have no map but the guest's own: all may be RAM, what is not says so. */
static const char memory_map[] =
	"<memory-map><memory type=\"ram\" start=\"0\" length=\"0x8000000000000000\"/><memory type=\"ram\" "
	"start=\"0x8000000000000000\" length=\"0x8000000000000000\"/></memory-map>";

/* A text that GDB reads in pieces: 'm' when more is to come, 'l' for the last. */
static int transfer(bool map)
{
	struct gdb_text *out = &gdb.out;
	u64 n[2]; /* offset and length */

	if (!numbers(n, 2))
		return E_SYNTAX;
	put("m");
	out->skip = n[0];
	out->room = (u32)MIN(n[1], GDB_PACKET_MAX / 2ULL);
	if (map)
		put(memory_map);
	else
		gdb_target_xml(&gdb.target, out);
	if (!out->full)
		out->data[0] = 'l';
	return ANSWERED;
}

/* What a monitor command prints goes to GDB as it comes. */
static void print(const char *s)
{
	gdb_clear(&gdb.out);
	put("O");
	gdb_put_hex(&gdb.out, s, strlen(s));
	gdb_transmit();
}

static int monitor(struct vcpu *v)
{
	char line[256];
	size_t n = MIN(strlen(gdb.in.at) / 2, sizeof(line) - 1);

	if (!gdb_bytes(&gdb.in.at, line, n))
		return E_SYNTAX;
	line[n] = 0;
	gdb_settle(v);
	if (monitor_command)
		monitor_command(line, print);
	else
		print("this pxHV was built without 'monitor'\n");
	vcpu_get_state(v, &gdb_vcpu(v)->state);
	gdb_clear(&gdb.out);
	return OK;
}

static int thread_info(void)
{
	struct gdb_vcpu *g;
	char text[16];
	u32 i;

	if (!gdb_thread(&g) || !g)
		return E_SYNTAX;
	i = (u32)(g - gdb.vcpu);
	gdb_put_hex(&gdb.out, text,
		    (u64)ksnprintf(text, sizeof(text), "CPU %u, %s", i,
				   gdb.vm->vcpus[i]->halted ? "halted" : "running"));
	return ANSWERED;
}

/* Commands of more than a letter, one behind the other. */
static const char words[] = "qSupported\0qXfer:features:read:target.xml:\0qXfer:memory-map:read::\0qRcmd,\0"
			    "qAttached\0qC\0qfThreadInfo\0qsThreadInfo\0qThreadExtraInfo,\0"
			    "QStartNoAckMode\0vCont?\0vCont\0vKill\0";
enum {
	Q_SUPPORTED,
	Q_TARGET,
	Q_MEMORY_MAP,
	Q_RCMD,
	Q_ATTACHED,
	Q_C,
	Q_FIRST_THREADS,
	Q_MORE_THREADS,
	Q_THREAD,
	NO_ACK,
	V_CONT_WHAT,
	V_CONT,
	V_KILL,
};

static int long_command(struct vcpu *v)
{
	const char *word = words;
	unsigned n;

	gdb.in.at = gdb.in.data;
	for (n = 0; *word && !gdb_word(&gdb.in.at, word); n++)
		word += strlen(word) + 1;
	switch (n) {
	case Q_SUPPORTED:
		put("PacketSize=1000;qXfer:features:read+;qXfer:memory-map:read+;QStartNoAckMode+;swbreak+;"
		    "hwbreak+;vContSupported+");
		_Static_assert(GDB_PACKET_MAX == 0x1000, "as told");
		gdb.target.wide = gdb.vm->debug64 || gdb.current->state.efer;
		break;
	case Q_TARGET:
	case Q_MEMORY_MAP:
		return transfer(n == Q_MEMORY_MAP);
	case Q_RCMD:
		return monitor(v);
	case Q_ATTACHED:
		put("1");
		break;
	case Q_C:
		if (*gdb.in.at) /* qCRC */
			break;
		put("QC");
		gdb_put_number(&gdb.out, (u64)(gdb.current - gdb.vcpu + 1));
		break;
	case Q_FIRST_THREADS:
		put("m1");
		for (u32 i = 1; i < gdb.vm->vcpu_count; i++) {
			put(",");
			gdb_put_number(&gdb.out, i + 1);
		}
		break;
	case Q_MORE_THREADS:
		put("l");
		break;
	case Q_THREAD:
		return thread_info();
	case NO_ACK:
		gdb.no_ack = true;
		return OK;
	case V_CONT_WHAT:
		put("vCont;c;C;s;S");
		break;
	case V_CONT:
		return gdb_resume_threads() ? ANSWERED : E_SYNTAX;
	case V_KILL:
		gdb.waiting = false;
		gdb_kill();
		return OK;
	}
	return ANSWERED;
}

static int set_thread(void)
{
	char what = *gdb.in.at++;
	struct gdb_vcpu *g;

	if ((what != 'g' && what != 'c') || !gdb_thread(&g))
		return E_SYNTAX;
	if (g)
		gdb.current = g;
	return OK;
}

static int command(struct vcpu *v, char c)
{
	struct gdb_vcpu *g;

	switch (c) {
	case '?':
		gdb_put_stop(v);
		break;
	case 'g':
	case 'G':
		return registers(c == 'G');
	case 'p':
	case 'P':
		return one_register(c == 'P');
	case 'm':
	case 'M':
	case 'X':
		return memory(v, c);
	case 'Z':
	case 'z':
		return breakpoint(v, c == 'Z');
	case 'c':
	case 's':
	case 'C':
	case 'S':
		gdb_resume(c);
		break;
	case 'H':
		return set_thread();
	case 'T':
		return gdb_thread(&g) ? OK : E_SYNTAX;
	case 'q':
	case 'Q':
	case 'v':
		return long_command(v);
	case 'D':
		gdb_break_remove_all();
		gdb_resume_all();
		gdb.waiting = gdb.connected = gdb.no_ack = false;
		return OK;
	}
	return ANSWERED;
}

void gdb_command(struct vcpu *v)
{
	char c = *gdb.in.at++;
	int result;

	gdb_clear(&gdb.out);
	if (c == 'k') { /* no answer to this one */
		gdb_kill();
		return;
	}
	result = command(v, c);
	if (result == OK)
		put("OK");
	if (result > OK) {
		put("E");
		gdb_put_hex(&gdb.out, &result, 1);
	}
	if (!gdb.waiting) /* a resumption is answered by the next stop */
		gdb_transmit();
}
