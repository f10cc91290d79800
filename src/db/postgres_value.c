/*
 * Parameters and rows. Numbers and UUIDs go in PostgreSQL's binary format, text as text (it is the same,
 * and jsonb reads it); all comes back binary.
 */
#include "db/postgres.h"

#include "base/log.h"

#include <endian.h>

/* src/include/catalog/pg_type.dat; fixed for ever. */
const struct pg_type pg_types[] = {
	[DB_UUID] = {2950, 2951}, [DB_TIME] = {20, 1016}, [DB_INT] = {20, 1016},    [DB_BOOL] = {16, 1000},
	[DB_TEXT] = {25, 1009},	  [DB_ENUM] = {25, 1009}, [DB_JSON] = {3802, 3807},
};
/* What columns may be besides. */
enum { OID_INT2 = 21, OID_INT4 = 23, OID_VARCHAR = 1043 };

/* --- Parameters ---------------------------------------------------------- */

static void fill(struct pg_params *params, size_t i, const struct column *column, const void *in)
{
	unsigned char *number = params->numbers[i];
	uint64_t big;

	params->formats[i] = 1;
	params->values[i] = NULL;
	if (value_is_none(column, in))
		return;
	switch (column->kind) {
	case DB_UUID:
		params->values[i] = (const char *)value_uuid(column, in)->b;
		params->lengths[i] = sizeof(struct uuid);
		break;
	case DB_TIME:
	case DB_INT:
		big = htobe64((uint64_t)value_int(column, in));
		memcpy(number, &big, sizeof(big));
		params->values[i] = (const char *)number;
		params->lengths[i] = sizeof(big);
		break;
	case DB_BOOL:
		number[0] = value_int(column, in) != 0;
		params->values[i] = (const char *)number;
		params->lengths[i] = 1;
		break;
	case DB_TEXT:
	case DB_JSON:
	case DB_ENUM:
		params->values[i] = value_text(column, in).p;
		params->formats[i] = 0;
		break;
	}
}

void pg_params_fill(struct pg_params *params, const struct query *query, const void *in)
{
	for (size_t i = 0; i < query->in_count; i++) {
		params->types[i] = pg_types[query->in[i].kind].element;
		if (in != NULL)
			fill(params, i, &query->in[i], in);
	}
}

/* --- Rows ---------------------------------------------------------------- */

static bool type_fits(const struct column *column, Oid type)
{
	if (type == pg_types[column->kind].element)
		return true;
	switch (column->kind) {
	case DB_TIME:
	case DB_INT:
		return type == OID_INT4 || type == OID_INT2;
	case DB_TEXT:
	case DB_ENUM:
		return type == OID_VARCHAR;
	case DB_UUID:
	case DB_BOOL:
	case DB_JSON:
		break;
	}
	return false;
}

enum rc pg_columns_check(const struct query *query, bool together, const PGresult *described)
{
	size_t ahead = together ? PG_OWNER_COLUMNS : 0;

	if (query->rows == ROWS_NONE)
		return RC_OK;
	if ((size_t)PQnfields(described) != ahead + query->out_count) {
		LOG(ERROR, "a query has other columns than its :out", LOG_TEXT("query", query->name));
		return RC_INTERNAL;
	}
	for (size_t i = 0; i < query->out_count; i++) {
		if (!type_fits(&query->out[i], PQftype(described, (int)(ahead + i))))
			return column_wrong(query, &query->out[i], "of another type");
	}
	return RC_OK;
}

/* Big-endian, of 2, 4 or 8 bytes, or one of a bool. */
static int64_t number_from(const unsigned char *bytes, int len)
{
	uint64_t number = len > 1 && (bytes[0] & 0x80) != 0 ? UINT64_MAX : 0;

	for (int i = 0; i < len; i++)
		number = number << 8 | bytes[i];
	return (int64_t)number;
}

static enum rc take_column(const struct query *query, const struct column *column, struct str from,
			   struct arena *arena, void *row)
{
	enum rc rc;

