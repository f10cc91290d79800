/*
 * The schema's versions: table marca_schema holds a row for each migration that a room's store has
 * seen. A migration and its row are one transaction, so it is there whole or not at all; and
 * the version is read within that transaction, so that two processes never run the same one.
 *
 * The version before may be serving all the while (docs/upgrading.md). So a row also says which binaries may
 * run beside it (`since`): to those that know that many migrations the schema may be newer than they are. And
 * a migration does not wait for a table in use with the rest of the queue behind it: it lets go, and tries
 * again.
 */
#include "db/driver.h"

#include "base/log.h"

#include <time.h>

#define TABLE_TRIES 5
#define BUSY_TRIES  60 /* of a migration whose tables are in use, a second apart */

struct version_in {
	const char *room;
};

struct newer_in {
	const char *room;
	int64_t known;
};

struct version_out {
	int64_t number;
};

struct applied_in {
	const char *room;
	int64_t number;
	const char *name;
	utime applied_at;
	int64_t since;
};

static const char create_table[] = "CREATE TABLE IF NOT EXISTS marca_schema ("
				   "room text NOT NULL, number bigint NOT NULL, name text NOT NULL, "
				   "applied_at bigint NOT NULL, since bigint NOT NULL DEFAULT 0, "
				   "PRIMARY KEY (room, number))";

/* Of stores that are older than this column; all of their migrations expanded. */
static const char add_since[] = "ALTER TABLE marca_schema ADD COLUMN since bigint NOT NULL DEFAULT 0";

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

static const struct column newer_in[] = {
	{.name = "room", .kind = DB_TEXT, .offset = offsetof(struct newer_in, room)},
	{.name = "known", .kind = DB_INT, .offset = offsetof(struct newer_in, known)},
};

#define NEWER_SQL "SELECT coalesce(max(since), 0) FROM marca_schema WHERE room = $1 AND number > $2"

/* How many migrations a binary has to know to run beside those that `known` does not cover. */
static const struct query newer_query = {
	.name = "schema_newer",
	.sql = {NEWER_SQL, NEWER_SQL},
	.in = newer_in,
	.in_count = ARRAY_LEN(newer_in),
	.in_size = sizeof(struct newer_in),
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
	{.name = "since", .kind = DB_INT, .offset = offsetof(struct applied_in, since)},
};

#define APPLIED_SQL \
	"INSERT INTO marca_schema (room, number, name, applied_at, since) VALUES ($1, $2, $3, $4, $5)"

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
	.sql = {"SELECT count(*) FROM pragma_table_info('marca_schema') WHERE name IN ('number', 'since')",
		"SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('marca_schema') "
		"AND attname IN ('number', 'since')"},
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

static enum rc read_number(struct run *run, const struct query *what, const void *in, int *ret)
{
	struct rows rows;
	enum rc rc = query(run, what, in, &rows);

	if (rc != RC_OK)
		return rc;
	*ret = (int)((const struct version_out *)rows.items)->number;
	return RC_OK;
}

static enum rc read_version(struct run *run, int *ret)
{
	return read_number(run, &version_query, &(struct version_in){.room = run->db->set->name}, ret);
}

enum schema_table { TABLE_ABSENT, TABLE_OLDER, TABLE_THERE };

static enum rc look_at_table(struct run *run, enum schema_table *ret)
{
	struct rows rows;
	enum rc rc = query(run, &there_query, NULL, &rows);

	if (rc != RC_OK)
		return rc;
	*ret = (enum schema_table)((const struct there_out *)rows.items)->count;
	return RC_OK;
}

/* Two that create it at once on PostgreSQL: IF NOT EXISTS fails for one, in one of two ways, who then finds
 * it. So does the second who adds the column. */
static enum rc make_table(struct run *run)
{
	enum schema_table table = TABLE_ABSENT;
	enum rc rc = look_at_table(run, &table), made = RC_OK;

	for (int i = 0; rc == RC_OK && table != TABLE_THERE && i < TABLE_TRIES; i++) {
		made = exec(run, table == TABLE_ABSENT ? create_table : add_since);
		if (made == RC_OK || made == RC_STORE_DOWN)
			return made;
		rc = look_at_table(run, &table);
	}
	return rc == RC_OK && table != TABLE_THERE ? made : rc;
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

static enum rc run_statement(struct run *run, const struct migration *migration, const char *sql)
{
	const struct driver *driver = run->db->driver;

	return migration->online && driver->session_online != NULL ? driver->session_online(run->session, sql)
								   : exec(run, sql);
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
		.since = migration->since,
	};
	struct rows none;
	enum rc rc = RC_OK;

	for (const char *const *sql = migration->statements[db_dialect(db)]; rc == RC_OK && *sql != NULL;
	     sql++)
		rc = run_statement(run, migration, *sql);
	if (rc == RC_OK)
		rc = query(run, &applied_query, &in, &none);
	return rc;
}

