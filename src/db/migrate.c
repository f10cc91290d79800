/*
 * The schema's versions: table marca_schema holds a row for each migration that a room's store has
 * seen. A migration and its row are one transaction, so it is there whole or not at all; and
 * the version is read within that transaction, so that two processes never run the same one.
 */
#include "db/driver.h"

#include "base/log.h"

#define TABLE_TRIES 5

struct version_in {
	const char *room;
};

struct version_out {
	int64_t number;
};

struct applied_in {
	const char *room;
	int64_t number;
	const char *name;
	utime applied_at;
};

static const char create_table[] = "CREATE TABLE IF NOT EXISTS marca_schema ("
				   "room text NOT NULL, number bigint NOT NULL, name text NOT NULL, "
				   "applied_at bigint NOT NULL, PRIMARY KEY (room, number))";

static const struct column version_in[] = {
	{.name = "room", .kind = DB_TEXT, .offset = offsetof(struct version_in, room)},
};

static const struct column version_out[] = {
	{.name = "number", .kind = DB_INT, .offset = offsetof(struct version_out, number)},
};

#define VERSION_SQL "SELECT coalesce(max(number), 0) FROM marca_schema WHERE room = $1"

static const struct query version_query = {
	.name = "schema_version",
	.sql = {VERSION_SQL, VERSION_SQL},
	.in = version_in,
	.in_count = ARRAY_LEN(version_in),
	.in_size = sizeof(struct version_in),
	.out = version_out,
	.out_count = ARRAY_LEN(version_out),
	.out_size = sizeof(struct version_out),
	.rows = ROWS_ONE,
};

static const struct column applied_in[] = {
	{.name = "room", .kind = DB_TEXT, .offset = offsetof(struct applied_in, room)},
	{.name = "number", .kind = DB_INT, .offset = offsetof(struct applied_in, number)},
	{.name = "name", .kind = DB_TEXT, .offset = offsetof(struct applied_in, name)},
	{.name = "applied_at", .kind = DB_TIME, .offset = offsetof(struct applied_in, applied_at)},
};

#define APPLIED_SQL "INSERT INTO marca_schema (room, number, name, applied_at) VALUES ($1, $2, $3, $4)"

static const struct query applied_query = {
	.name = "schema_applied",
	.sql = {APPLIED_SQL, APPLIED_SQL},
	.in = applied_in,
	.in_count = ARRAY_LEN(applied_in),
	.in_size = sizeof(struct applied_in),
	.rows = ROWS_NONE,
};

struct there_out {
	int64_t count;
};

static const struct column there_out[] = {
	{.name = "count", .kind = DB_INT, .offset = offsetof(struct there_out, count)},
};

static const struct query there_query = {
	.name = "schema_there",
	.sql = {"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'marca_schema'",
		"SELECT CASE WHEN to_regclass('marca_schema') IS NULL THEN 0 ELSE 1 END"},
	.out = there_out,
	.out_count = ARRAY_LEN(there_out),
	.out_size = sizeof(struct there_out),
	.rows = ROWS_ONE,
};

/* One run of db_migrate() or db_schema_version(). */
struct run {
	struct db *db;
	struct session *session;
	struct arena arena;
};

static enum rc exec(struct run *run, const char *sql)
{
	return run->db->driver->session_exec(run->session, sql);
}

static enum rc query(struct run *run, const struct query *what, const void *in, struct rows *ret)
{
	return run->db->driver->session_query(run->session, what, in, &run->arena, ret);
}

static enum rc read_version(struct run *run, int *ret)
{
	const struct version_in in = {.room = run->db->set->name};
	struct rows rows;
	enum rc rc = query(run, &version_query, &in, &rows);

	if (rc != RC_OK)
		return rc;
	*ret = (int)((const struct version_out *)rows.items)->number;
	return RC_OK;
}

static enum rc table_is_there(struct run *run, bool *ret)
{
	struct rows rows;
	enum rc rc = query(run, &there_query, NULL, &rows);

	if (rc != RC_OK)
		return rc;
	*ret = ((const struct there_out *)rows.items)->count > 0;
	return RC_OK;
}

/* Two that create it at once on PostgreSQL: IF NOT EXISTS fails for one, in one of two ways, who then finds
 * it. */
static enum rc make_table(struct run *run)
{
	bool there;
	enum rc rc = table_is_there(run, &there), made = RC_OK;

	for (int i = 0; rc == RC_OK && !there && i < TABLE_TRIES; i++) {
		made = exec(run, create_table);
		if (made == RC_OK || made == RC_STORE_DOWN)
			return made;
		rc = table_is_there(run, &there);
	}
	return rc == RC_OK && !there ? made : rc;
}

static enum rc run_open(struct run *run, struct db *db)
{
	*run = (struct run){.db = db};
	arena_init(&run->arena, NULL);
	return db->driver->session_open(db, &run->session);
}

static void run_close(struct run *run)
{
	run->db->driver->session_close(run->session);
	arena_finish(&run->arena);
}

/* Its statements and its row, inside an open transaction. */
static enum rc apply(struct run *run, const struct migration *migration)
{
	const struct db *db = run->db;
	const struct applied_in in = {
		.room = db->set->name,
		.number = migration->number,
		.name = migration->name,
		.applied_at = world_now(db->options.world),
	};
	struct rows none;
	enum rc rc = RC_OK;

