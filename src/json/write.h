/*
 * Writes JSON (RFC 8259) straight from shapes into one growing buffer in an arena.
 * A lack of memory is remembered and told once, by writer_take().
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include "json/shape.h"

struct writer {
	struct arena *arena;
	char *buf;
	size_t len, cap;
	bool failed;
};

/* `expect` bytes are taken at once. */
void writer_init(struct writer *writer, struct arena *arena, size_t expect);

/* False when memory ran out. The text lies in the arena, ended by a NUL besides. */
bool writer_take(struct writer *writer, struct str *ret) MUST_USE;

void write_raw(struct writer *writer, struct str text);
void write_char(struct writer *writer, char c);
void write_text(struct writer *writer, struct str text); /* quoted and escaped */
void write_int(struct writer *writer, int64_t value);
/* As printf, and as it is: for what is no JSON, such as counters for Prometheus. Up to 511 bytes at a call.
 */
void write_format(struct writer *writer, const char *format, ...) PRINTF_LIKE(2, 3);

/* One value, without its name. */
void write_member(struct writer *writer, const struct field *field, const void *member);
void write_shape(struct writer *writer, const struct shape *shape, const void *object);
void write_list(struct writer *writer, const struct shape *shape, const void *items, size_t count);

/* Text with {0} replaced by arg (may be NULL), quoted and escaped. */
void write_filled(struct writer *writer, const char *text, const char *arg);

#endif
