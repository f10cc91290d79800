/* See whole.h. */
#include "db/whole.h"

#include "base/log.h"
#include "db/driver.h"

#include <stdio.h>
#include <stdlib.h>

struct db_whole {
	struct db *db;
	struct session *session;
	void *held; /* the driver's */
};

/* A snapshot is taken by the first look. */
static const char look[] = "SELECT 1 FROM marca_schema LIMIT 1";

enum rc db_whole_open(struct db *db, struct db_whole **ret)
{
	struct db_whole *whole = malloc(sizeof(*whole));
	enum rc rc;

	if (whole == NULL)
		return RC_NO_MEMORY;
	*whole = (struct db_whole){.db = db};
	rc = db->driver->session_open(db, &whole->session);
	if (rc == RC_OK)
		*ret = whole;
	else
		free(whole);
	return rc;
}

enum rc db_whole_start(struct db_whole *whole, enum whole_use use)
{
	const struct driver *driver = whole->db->driver;
	bool writes = use == WHOLE_WRITE;
	enum rc rc =
		driver->session_exec(whole->session, writes ? driver->schema_begin : driver->snapshot_begin);

	if (rc == RC_OK && driver->session_as_role != NULL)
		rc = driver->session_as_role(whole->session);
	if (rc == RC_OK)
		rc = driver->session_exec(whole->session, look);
	return rc;
}

enum rc db_whole_begin(struct db *db, enum whole_use use, struct db_whole **ret)
{
	struct db_whole *whole;
	enum rc rc = db_whole_open(db, &whole);

	if (rc != RC_OK)
		return rc;
	rc = db_whole_start(whole, use);
	if (rc == RC_OK)
		*ret = whole;
	else
		(void)!db_whole_end(whole, false);
	return rc;
}

/* The row that a relay takes before it gives numbers: of <room>_relay. Its name is of a migration. */
enum rc db_whole_hold(struct db_whole *whole)
{
	const struct table *table = whole->db->set->whole;
	char sql[128];

	while (table->name != NULL && !table->seeded)
		table++;
	if (table->name == NULL)
		return RC_OK; /* it has no events of its own */
	snprintf(sql, sizeof(sql), "SELECT 1 FROM %s FOR UPDATE", table->name);
	return whole->db->driver->hold(whole->db, sql, &whole->held);
}

void db_whole_release(struct db_whole *whole)
{
	if (whole->held != NULL)
		whole->db->driver->release(whole->held);
	whole->held = NULL;
}

enum rc db_whole_end(struct db_whole *whole, bool keep)
{
	const struct driver *driver = whole->db->driver;
	enum rc rc = keep ? driver->session_commit(whole->session) : RC_OK;

	db_whole_release(whole);
	driver->session_close(whole->session); /* which rolls back what is open */
	free(whole);
	return rc;
}

/* --- Rows ------------------------------------------------------------------- */

enum rc db_whole_scan(struct db_whole *whole, const struct table *table, db_row_fn *fn, void *arg)
{
	const struct row_sink sink = {.table = table, .fn = fn, .arg = arg};

	return whole->db->driver->session_scan(whole->session, table->all, &sink);
}

enum rc row_sink_take(const struct row_sink *sink, const void *row)
{
	return sink->fn(sink->arg, sink->table, row);
}

enum rc db_whole_put(struct db_whole *whole, const struct table *table, const void *const *rows, size_t count)
{
	return count > 0 ? whole->db->driver->session_each(whole->session, table->put, rows, count) : RC_OK;
}

enum rc db_whole_wipe(struct db_whole *whole, const struct table *table)
{
	return whole->db->driver->session_exec(whole->session, table->wipe->sql[db_dialect(whole->db)]);
}

struct there {
	int64_t there;
};

enum rc db_whole_has_rows(struct db_whole *whole, const struct table *table, bool *ret)
{
	static const struct column out[] = {
		{.name = "there", .kind = DB_INT, .offset = offsetof(struct there, there)},
	};
	char sql[128];
	const struct query query = {
		.name = "has_rows",
		.sql = {sql, sql},
		.out = out,
		.out_count = ARRAY_LEN(out),
		.out_size = sizeof(struct there),
		.rows = ROWS_MAYBE,
	};
	struct arena arena;
	struct rows rows;
	enum rc rc;

	/* The name is of a migration, never of an input. */
	if (snprintf(sql, sizeof(sql), "SELECT 1 FROM %s LIMIT 1", table->name) >= (int)sizeof(sql))
		return RC_INTERNAL;
	arena_init(&arena, NULL);
	rc = whole->db->driver->session_query(whole->session, &query, NULL, &arena, &rows);
	if (rc == RC_OK)
		*ret = rows.count > 0;
	arena_finish(&arena);
	return rc;
}

/* --- Files ------------------------------------------------------------------- */

enum rc db_whole_copy(struct db_whole *whole, const char *path, db_copy_fn *progress, void *arg)
{
	const struct driver *driver = whole->db->driver;

	return driver->session_copy != NULL ? driver->session_copy(whole->session, path, progress, arg)
					    : RC_INTERNAL;
}

enum rc db_replace_file(struct db *db, const char *path)
{
	return db->driver->replace_file != NULL ? db->driver->replace_file(db, path) : RC_INTERNAL;
}

enum rc db_whole_check(struct db_whole *whole, bool deep)
{
	const struct driver *driver = whole->db->driver;

	return driver->session_check != NULL ? driver->session_check(whole->session, deep) : RC_OK;
}