	for (const char *const *sql = migration->statements[db_dialect(db)]; rc == RC_OK && *sql != NULL;
	     sql++)
		rc = exec(run, *sql);
	if (rc == RC_OK)
		rc = query(run, &applied_query, &in, &none);
	return rc;
}

/* With the schema to ourselves: the migration after the version that is there, if it is wanted. */
static enum rc step(struct run *run, int target, const struct migration **ret)
{
	const struct query_set *set = run->db->set;
	int version;
	enum rc rc = read_version(run, &version);

	if (rc != RC_OK)
		return rc;
	if ((size_t)version > set->migration_count) {
		LOG(ERROR, "the schema is newer than this binary", LOG_TEXT("room", set->name),
		    LOG_NUMBER("schema", version), LOG_NUMBER("known", (int64_t)set->migration_count));
		return RC_INTERNAL;
	}
	if (version >= target) {
		*ret = NULL;
		return RC_OK;
	}
	*ret = &set->migrations[version];
	rc = apply(run, *ret);
	if (rc != RC_OK)
		LOG(ERROR, "a migration failed and changed nothing", LOG_TEXT("room", set->name),
		    LOG_NUMBER("number", (*ret)->number), LOG_TEXT("name", (*ret)->name));
	return rc;
}

/* The wall stands when the transaction ends, so that no table is ever there without it. */
static enum rc mend_wall(struct run *run)
{
	const struct driver *driver = run->db->driver;
	bool whole;

	return driver->session_wall != NULL ? driver->session_wall(run->session, true, &whole) : RC_OK;
}

/* *ret is what was applied, NULL when nothing is left to do. */
static enum rc step_alone(struct run *run, int target, const struct migration **ret)
{
	const struct driver *driver = run->db->driver;
	enum rc rc = exec(run, driver->schema_begin), undone;

	if (rc != RC_OK)
		return rc;
	if (driver->schema_lock != NULL)
		rc = exec(run, driver->schema_lock);
	if (rc == RC_OK)
		rc = step(run, target, ret);
	if (rc == RC_OK)
		rc = mend_wall(run);
	if (rc == RC_OK)
		rc = driver->session_commit(run->session);
	if (rc == RC_OK)
		return RC_OK;
	undone = exec(run, "ROLLBACK");
	return undone == RC_OK ? RC_INTERNAL : undone;
}

/* So that a login which owns nothing can serve what the owner has migrated. */
static enum rc nothing_to_do(struct run *run, int target, bool *ret)
{
	const struct driver *driver = run->db->driver;
	bool whole = true;
	int version;
	enum rc rc = read_version(run, &version);

	if (rc == RC_OK && version == target && driver->session_wall != NULL)
		rc = driver->session_wall(run->session, false, &whole);
	if (rc == RC_OK)
		*ret = version == target && whole;
	return rc;
}

static enum rc migrate(struct run *run, int target, db_progress_fn *progress)
{
	const struct query_set *set = run->db->set;
	const struct migration *done = NULL;
	bool any = false, ready = false;
	enum rc rc = nothing_to_do(run, target, &ready);

	if (rc != RC_OK)
		return rc;
	while (!ready) {
		rc = step_alone(run, target, &done);
		if (rc != RC_OK)
			return rc;
		if (done != NULL && progress != NULL)
			progress(set->name, done, false);
		any = any || done != NULL;
		ready = done == NULL;
	}
	if (!any && progress != NULL && set->migration_count > 0)
		progress(set->name, &set->migrations[target > 0 ? target - 1 : 0], true);
	return RC_OK;
}

enum rc db_migrate(struct db *db, int target, db_progress_fn *progress)
{
	int newest = (int)db->set->migration_count;
	struct run run;
	enum rc rc;

	if (target > newest) {
		LOG(ERROR, "there is no such migration", LOG_TEXT("room", db->set->name),
		    LOG_NUMBER("asked", target), LOG_NUMBER("newest", newest));
		return RC_INTERNAL;
	}
	rc = run_open(&run, db);
	if (rc != RC_OK)
		return rc;
	rc = make_table(&run);
	if (rc == RC_OK)
		rc = migrate(&run, target < 0 ? newest : target, progress);
	run_close(&run);
	return rc;
}

enum rc db_schema_version(struct db *db, int *ret)
{
	struct run run;
	int version = 0;
	bool there;
	enum rc rc = run_open(&run, db);

	if (rc != RC_OK)
		return rc;
	rc = table_is_there(&run, &there);
	if (rc == RC_OK && there)
		rc = read_version(&run, &version);
	if (rc == RC_OK)
		*ret = version;
	run_close(&run);
	return rc;
}

struct query schema_query(const struct query_set *set)
{
	struct query query = version_query;

	query.room = set->room;
	query.index = (unsigned)set->count;
	return query;
}

enum rc db_schema_read(struct ctx *cx, const struct db *db, int *ret)
{
	const struct version_in in = {.room = db->set->name};
	struct rows rows;
	enum rc rc = db_read(cx, &db->schema, &in, &rows);

	if (rc == RC_OK)
		*ret = (int)((const struct version_out *)rows.items)->number;
	return rc;
}

int db_schema_known(const struct db *db)
{
	return (int)db->set->migration_count;
}
