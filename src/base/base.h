/*
 * What every file may take for granted: attributes, a string view, sizes.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MUST_USE	  __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Bytes that someone else owns; not ended by NUL. {NULL, 0} is the absent string. */
struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

static inline struct str str_from(const char *text)
{
	return (struct str){text, text != NULL ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_starts(struct str text, struct str start)
{
	return text.len >= start.len && memcmp(text.p, start.p, start.len) == 0;
}

/* Without the blanks and tabs around it. */
struct str str_trim(struct str text);

/* What stands before the next `end`, or all of it; *rest begins after that `end`. */
struct str str_cut(struct str *rest, char end);

/* The bytes before the first control character (0x00 to 0x1f, 0x7f); all of them when there is none. */
size_t str_printable(struct str text);

/* 0 to 15, in either case; -1: no such digit. */
extern const signed char hex_values[256];

static inline int hex_value(char digit)
{
	return hex_values[(unsigned char)digit];
}

/* Two lower-case digits a byte; no NUL follows. */
extern const char hex_pairs[512 + 1];

static inline void hex_text(char *to, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		memcpy(to + 2 * i, hex_pairs + (size_t)2 * bytes[i], 2);
}

/* ASCII only: what HTTP and e-mail need. */
bool bytes_equal_nocase(const char *a, const char *b, size_t len);

/* Most texts that are compared differ in length already. */
static inline bool str_equal_nocase(struct str a, struct str b)
{
	return a.len == b.len && bytes_equal_nocase(a.p, b.p, a.len);
}

/* A word of a closed list, as enum values on our side and as text on the wire and in the store. */
struct names {
	const char *name;	 /* of the list, as the API's documentation calls it */
	const char *const *text; /* text[value] */
	int count;
};

/* The value of that word, or -1. */
int names_find(const struct names *names, struct str word);

#endif
