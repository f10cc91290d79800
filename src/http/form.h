/* application/x-www-form-urlencoded, for requests of ours: bodies and query strings. */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "base/arena.h"

/* The text so far, in the arena; NULL when memory ran out, and from then on. */
struct form {
	struct arena *arena;
	char *text;
};

/* "name=value" after a "&", or after "" or what `text` began with: "https://example.com/path?". A value of
 * NULL is left out. The name is as it must be on the wire. */
void form_add(struct form *form, const char *name, const char *value);

/* All but letters, digits, "-", ".", "_" and "~" as %XX. NULL: memory. */
char *form_encode(struct arena *arena, const char *text) MUST_USE;

#endif
