/*
 * For tests of what the rooms do together: all stores, opened and migrated as the process does it, a thread's
 * ways into them, and rows to begin with. One house a test program; tests keep apart by their own tenants.
 */
#ifndef APP_HOUSE_TEST_H
#define APP_HOUSE_TEST_H

#include "app/app.h"
#include "base/fiber_harness.h"
#include "booking/booking.h"
#include "booking/queries.h"
#include "resource/queries.h"
#include "tenant/queries.h"
#include "user/queries.h"

#include <dirent.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* cmocka wants those before it. */
#include <cmocka.h>

struct house {
	struct app app;
	struct room_locals rooms;
	struct harness harness;
	struct arena_pool pool;
	char folder[64], url[512];
	PGconn *pg; /* NULL: on SQLite */
};

/* --- The store itself, past marca ------------------------------------------------ */

/* The first column of the first row as text; in the arena. */
static inline const char *house_sql(const struct house *house, struct arena *arena, enum room room,
				    const char *sql)
{
	const char *text = NULL;
	char path[128];
	PGresult *result;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	if (house->pg != NULL) {
		result = PQexec(house->pg, sql);
		if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
			fail_msg("%s: %s", sql, PQerrorMessage(house->pg));
		if (PQntuples(result) > 0)
			text = arena_text(arena, str_from(PQgetvalue(result, 0, 0)));
		PQclear(result);
		return text;
	}
	snprintf(path, sizeof(path), "%s/%s.db", house->folder, app_queries[room]->name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		text = arena_text(arena, str_from((const char *)sqlite3_column_text(stmt, 0)));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return text;
}

/* A UUID in that store's SQL. */
static inline const char *house_literal(const struct house *house, struct arena *arena, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1], hex[2 * sizeof(id->b) + 1] = "";

	hex_text(hex, id->b, sizeof(id->b));
	return house->pg != NULL ? arena_printf(arena, "'%s'", uuid_text(text, id))
				 : arena_printf(arena, "x'%s'", hex);
}

/* --- The house --------------------------------------------------------------------- */

static inline void house_schema(const char *server, bool create)
{
	PGconn *pg = PQconnectdb(server);
	char sql[160];

	PQclear(PQexec(pg, "SET client_min_messages = warning"));
	snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS house_%d CASCADE", getpid());
	PQclear(PQexec(pg, sql));
	snprintf(sql, sizeof(sql), "CREATE SCHEMA house_%d", getpid());
	if (create)
		PQclear(PQexec(pg, sql));
	PQfinish(pg);
}

/* On PostgreSQL: a schema of its own in the database that MARCA_TEST_PG names. */
static inline struct house *house_open(bool postgres)
{
	const char *server = getenv("MARCA_TEST_PG");
	struct house *house = calloc(1, sizeof(*house));
	struct config config;

	assert_non_null(house);
	snprintf(house->folder, sizeof(house->folder), "/tmp/marca-house-XXXXXX");
	assert_non_null(mkdtemp(house->folder));
	assert_true(config_read(&config));
	config.data = house->folder;
	config.clock = "2025-12-01T12:00:00Z";
	config.log_level = "warn";
	if (postgres) {
		house_schema(server, true);
		snprintf(house->url, sizeof(house->url), "%s?options=-csearch_path%%3Dhouse_%d", server,
			 getpid());
		config.database_url = house->url;
		house->pg = PQconnectdb(house->url);
		assert_int_equal(PQstatus(house->pg), CONNECTION_OK);
		PQclear(PQexec(house->pg,
			       "SET app.tenant = '*'")); /* the owner, too, stands before the wall */
	}
	assert_true(app_init(&house->app, &config));
	assert_true(app_open_stores(&house->app));
	assert_true(app_open_shared(&house->app));
	assert_true(app_thread_open(&house->app, &house->rooms));
	harness_init(&house->harness);
	return house;
}

/* Their names are nobody's choice. */
static inline void house_remove_keys(const struct house *house)
{
	char path[80];
	DIR *dir;

	snprintf(path, sizeof(path), "%s/keys", house->folder);
	dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

static inline void house_close(struct house *house)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char path[160];

	app_thread_close(&house->rooms);
	app_close_shared(&house->app);
	for (size_t room = 0; room < ROOM_COUNT; room++)
		db_close(house->app.dbs[room]);
	harness_finish(&house->harness);
	arena_pool_finish(&house->pool);
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
			snprintf(path, sizeof(path), "%s/%s.db%s", house->folder, app_queries[room]->name,
				 ends[i]);
			unlink(path);
		}
	}
	house_remove_keys(house);
	assert_int_equal(rmdir(house->folder), 0);
	if (house->pg != NULL) {
		PQfinish(house->pg);
		house_schema(getenv("MARCA_TEST_PG"), false);
	}
	free(house);
}

