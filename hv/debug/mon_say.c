/* Answers of the monitor, and what the autopsy says in its words. */
#include "debug/mon.h"
#include "lib/printf.h"

void mon_init(struct mon *m, struct vm *vm, struct mon_sink *sink, void (*out)(const char *s))
{
	*m = (struct mon){.vm = vm, .v = vm ? vm->vcpus[0] : NULL, .sink = sink};
	sink->out = out;
	sink->len = 0;
}

void mon_flush(const struct mon *m)
{
	if (m->sink->len)
		m->sink->out(m->sink->text);
	m->sink->len = 0;
}

void say(const struct mon *m, const char *fmt, ...)
{
	struct mon_sink *s = m->sink;
	va_list ap;
	int len;

	if (s->len > MON_TEXT / 2)
		mon_flush(m);
	va_start(ap, fmt);
	len = kvsnprintf(s->text + s->len, MON_TEXT - s->len, fmt, ap);
	va_end(ap);
	s->len = MIN(s->len + (size_t)len, MON_TEXT - 1u);
	if (s->len && s->text[s->len - 1] == '\n')
		mon_flush(m);
}
