/*
 * Parameters for many inputs at once: of each a one-dimensional array in PostgreSQL's binary format
 * (src/backend/utils/adt/arrayfuncs.c, array_recv): the number of dimensions, whether there are nulls, the
 * elements' type, the length and the first index; then each element by its length (-1: null) and its bytes.
 */
#include "db/postgres.h"

#include <endian.h>
#include <stdlib.h>

#define ARRAY_HEAD   20 /* bytes */
#define ELEMENT_HEAD 4

static char *put_int4(char *to, int32_t value)
{
	uint32_t big = htobe32((uint32_t)value);

	return (char *)memcpy(to, &big, sizeof(big)) + sizeof(big);
}

static char *put_bytes(char *to, const void *bytes, size_t len)
{
	to = put_int4(to, (int32_t)len);
	return (char *)memcpy(to, bytes, len) + len;
}

static char *put_json(char *to, struct str text)
{
	to = put_int4(to, (int32_t)text.len + 1);
	*to++ = PG_JSONB_VERSION;
	return (char *)memcpy(to, text.p, text.len) + text.len;
}

static char *put_element(char *to, const struct column *column, const void *in)
{
	struct str text;
	uint64_t big;

	if (value_is_none(column, in))
		return put_int4(to, -1);
	switch (column->kind) {
	case DB_UUID:
		return put_bytes(to, value_uuid(column, in)->b, sizeof(struct uuid));
	case DB_TIME:
	case DB_INT:
		big = htobe64((uint64_t)value_int(column, in));
		return put_bytes(to, &big, sizeof(big));
	case DB_BOOL:
		return put_bytes(to, value_int(column, in) != 0 ? "\1" : "\0", 1);
	case DB_TEXT:
	case DB_ENUM:
		text = value_text(column, in);
		return put_bytes(to, text.p, text.len);
	case DB_JSON:
		return put_json(to, value_text(column, in));
	}
	return to;
}

/* As many bytes as an element takes at most. */
static size_t element_size(const struct column *column, const void *in)
{
	bool is_text = column->kind == DB_TEXT || column->kind == DB_ENUM || column->kind == DB_JSON;

	if (!is_text || value_is_none(column, in))
		return ELEMENT_HEAD + sizeof(struct uuid);
	return ELEMENT_HEAD + 1 + value_text(column, in).len;
}

static size_t arrays_size(const struct query *query, const void *const *ins, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < query->in_count; i++) {
		size += ARRAY_HEAD;
		for (size_t j = 0; j < count; j++)
			size += element_size(&query->in[i], ins[j]);
	}
	return size;
}

static char *put_array(char *to, const struct column *column, const void *const *ins, size_t count)
{
	to = put_int4(to, 1);
	to = put_int4(to, column->nullable);
	to = put_int4(to, (int32_t)pg_types[column->kind].element);
	to = put_int4(to, (int32_t)count);
	to = put_int4(to, 1);
	for (size_t j = 0; j < count; j++)
		to = put_element(to, column, ins[j]);
	return to;
}

static bool grow(char **buf, size_t *size, size_t needed)
{
	char *more;

	if (needed <= *size)
		return true;
	more = realloc(*buf, needed);
	if (more == NULL)
		return false;
	*buf = more;
	*size = needed;
	return true;
}

bool pg_arrays_fill(struct pg_params *params, const struct query *query, const void *const *ins, size_t count,
		    char **buf, size_t *size)
{
	char *to, *end;

	if (!grow(buf, size, arrays_size(query, ins, count)))
		return false;
	to = *buf;
	for (size_t i = 0; i < query->in_count; i++) {
		params->types[i] = pg_types[query->in[i].kind].array;
		if (count == 0)
			continue;
		end = put_array(to, &query->in[i], ins, count);
		params->values[i] = to;
		params->lengths[i] = (int)(end - to);
		params->formats[i] = 1;
		to = end;
	}
	return true;
}