struct house_task {
	void (*fn)(struct house *house, struct ctx *cx);
	struct house *house;
	struct ctx cx;
};

static inline void house_task_run(void *arg)
{
	struct house_task *task = arg;

	task->fn(task->house, &task->cx);
}

/* Runs fn on a fiber, with a context like a request's, and waits for its end. */
static inline void house_run(struct house *house, void (*fn)(struct house *house, struct ctx *cx))
{
	struct arena arena;
	struct errand errand;
	struct house_task task = {
		.fn = fn,
		.house = house,
		.cx = {.arena = &arena,
		       .world = &house->app.world,
		       .now = world_now(&house->app.world),
		       .ports = house->rooms.ports,
		       .locals = house->rooms.locals},
	};

	arena_init(&arena, &house->pool);
	ctx_trace(&task.cx);
	assert_int_equal(harness_go(&house->harness, &errand, house_task_run, &task), RC_OK);
	harness_wait(&house->harness);
	arena_finish(&arena);
}

/* --- Rows ------------------------------------------------------------------------------ */

static inline struct uuid house_id(struct ctx *cx)
{
	return uuid_v7(cx->world, cx->now);
}

static inline const char *house_name(struct ctx *cx, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	return arena_text(cx->arena, str_from(uuid_text(text, id)));
}

static inline void house_write(struct ctx *cx, enum room room, const struct uuid *tenant,
			       const struct uuid *key, const struct query *query, const void *in)
{
	struct script script;

	script_init(&script, cx, room, tenant, key);
	script_add(&script, query, in);
	assert_int_equal(db_write(&script), RC_OK);
}

static inline struct uuid add_tenant(struct ctx *cx)
{
	struct tenant row = {.id = house_id(cx), .is_active = true, .created_at = cx->now};

	row.change_id = row.id;
	row.name = row.search_name = row.domain = house_name(cx, &row.id);
	house_write(cx, ROOM_tenant, &row.id, &row.id, &q_tenant_insert_query, &row);
	return row.id;
}

static inline struct uuid add_user(struct ctx *cx, const struct uuid *tenant)
{
	struct user row = {.tenant_id = *tenant,
			   .id = house_id(cx),
			   .password_hash = "x",
			   .created_at = cx->now};

	row.name = row.search_name = row.email = row.email_key = house_name(cx, &row.id);
	house_write(cx, ROOM_user, tenant, &row.id, &q_user_insert_query, &row);
	return row.id;
}

static inline struct uuid add_category(struct ctx *cx, const struct uuid *tenant)
{
	struct category row = {.tenant_id = *tenant,
			       .id = house_id(cx),
			       .is_active = true,
			       .created_at = cx->now};

	row.name = row.search_name = house_name(cx, &row.id);
	house_write(cx, ROOM_resource, tenant, &row.id, &q_category_insert_query, &row);
	return row.id;
}

static inline struct uuid add_resource(struct ctx *cx, const struct uuid *tenant, const struct uuid *category)
{
	struct resource row = {.tenant_id = *tenant,
			       .id = house_id(cx),
			       .category_id = *category,
			       .category.version = 1,
			       .capacity = INT_NONE,
			       .created_at = cx->now};

	row.name = row.search_name = house_name(cx, &row.id);
	house_write(cx, ROOM_resource, tenant, &row.id, &q_resource_insert_query, &row);
	return row.id;
}

/* A booking of an hour, not in the store yet. */
static inline struct booking draft_booking(struct ctx *cx, const struct uuid *tenant,
					   const struct uuid *resource, const struct uuid *user, utime start)
{
	struct booking row = {
		.tenant_id = *tenant,
		.id = house_id(cx),
		.resource_id = *resource,
		.user_id = *user,
		.start_time = start,
		.end_time = start + UTIME_HOUR,
		.version = 1,
		.cancelled_at = UTIME_NONE,
		.created_at = cx->now,
		.updated_at = cx->now,
	};

	row.change_id = row.id;
	row.confirmation_code = house_name(cx, &row.id);
	return row;
}

/* Under a lock row that is committed: see resource_lock in booking/queries.sql. */
static inline void open_lock(struct ctx *cx, const struct uuid *tenant, const struct uuid *resource)
{
	const struct q_resource_lock_in lock = {*tenant, *resource};
	const struct q_resource_lock_open_in open = {*tenant, *resource};

	house_write(cx, ROOM_booking, tenant, resource, &q_resource_lock_query, &lock);
	house_write(cx, ROOM_booking, tenant, resource, &q_resource_lock_open_query, &open);
}

#endif
