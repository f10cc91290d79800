/*
 * What Redis answers: RESP, framed by hiredis, as plain memory in an arena. Nothing in it is trusted: how
 * much a reply may hold is bounded, and whoever reads one asks for the kind first.
 */
#ifndef EVENTS_REDIS_REPLY_H
#define EVENTS_REDIS_REPLY_H

#include "base/arena.h"

enum reply_kind { REPLY_NIL, REPLY_NUMBER, REPLY_TEXT, REPLY_STATUS, REPLY_ERROR, REPLY_LIST };

struct redis_reply {
	enum reply_kind kind;
	int64_t number;
	struct str text; /* TEXT, STATUS, ERROR: any bytes; a NUL follows */
	struct redis_reply *items;
	size_t count; /* LIST */
};

/* An error whose first word is that one. */
bool reply_is_error(const struct redis_reply *reply, const char *word);

/* The value after that name in a list of names and values; one of kind NIL when there is none. */
const struct redis_reply *reply_member(const struct redis_reply *list, const char *name);

/* --- From bytes ----------------------------------------------------------------- */

struct reply_reader;

/* NULL: memory. */
struct reply_reader *reply_reader_create(void) MUST_USE;
void reply_reader_destroy(struct reply_reader *reader);

/* False once the bytes are no RESP, or too many; reply_reader_why() says which. Then it can only be
 * destroyed.
 */
bool reply_reader_feed(struct reply_reader *reader, const char *bytes, size_t len) MUST_USE;
/*
 * The next whole reply; *ret is NULL while bytes of it are missing. It is begun in the arena of the first of
 * these calls, which must be that of the last.
 */
bool reply_reader_next(struct reply_reader *reader, struct arena *arena, struct redis_reply **ret) MUST_USE;
/* Are there bytes beyond the last whole reply? */
bool reply_reader_has_more(const struct reply_reader *reader);
const char *reply_reader_why(const struct reply_reader *reader);

#endif
