/* See value.h. */
#include "db/value.h"

#include "base/log.h"

static const void *at(const struct column *column, const void *in)
{
	return (const char *)in + column->offset;
}

static void put(const struct column *column, void *out, const void *value, size_t size)
{
	memcpy((char *)out + column->offset, value, size);
}

bool value_is_none(const struct column *column, const void *in)
{
	switch (column->kind) {
	case DB_UUID:
		return column->nullable && uuid_is_none(at(column, in));
	case DB_TIME:
	case DB_INT:
		return column->nullable && value_int(column, in) == INT_NONE;
	case DB_BOOL:
		return false;
	case DB_TEXT:
	case DB_JSON:
	case DB_ENUM:
		return value_text(column, in).p == NULL;
	}
	return false;
}

const struct uuid *value_uuid(const struct column *column, const void *in)
{
	return at(column, in);
}

int64_t value_int(const struct column *column, const void *in)
{
	int64_t value;

	if (column->kind == DB_BOOL)
		return *(const bool *)at(column, in);
	memcpy(&value, at(column, in), sizeof(value));
	return value;
}

struct str value_text(const struct column *column, const void *in)
{
	const char *text = NULL;
	int word;

	if (column->kind != DB_ENUM) {
		memcpy(&text, at(column, in), sizeof(text));
		return str_from(text);
	}
	memcpy(&word, at(column, in), sizeof(word));
	if (word >= 0 && word < column->names->count)
		text = column->names->text[word];
	return str_from(text);
}

bool value_set_none(const struct column *column, void *out)
{
	const char *no_text = NULL;

	if (!column->nullable)
		return false;
	if (column->kind == DB_UUID)
		value_set_uuid(column, out, UUID_NONE.b);
	else if (column->kind == DB_TIME || column->kind == DB_INT)
		value_set_int(column, out, INT_NONE);
	else
		put(column, out, &no_text, sizeof(no_text));
	return true;
}

void value_set_uuid(const struct column *column, void *out, const void *bytes)
{
	put(column, out, bytes, sizeof(struct uuid));
}

void value_set_int(const struct column *column, void *out, int64_t value)
{
	bool flag = value != 0;

	if (column->kind == DB_BOOL)
		put(column, out, &flag, sizeof(flag));
	else
		put(column, out, &value, sizeof(value));
}

enum rc value_set_text(const struct column *column, void *out, struct arena *arena, struct str text)
{
	const char *copy;
	int word;

	if (column->kind == DB_ENUM) {
		word = names_find(column->names, text);
		if (word < 0)
			return RC_INTERNAL;
		put(column, out, &word, sizeof(word));
		return RC_OK;
	}
	if (memchr(text.p, '\0', text.len) != NULL) /* what stands behind it would be read as absent */
		return RC_INTERNAL;
	copy = arena_text(arena, text);
	if (copy == NULL)
		return RC_NO_MEMORY;
	put(column, out, &copy, sizeof(copy));
	return RC_OK;
}

enum rc rows_check(const struct query *query, size_t count)
{
	bool fine = query->rows == ROWS_ONE ? count == 1 : query->rows == ROWS_MAYBE ? count <= 1 : true;

	if (fine)
		return RC_OK;
	LOG(ERROR, "a query gave another number of rows than it promises", LOG_TEXT("query", query->name),
	    LOG_NUMBER("rows", (int64_t)count));
	return RC_INTERNAL;
}

enum rc column_wrong(const struct query *query, const struct column *column, const char *what)
{
	LOG(ERROR, "a column is not what queries.sql says", LOG_TEXT("query", query->name),
	    LOG_TEXT("column", column->name), LOG_TEXT("what", what));
	return RC_INTERNAL;
}
