/*
 * Rows between processes: JSON objects of the columns of a query, by name. Names make a format that two
 * versions can share: what is not known is left out, what is not there is none, where it may be.
 *
 * UUIDs and enums are texts, times numbers of microseconds, JSON is a text of its own.
 */
#ifndef NEIGHBOUR_COLUMNS_H
#define NEIGHBOUR_COLUMNS_H

#include "db/value.h"
#include "json/write.h"

struct json_t;

void columns_write(struct writer *writer, const struct column *columns, size_t count, const void *object);

/* Into *object, a struct of the query; texts go to the arena. RC_INVALID: a member is missing that may not be
 * none, or is of another kind. RC_NO_MEMORY. */
enum rc columns_read(const struct column *columns, size_t count, const struct json_t *value,
		     struct arena *arena, void *object) MUST_USE;

#endif