/* What this binary does not know: may it run beside that? */
static enum rc fits(struct run *run, int version, bool *ret)
{
	const struct query_set *set = run->db->set;
	const struct newer_in in = {.room = set->name, .known = (int64_t)set->migration_count};
	int since = 0;
	enum rc rc = RC_OK;

	if ((size_t)version > set->migration_count)
		rc = read_number(run, &newer_query, &in, &since);
	if (rc == RC_OK)
		*ret = (size_t)since <= set->migration_count;
	return rc;
}

static enum rc refuse_newer(struct run *run, int version)
{
	bool good;
	enum rc rc = fits(run, version, &good);

	if (rc != RC_OK || good)
		return rc;
	LOG(ERROR, "the schema is newer than this binary, and no binary so old may run beside it",
	    LOG_TEXT("room", run->db->set->name), LOG_NUMBER("schema", version),
	    LOG_NUMBER("known", (int64_t)run->db->set->migration_count));
	return RC_INTERNAL;
}

/* With the schema to ourselves: the migration after the version that is there, if it is wanted. */
static enum rc step(struct run *run, int target, const struct migration **ret)
{
	const struct query_set *set = run->db->set;
	int version;
	enum rc rc = read_version(run, &version);

	if (rc != RC_OK)
		return rc;
	*ret = NULL;
	if (version >= target)
		return refuse_newer(run, version);
	*ret = &set->migrations[version];
	rc = apply(run, *ret);
	if (rc != RC_OK && rc != RC_STORE_DOWN)
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

/* *ret is what was applied, NULL when nothing is left to do. RC_STORE_DOWN: busy, or gone. */
static enum rc step_alone(struct run *run, int target, const struct migration **ret, bool *ret_busy)
{
	const struct driver *driver = run->db->driver;
	enum rc rc = exec(run, driver->schema_begin), undone;

	if (rc != RC_OK)
		return rc;
	if (driver->schema_lock != NULL)
		rc = exec(run, driver->schema_lock);
	if (rc == RC_OK && driver->schema_patience != NULL)
		rc = exec(run, driver->schema_patience);
	if (rc == RC_OK)
		rc = step(run, target, ret);
	if (rc == RC_OK)
		rc = mend_wall(run);
	if (rc == RC_OK)
		rc = driver->session_commit(run->session);
	if (rc == RC_OK)
		return RC_OK;
	undone = exec(run, "ROLLBACK");
	*ret_busy = rc == RC_STORE_DOWN && undone == RC_OK;
	return undone == RC_OK ? RC_INTERNAL : undone;
}

/* Whoever uses the tables meanwhile is served between two tries. */
static enum rc step_patiently(struct run *run, int target, const struct migration **ret)
{
	const struct timespec pause = {.tv_sec = 1};
	bool busy = false;
	enum rc rc = step_alone(run, target, ret, &busy);

	for (int i = 0; i < BUSY_TRIES && busy; i++) {
		LOG(WARN, "a migration's tables are in use; it tries again",
		    LOG_TEXT("room", run->db->set->name), LOG_NUMBER("try", i + 2),
		    LOG_NUMBER("of", BUSY_TRIES + 1));
		nanosleep(&pause, NULL);
		busy = false;
		rc = step_alone(run, target, ret, &busy);
	}
	return rc;
}

/* So that a login which owns nothing can serve what the owner has migrated. */
static enum rc nothing_to_do(struct run *run, int target, bool *ret)
{
	const struct driver *driver = run->db->driver;
	bool whole = true, good = false;
	int version;
	enum rc rc = read_version(run, &version);

	if (rc == RC_OK)
		rc = fits(run, version, &good);
	if (rc == RC_OK && version >= target && driver->session_wall != NULL)
		rc = driver->session_wall(run->session, false, &whole);
	if (rc == RC_OK)
		*ret = version >= target && good && whole;
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
		rc = step_patiently(run, target, &done);
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

/* A table without the column `since` holds none that a binary could be too old for. */
enum rc db_schema_version(struct db *db, int *ret, bool *ret_fits)
{
	enum schema_table table = TABLE_ABSENT;
	bool good = true;
	struct run run;
	int version = 0;
	enum rc rc = run_open(&run, db);

	if (rc != RC_OK)
		return rc;
	rc = look_at_table(&run, &table);
	if (rc == RC_OK && table != TABLE_ABSENT)
		rc = read_version(&run, &version);
	if (rc == RC_OK && table == TABLE_THERE)
		rc = fits(&run, version, &good);
	if (rc == RC_OK) {
		*ret = version;
		*ret_fits = good && (size_t)version >= db->set->migration_count;
	}
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