	switch (column->kind) {
	case DB_UUID:
		if (from.len != sizeof(struct uuid))
			return column_wrong(query, column, "of another size");
		value_set_uuid(column, row, from.p);
		return RC_OK;
	case DB_TIME:
	case DB_INT:
	case DB_BOOL:
		value_set_int(column, row, number_from((const unsigned char *)from.p, (int)from.len));
		return RC_OK;
	case DB_JSON:
		if (from.len == 0 || from.p[0] != PG_JSONB_VERSION)
			return column_wrong(query, column, "of an unknown jsonb format");
		return value_set_text(column, row, arena, (struct str){from.p + 1, from.len - 1});
	case DB_TEXT:
	case DB_ENUM:
		rc = value_set_text(column, row, arena, from);
		return rc == RC_INTERNAL ? column_wrong(query, column, "no word of its list") : rc;
	}
	return RC_INTERNAL;
}

/* Its first column stands at `first`. */
static enum rc take_row(const struct query *query, const PGresult *result, int line, int first,
			struct arena *arena, void *row)
{
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < (int)query->out_count; i++) {
		const struct column *column = &query->out[i];
		struct str from = {PQgetvalue(result, line, first + i),
				   (size_t)PQgetlength(result, line, first + i)};

		if (PQgetisnull(result, line, first + i) == 0)
			rc = take_column(query, column, from, arena, row);
		else if (!value_set_none(column, row))
			rc = column_wrong(query, column, "null");
	}
	return rc;
}

enum rc pg_rows(const struct query *query, const PGresult *result, struct arena *arena, struct rows *ret)
{
	size_t count = query->rows == ROWS_NONE ? 0 : (size_t)PQntuples(result);
	struct rows rows = {NULL, count};
	enum rc rc = rows_check(query, count);

	if (rc == RC_OK && count > 0) {
		rows.items = arena_array(arena, count, query->out_size);
		rc = rows.items != NULL ? RC_OK : RC_NO_MEMORY;
	}
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = take_row(query, result, (int)i, 0, arena, (char *)rows.items + i * query->out_size);
	if (rc == RC_OK)
		*ret = rows;
	return rc;
}

/* --- Rows of many inputs at once -------------------------------------------- */

static bool is_uuid(const PGresult *result, int row, int column, const struct uuid *uuid)
{
	return PQgetlength(result, row, column) == sizeof(*uuid) &&
	       memcmp(PQgetvalue(result, row, column), uuid->b, sizeof(*uuid)) == 0;
}

static bool is_of(const struct query *query, const PGresult *result, int row, const void *in)
{
	return is_uuid(result, row, 0, value_uuid(&query->in[0], in)) &&
	       is_uuid(result, row, 1, value_uuid(&query->in[query->together_by], in));
}

static enum rc take_only_row(const struct query *query, const PGresult *result, int row,
			     const struct pg_asked *asked)
{
	struct rows rows = {arena_array(asked->arena, 1, query->out_size), 1};
	enum rc rc = rows.items != NULL ? RC_OK : RC_NO_MEMORY;

	if (rc == RC_OK)
		rc = take_row(query, result, row, PG_OWNER_COLUMNS, asked->arena, rows.items);
	if (rc == RC_OK)
		*asked->rows = rows;
	return rc;
}

/* They come in the order in which they were asked for, as a rule: so the next one is looked at first. */
static enum rc deal_row(const struct query *query, const PGresult *result, int row,
			const struct pg_asked *asked, size_t count, size_t *at)
{
	for (size_t tried = 0; tried < count; tried++, *at = (*at + 1) % count) {
		if (asked[*at].rows->count == 0 && is_of(query, result, row, asked[*at].in))
			return take_only_row(query, result, row, &asked[*at]);
	}
	LOG(ERROR, "a row that nobody has asked for", LOG_TEXT("query", query->name));
	return RC_INTERNAL;
}

enum rc pg_deal(const struct query *query, const PGresult *result, const struct pg_asked *asked, size_t count)
{
	int rows = query->rows == ROWS_NONE ? 0 : PQntuples(result);
	size_t at = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count; i++)
		*asked[i].rows = (struct rows){NULL, 0};
	for (int row = 0; rc == RC_OK && row < rows; row++)
		rc = deal_row(query, result, row, asked, count, &at);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = rows_check(query, asked[i].rows->count);
	return rc;
}
