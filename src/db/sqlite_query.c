/* One query on one SQLite connection: prepared once, bound by name, its rows put into an arena. */
#include "db/sqlite.h"

#include "base/log.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS_FIRST 8

enum rc sqlite_failed(const struct sqlite_conn *conn, const char *what)
{
	int code = sqlite3_extended_errcode(conn->db);
	enum rc rc;

	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		/* A value of the wrong type in a STRICT table is a fault of ours, not of the data. */
		if (code != SQLITE_CONSTRAINT_DATATYPE)
			return RC_STORE_CONSTRAINT;
		rc = RC_INTERNAL;
		break;
	case SQLITE_NOMEM:
		return RC_NO_MEMORY;
	case SQLITE_ERROR:
	case SQLITE_MISMATCH:
	case SQLITE_RANGE:
	case SQLITE_MISUSE:
	case SQLITE_TOOBIG:
	case SQLITE_READONLY:
		rc = RC_INTERNAL;
		break;
	default:
		rc = RC_STORE_DOWN;
	}
	LOG(ERROR, "SQLite failed", LOG_TEXT("what", what), LOG_TEXT("said", sqlite3_errmsg(conn->db)),
	    LOG_NUMBER("code", code));
	return rc;
}

/* --- Preparing ----------------------------------------------------------- */

static bool find_params(const struct query *query, struct sqlite_query *prepared)
{
	char name[24];

	prepared->params = calloc(query->in_count + 1, sizeof(prepared->params[0]));
	if (prepared->params == NULL)
		return false;
	for (size_t i = 0; i < query->in_count; i++) {
		snprintf(name, sizeof(name), "$%zu", i + 1);
		prepared->params[i] = sqlite3_bind_parameter_index(prepared->stmt, name);
	}
	return true;
}

enum rc sqlite_prepare(struct sqlite_conn *conn, const struct query *query, struct sqlite_query *ret)
{
	struct sqlite_query prepared = {NULL, NULL};

	if (sqlite3_prepare_v3(conn->db, query->sql[DIALECT_SQLITE], -1, SQLITE_PREPARE_PERSISTENT,
			       &prepared.stmt, NULL) != SQLITE_OK)
		return sqlite_failed(conn, query->name);
	if (query->rows != ROWS_NONE && (size_t)sqlite3_column_count(prepared.stmt) != query->out_count) {
		LOG(ERROR, "a query has other columns than its :out", LOG_TEXT("query", query->name));
		sqlite_unprepare(&prepared);
		return RC_INTERNAL;
	}
	if (!find_params(query, &prepared)) {
		sqlite_unprepare(&prepared);
		return RC_NO_MEMORY;
	}
	*ret = prepared;
	return RC_OK;
}

void sqlite_unprepare(struct sqlite_query *prepared)
{
	sqlite3_finalize(prepared->stmt);
	free(prepared->params);
	*prepared = (struct sqlite_query){NULL, NULL};
}

/* --- Values -------------------------------------------------------------- */

