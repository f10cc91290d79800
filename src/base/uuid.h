/*
 * UUIDs (RFC 9562): 16 bytes here and in the store, text on the wire.
 * New ones are version 7: ordered by time to a quarter of a microsecond, so that an index grows at its end.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "base/world.h"

struct uuid {
	uint8_t b[16];
};

/* The nil UUID stands for "none" in optional members. */
#define UUID_NONE ((struct uuid){{0}})

#define UUID_TEXT_LEN 36

struct uuid uuid_v7(const struct world *world, utime now);

/* The 36-character form in either case; false for anything else. */
bool uuid_parse(struct str text, struct uuid *ret) MUST_USE;

/* Lower case, ended by NUL. Returns buf. */
char *uuid_text(char buf[UUID_TEXT_LEN + 1], const struct uuid *id);

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

static inline bool uuid_is_none(const struct uuid *id)
{
	return uuid_equal(id, &UUID_NONE);
}

#endif
