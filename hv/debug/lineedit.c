#include "debug/lineedit.h"

#include "lib/string.h"

/* Keys by their control codes, as Emacs and readline have them; escape sequences become one of these. */
#define CTRL(c) ((c)&0x1F)
#define DELETE	0x7F

enum { PLAIN, ESCAPE, SEQUENCE };

static void put(struct lineedit *e, char c)
{
	e->out((const char[]){c, 0});
}

static void left(struct lineedit *e, unsigned n)
{
	while (n--)
		put(e, '\b');
}

/* Prints the line from pos on, which has become cut characters shorter, and goes back. */
static void show_tail(struct lineedit *e, unsigned cut)
{
	e->out(e->line + e->pos);
	for (unsigned i = 0; i < cut; i++)
		put(e, ' ');
	left(e, e->len - e->pos + cut);
}

static void move(struct lineedit *e, unsigned pos)
{
	for (; e->pos < pos; e->pos++)
		put(e, e->line[e->pos]);
	left(e, e->pos - pos);
	e->pos = (u8)pos;
}

/* Takes [from, to) out of the line; the cursor is left at from. */
static void cut(struct lineedit *e, unsigned from, unsigned to)
{
	move(e, from);
	memmove(e->line + from, e->line + to, e->len - to + 1u);
	e->len -= (u8)(to - from);
	show_tail(e, to - from);
}

static void insert(struct lineedit *e, const char *s, size_t n)
{
	n = MIN(n, LINE_SIZE - 1u - e->len);
	memmove(e->line + e->pos + n, e->line + e->pos, e->len - e->pos + 1u);
	memcpy(e->line + e->pos, s, n);
	e->len += (u8)n;
	e->out(e->line + e->pos);
	e->pos += (u8)n;
	left(e, e->len - e->pos);
}

static void replace(struct lineedit *e, const char *s)
{
	cut(e, 0, e->len);
	insert(e, s, strlen(s));
}

static unsigned word_start(const struct lineedit *e)
{
	unsigned i = e->pos;

	while (i && e->line[i - 1] == ' ')
		i--;
	while (i && e->line[i - 1] != ' ')
		i--;
	return i;
}

static void recall(struct lineedit *e, unsigned back)
{
	if (back > MIN(e->entered, (u32)LINEEDIT_HISTORY))
		return;
	if (!e->recall)
		memcpy(e->saved, e->line, sizeof(e->saved));
	e->recall = (u8)back;
	replace(e, back ? e->history[(e->entered - back) % LINEEDIT_HISTORY] : e->saved);
}

static void remember(struct lineedit *e)
{
	if (e->len && (!e->entered || strcmp(e->line, e->history[(e->entered - 1) % LINEEDIT_HISTORY])))
		memcpy(e->history[e->entered++ % LINEEDIT_HISTORY], e->line, sizeof(e->line));
}

/* Adds what all words that begin as typed have in common; when that is nothing, lists them. */
static void complete(struct lineedit *e)
{
	unsigned start = e->pos, typed, found = 0;
	size_t common = 0;
	char first[LINE_SIZE];
	const char *w;

	while (start && e->line[start - 1] != ' ')
		start--;
	typed = e->pos - start;
	for (unsigned n = 0; (w = e->words(e->line, start, n)); n++) {
		if (strncmp(w, e->line + start, typed))
			continue;
		if (!found++) {
			common = MIN(strlen(w), sizeof(first));
			memcpy(first, w, common);
		}
		for (size_t i = 0; i < common; i++)
			if (w[i] != first[i])
				common = i;
	}
	if (!found)
		return;
	if (common > typed)
		insert(e, first + typed, common - typed);
	if (found == 1) {
		insert(e, " ", 1);
	} else if (common == typed) {
		put(e, '\n');
		for (unsigned n = 0; (w = e->words(e->line, start, n)); n++) {
			if (!strncmp(w, e->line + start, typed)) {
				e->out(w);
				e->out("  ");
			}
		}
		put(e, '\n');
		lineedit_show(e);
	}
}

void lineedit_show(struct lineedit *e)
{
	unsigned pos = e->pos;

	put(e, '\r');
	e->out(e->prompt);
	e->pos = 0;
	show_tail(e, 0);
	move(e, pos);
}

void lineedit_start(struct lineedit *e)
{
	e->len = e->pos = e->line[0] = 0;
	e->escape = PLAIN;
	e->recall = 0;
	e->out(e->prompt);
}

/* The end of ESC [ args c or ESC O c: the control code that means the same, or 0. */
static u8 sequence(const struct lineedit *e, u8 c)
{
	static const char keys[] = "ABCDHF",
			  codes[] = {CTRL('P'), CTRL('N'), CTRL('F'), CTRL('B'), CTRL('A'), CTRL('E')};
	const char *k;

	if (c == '~')
		return e->args == 3		      ? CTRL('D')
		       : e->args == 1 || e->args == 7 ? CTRL('A')
		       : e->args == 4 || e->args == 8 ? CTRL('E')
						      : 0;
	k = c ? strchr(keys, c) : NULL;
	return k ? (u8)codes[k - keys] : 0;
}

/* True while c belongs to an escape sequence; at its end *c is a key. */
static bool in_escape(struct lineedit *e, u8 *c)
{
	switch (e->escape) {
	case PLAIN:
		e->escape = *c == 27 ? ESCAPE : PLAIN;
		e->args = 0;
		return *c == 27;
	case ESCAPE:
		e->escape = *c == '[' || *c == 'O' ? SEQUENCE : PLAIN;
		return true;
	default:
		if (*c >= '0' && *c <= '?') {
			e->args = *c <= '9' ? (u8)(e->args * 10 + *c - '0') : 0;
			return true;
		}
		e->escape = PLAIN;
		*c = sequence(e, *c);
		return !*c;
	}
}

static void edit(struct lineedit *e, u8 c)
{
	unsigned pos = e->pos, to = pos;  /* where the cursor goes, */
	unsigned from = pos, until = pos; /* what is cut out */
	unsigned before = pos - (pos > 0), after = MIN(pos + 1u, e->len);

	switch (c) {
	case CTRL('A'):
		to = 0;
		break;
	case CTRL('E'):
		to = e->len;
		break;
	case CTRL('B'):
		to = before;
		break;
	case CTRL('F'):
		to = after;
		break;
	case CTRL('D'):
		until = after;
		break;
	case CTRL('H'):
	case DELETE:
		from = before;
		break;
	case CTRL('K'):
		until = e->len;
		break;
	case CTRL('U'):
		from = 0;
		break;
	case CTRL('W'):
		from = word_start(e);
		break;
	case CTRL('P'):
		recall(e, e->recall + 1u);
		return;
	case CTRL('N'):
		if (e->recall)
			recall(e, e->recall - 1u);
		return;
	case CTRL('L'):
		e->out("\033[2J\033[H");
		lineedit_show(e);
		return;
	case CTRL('C'):
		e->out("^C\n");
		lineedit_start(e);
		return;
	case '\t':
		if (e->words)
			complete(e);
		return;
	default:
		if (c >= ' ' && c < DELETE)
			insert(e, (const char[]){(char)c}, 1);
		return;
	}
	if (from < until)
		cut(e, from, until);
	else
		move(e, to);
}

bool lineedit_key(struct lineedit *e, u8 c)
{
	bool lf = c == '\n' && e->last == '\r';

	e->last = (char)c;
	if (lf || in_escape(e, &c))
		return false;
	if (c != '\r' && c != '\n') {
		edit(e, c);
		return false;
	}
	put(e, '\n');
	remember(e);
	return true;
}