/* The bytes stay where they are: they outlive the step. */
static int bind_text(sqlite3_stmt *stmt, int param, struct str text)
{
	return sqlite3_bind_text64(stmt, param, text.p, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static int bind_value(sqlite3_stmt *stmt, int param, const struct column *column, const void *in)
{
	if (value_is_none(column, in))
		return sqlite3_bind_null(stmt, param);
	switch (column->kind) {
	case DB_UUID:
		return sqlite3_bind_blob(stmt, param, value_uuid(column, in)->b, sizeof(struct uuid),
					 SQLITE_STATIC);
	case DB_TIME:
	case DB_INT:
	case DB_BOOL:
		return sqlite3_bind_int64(stmt, param, value_int(column, in));
	case DB_TEXT:
	case DB_JSON:
	case DB_ENUM:
		return bind_text(stmt, param, value_text(column, in));
	}
	return SQLITE_MISUSE;
}

bool sqlite_bind(const struct sqlite_query *prepared, const struct query *query, const void *in)
{
	for (size_t i = 0; i < query->in_count; i++) {
		if (prepared->params[i] == 0)
			continue;
		if (bind_value(prepared->stmt, prepared->params[i], &query->in[i], in) != SQLITE_OK)
			return false;
	}
	return true;
}

static bool type_fits(const struct column *column, int type, sqlite3_stmt *stmt, int i)
{
	if (column->kind == DB_UUID)
		return type == SQLITE_BLOB && sqlite3_column_bytes(stmt, i) == sizeof(struct uuid);
	if (column->kind == DB_TEXT || column->kind == DB_JSON || column->kind == DB_ENUM)
		return type == SQLITE_TEXT;
	return type == SQLITE_INTEGER;
}

static enum rc take_column(const struct query *query, sqlite3_stmt *stmt, int i, struct arena *arena,
			   void *row)
{
	const struct column *column = &query->out[i];
	int type = sqlite3_column_type(stmt, i);
	struct str text;
	enum rc rc;

	if (type == SQLITE_NULL)
		return value_set_none(column, row) ? RC_OK : column_wrong(query, column, "null");
	if (!type_fits(column, type, stmt, i))
		return column_wrong(query, column, "of another type");
	switch (column->kind) {
	case DB_UUID:
		value_set_uuid(column, row, sqlite3_column_blob(stmt, i));
		return RC_OK;
	case DB_TIME:
	case DB_INT:
	case DB_BOOL:
		value_set_int(column, row, sqlite3_column_int64(stmt, i));
		return RC_OK;
	case DB_TEXT:
	case DB_JSON:
	case DB_ENUM:
		text.p = (const char *)sqlite3_column_text(stmt, i);
		text.len = (size_t)sqlite3_column_bytes(stmt, i);
		if (text.p == NULL)
			return RC_NO_MEMORY;
		rc = value_set_text(column, row, arena, text);
		return rc == RC_INTERNAL
			       ? column_wrong(query, column, "no word of its list, or a text with a NUL")
			       : rc;
	}
	return RC_INTERNAL;
}

/* --- Running ------------------------------------------------------------- */

/* Space for one more row, zeroed; NULL when memory is short. */
static void *next_row(const struct query *query, struct arena *arena, struct rows *rows, size_t *capacity)
{
	size_t wanted = query->rows == ROWS_MANY ? ROWS_FIRST : 1;
	char *items = rows->items;

	if (rows->count == *capacity) {
		if (rows->count > 0)
			wanted = 2 * rows->count;
		items = arena_array(arena, wanted, query->out_size);
		if (items == NULL)
			return NULL;
		if (rows->count > 0)
			memcpy(items, rows->items, rows->count * query->out_size);
		rows->items = items;
		*capacity = wanted;
	}
	return items + rows->count++ * query->out_size;
}

enum rc sqlite_take_row(const struct query *query, sqlite3_stmt *stmt, struct arena *arena, void *row)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < query->out_count; i++)
		rc = take_column(query, stmt, (int)i, arena, row);
	return rc;
}

static enum rc step_all(const struct sqlite_conn *conn, sqlite3_stmt *stmt, const struct query *query,
			struct arena *arena, struct rows *ret)
{
	struct rows rows = {NULL, 0};
	size_t capacity = 0;
	void *row;
	enum rc rc;
	int code;

	while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (query->rows == ROWS_NONE)
			continue;
		row = next_row(query, arena, &rows, &capacity);
		rc = row != NULL ? sqlite_take_row(query, stmt, arena, row) : RC_NO_MEMORY;
		if (rc != RC_OK)
			return rc;
	}
	if (code != SQLITE_DONE)
		return sqlite_failed(conn, query->name);
	rc = rows_check(query, rows.count);
	if (rc == RC_OK)
		*ret = rows;
	return rc;
}

enum rc sqlite_run_prepared(struct sqlite_conn *conn, const struct sqlite_query *prepared,
			    const struct query *query, const void *in, struct arena *arena, struct rows *ret)
{
	enum rc rc;

	if (!sqlite_bind(prepared, query, in))
		return sqlite_failed(conn, query->name);
	rc = step_all(conn, prepared->stmt, query, arena, ret);
	/* Ends its transaction too, if it is a read; repeats the failure that we have already. */
	(void)sqlite3_reset(prepared->stmt);
	return rc;
}

enum rc sqlite_run(struct sqlite_conn *conn, const struct query *query, const void *in, struct arena *arena,
		   struct rows *ret)
{
	struct sqlite_query *prepared = &conn->cache[query->index];

	if (prepared->stmt == NULL) {
		enum rc rc = sqlite_prepare(conn, query, prepared);

		if (rc != RC_OK)
			return rc;
	}
	return sqlite_run_prepared(conn, prepared, query, in, arena, ret);
}
