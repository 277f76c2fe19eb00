/* GDB's remote protocol below the commands: frames, checksums, escapes, hexadecimal (GDB manual, appendix
 * E.1). */
#pragma once

#include "lib/types.h"

#define GDB_PACKET_MAX 4096 /* bytes of a packet's content, both ways */

struct gdb_packet {
	u8 state, sum, want;
	bool escape, overlong;
	u32 len;
	const char *at;		       /* what is read next of a packet */
	char data[GDB_PACKET_MAX + 1]; /* unescaped; a NUL follows it */
};

enum gdb_input {
	GDB_MORE,      /* nothing yet */
	GDB_PACKET,    /* data and len are a packet's */
	GDB_BAD,       /* wrong checksum or overlong: send '-' */
	GDB_INTERRUPT, /* Ctrl-C */
	GDB_NACK,      /* the other side wants the last packet again */
};

/* Takes one byte from the line. */
enum gdb_input gdb_packet_byte(struct gdb_packet *p, u8 c);

/* Text that is put together: a reply. The first skip bytes are left out; what does not fit, too, and full is
 * set. */
struct gdb_text {
	u64 skip;
	u32 len, room;
	bool full;
	char data[GDB_PACKET_MAX + 1];
};

void gdb_clear(struct gdb_text *t);
void gdb_put(struct gdb_text *t, const char *s);
void gdb_put_bytes(struct gdb_text *t, const void *p, u64 len); /* as they are */
void gdb_put_hex(struct gdb_text *t, const void *p, u64 len);	/* two digits a byte */
void gdb_put_number(struct gdb_text *t, u64 n);

/* Sends t as a frame, byte by byte by putc. */
void gdb_send(const struct gdb_text *t, void (*putc)(u8 c));

/* A hexadecimal digit's value, 16 for what is none. */
u8 gdb_digit(char c);

/* Reads a hexadecimal number at *s and moves past it and a comma, colon, semicolon or equals sign behind it;
 * false when there is none, or more than 64 bits. */
bool gdb_number(const char **s, u64 *n);

/* Reads 2 * len digits into len bytes and moves past them; false when one is none. */
bool gdb_bytes(const char **s, void *to, u64 len);

/* Moves past word if *s begins with it. */
bool gdb_word(const char **s, const char *word);
