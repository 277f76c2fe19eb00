/* A line of text typed at a terminal: editing keys, history, completion. */
#pragma once

#include "lib/types.h"

#define LINE_SIZE	 73 /* with the prompt and the end a row of 80 columns is never left */
#define LINEEDIT_HISTORY 8

/* The n-th word, from 0, that may stand where line[start..] does, or NULL past the last. One may be gone with
 * the next. Every word is asked for: the editor takes those that begin with what is typed. */
typedef const char *(*lineedit_words)(const char *line, size_t start, unsigned n);

struct lineedit {
	void (*out)(const char *s); /* to the terminal */
	lineedit_words words;	    /* NULL: TAB does nothing */
	const char *prompt;
	char line[LINE_SIZE]; /* always ends with 0 */
	u8 len, pos;
	u8 escape;   /* where in a key's escape sequence */
	u8 args;     /* its number */
	char last;   /* for LF after CR */
	u8 recall;   /* how far back in the history, 0: the line itself */
	u32 entered; /* lines in all */
	char history[LINEEDIT_HISTORY][LINE_SIZE];
	char saved[LINE_SIZE]; /* the line itself while the history shows */
};

/* Begins an empty line: prints the prompt. */
void lineedit_start(struct lineedit *e);

/* Takes one byte. True when it ended the line, which is in e->line then until the next lineedit_start(). A
 * line that is full takes no more; bytes that are no key are dropped. */
bool lineedit_key(struct lineedit *e, u8 c);

/* Prints prompt and line again, behind what others have printed. */
void lineedit_show(struct lineedit *e);
