/*
 * No query of any room scans a table: each is found by an index, a list comes out of one in its order, and
 * the search for overlaps reads bookings_active between its bounds and nothing else, and what counts rows off
 * reads an index alone. On PostgreSQL with the plans that the stores' connections use, whatever the tables
 * held when a connection made them: they stay while the tables grow.
 *
 * SQLite plans by the schema alone as long as nobody runs ANALYZE, which marca never does.
 */
#include "app/app.h"
#include "db/postgres.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX   16384
#define COLUMN_MAX 64
#define BOUNDS	   "(tenant_id=? AND resource_id=? AND start_time>? AND start_time<?)"

static struct world world;
static int faults;

/* A bad plan is told, and the next one looked at. */
static void fault(const struct query *query, const char *what, const char *plan)
{
	print_error("%s: %s\n%s\n", query->name, what, plan);
	faults++;
}

/*
 * Bookings of a user, or of a resource, are searched by that: by the tenant alone would be to read all of the
 * tenant's past. `equals`: as a plan writes it.
 */
static bool reads_all_of_tenant(const struct query *query, const char *sql, const char *plan,
				const char *equals)
{
	static const char *const columns[] = {"user_id", "resource_id"};
	bool is_wanted = false, is_searched = false;
	char wanted[40], searched[40];

	if (query->rows != ROWS_MANY || strstr(sql, "FROM bookings b") == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		snprintf(wanted, sizeof(wanted), "AND b.%s = $", columns[i]);
		snprintf(searched, sizeof(searched), "%s%s", columns[i], equals);
		is_wanted |= strstr(sql, wanted) != NULL;
		is_searched |= strstr(sql, wanted) != NULL && strstr(plan, searched) != NULL;
	}
	return is_wanted && !is_searched;
}

/* Whoever asks which bookings block time. */
static bool searches_overlaps(const char *sql)
{
	return strstr(sql, "status IN ('pendente', 'confirmado')") != NULL;
}

/* Whoever counts rows off before the one that he wants. */
static bool counts_off(const char *sql)
{
	return strstr(sql, " OFFSET $") != NULL;
}

static void migrate(enum room room, const char *url)
{
	const struct db_options options = {.url = url, .world = &world};
	struct db *db;

	assert_int_equal(db_open(app_queries[room], &options, &db), RC_OK);
	assert_int_equal(db_migrate(db, -1, NULL), RC_OK);
	db_close(db);
}

/* --- SQLite ----------------------------------------------------------------- */

static void add_line(char *plan, const char *line)
{
	size_t len = strlen(plan);

	snprintf(plan + len, TEXT_MAX - len, "  %s\n", line);
}

/* Events that wait are a queue, taken from its head up to a limit. */
static bool is_queue(const char *scan)
{
	const char *waiting = strstr(scan, "_outbox_waiting"), *end = strchr(scan, '\n');

	return waiting != NULL && waiting < end;
}

/* All of a table or an index; but for events that wait, a queue taken from its head, and what a query made
 * itself. */
static bool has_scan(const char *plan)
{
	for (const char *at = plan; (at = strstr(at, "SCAN ")) != NULL; at++) {
		if (strncmp(at, "SCAN w\n", 7) != 0 && strncmp(at, "SCAN (subquery", 14) != 0 &&
		    !is_queue(at))
			return true;
	}
	return false;
}

static void judge_on_sqlite(sqlite3 *db, const struct query *query)
{
	const char *sql = query->sql[DIALECT_SQLITE];
	char explain[TEXT_MAX], plan[TEXT_MAX] = "";
	sqlite3_stmt *stmt;

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		add_line(plan, (const char *)sqlite3_column_text(stmt, 3));
	sqlite3_finalize(stmt);

	if (has_scan(plan))
		fault(query, "scans a table", plan);
	if (strstr(plan, "TEMP B-TREE") != NULL || strstr(plan, "AUTOMATIC") != NULL)
		fault(query, "sorts, or makes an index of its own", plan);
	if (reads_all_of_tenant(query, sql, plan, "=?"))
		fault(query, "reads all of a tenant's bookings", plan);
	if (searches_overlaps(sql) && strstr(plan, "COVERING INDEX bookings_active " BOUNDS) == NULL)
		fault(query, "reads more than the bounds of bookings_active", plan);
	if (counts_off(sql) && strstr(plan, "USING COVERING INDEX") == NULL)
		fault(query, "counts off rows of a table", plan);
}

static void remove_store(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char file[160];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
}

static void on_sqlite(void **state)
{
	char folder[] = "/tmp/marca-plans-XXXXXX", path[128], url[160];
	sqlite3 *db;

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		snprintf(path, sizeof(path), "%s/%s.db", folder, app_queries[room]->name);
		snprintf(url, sizeof(url), "sqlite:%s", path);
		migrate((enum room)room, url);
		assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
		for (size_t i = 0; i < app_queries[room]->count; i++)
			judge_on_sqlite(db, app_queries[room]->queries[i]);
		sqlite3_close(db);
		remove_store(path);
	}
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(faults, 0);
}

/* --- PostgreSQL ------------------------------------------------------------- */

#define TABLES                                                                                               \
	"tenants, tenant_settings, users, sessions, refresh_tokens, categories, resources, resource_locks, " \
	"gone, bookings, "                                                                                   \
	"audit_events, audit_heads"

static const char *const prepare_fill[] = {
	"CREATE TABLE numbers AS SELECT n FROM generate_series(0, 99999) n",
	"CREATE FUNCTION an_id(number bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS "
	"$$ SELECT lpad(to_hex(number * 2654435761 % 4294967296), 32, '0')::uuid $$", /* scattered */
};

/* 100,000 rows a table; bookings: 100 resources with 1,000 each, of which the last 100 block time. */
static const char *const fill[] = {
	"INSERT INTO tenants (tenant_id, name, search_name, domain, plan, is_active, version, created_at, "
	"updated_at) "
	"SELECT an_id(n), 'T' || n, 't' || n, n || '.example.com', 'basico', true, 1, n, n "
	"FROM numbers",

	"INSERT INTO tenant_settings (tenant_id, id, business_type, timezone, working_hours_start, "
	"working_hours_end, booking_interval, advance_booking_days, cancellation_hours, custom_labels, "
	"auto_confirm, created_at, updated_at) "
	"SELECT an_id(n), an_id(n), 'x', 'UTC', 0, 86400, 30, 30, 24, '{}', false, n, n "
	"FROM numbers",

	"INSERT INTO users (tenant_id, id, name, search_name, email, email_key, user_type, is_active, "
	"can_book, "
	"can_manage_resources, can_manage_users, can_view_all_bookings, version, created_at, updated_at) "
	"SELECT an_id(n % 10), an_id(n), 'U' || n, 'u' || n, n || '@example.com', "
	"n || '@example.com', 'user', true, true, false, false, false, 1, n, n FROM numbers",

	"INSERT INTO sessions (tenant_id, id, user_id, auth_epoch, method, created_at, used_at, expires_at) "
	"SELECT an_id(n % 10), an_id(n), an_id(n % 1000), 0, 'password', n, n, n FROM numbers",

	"INSERT INTO refresh_tokens (tenant_id, session_id, hash, created_at, expires_at) "
	"SELECT an_id(n % 10), an_id(n % 1000), n::text, n, n FROM numbers",

	"INSERT INTO categories (tenant_id, id, name, search_name, type, is_active, touched, version, "
	"created_at, "
	"updated_at) "
	"SELECT an_id(n % 10), an_id(n), 'C' || n, 'c' || n, 'fisico', true, 0, 1, n, n "
	"FROM numbers",

	"INSERT INTO resources (tenant_id, id, category_id, name, search_name, status, version, created_at, "
	"updated_at) "
	"SELECT an_id(n % 10), an_id(n), an_id(n % 1000), 'R' || n, "
	"'r' || n, 'disponivel', 1, n, n FROM numbers",

	"INSERT INTO resource_locks (tenant_id, resource_id, version) "
	"SELECT an_id(n % 10), an_id(n), 1 FROM numbers",

	"INSERT INTO gone (tenant_id, id) SELECT an_id(n % 10), an_id(n) FROM numbers",

	"INSERT INTO bookings (tenant_id, id, resource_id, user_id, start_time, end_time, status, "
	"confirmation_code, recurring_enabled, version, change_id, created_at, updated_at) "
	"SELECT an_id(n % 10), an_id(n), an_id(n % 100), "
	"an_id(n % 1000), n / 100 * 3600000000, (n / 100 + 1) * 3600000000, "
	"CASE WHEN n < 90000 THEN 'concluido' ELSE 'confirmado' END, n::text, false, 1, an_id(n), n, n "
	"FROM numbers",

	"INSERT INTO audit_events (tenant_id, number, event_id, stream, sequence, type, subject_id, version, "
	"ordinal, occurred_at, trace_id, payload, recorded_at, payload_hash, hash) "
	"SELECT an_id(n % 10), n, an_id(n), 'booking-events', n, 'type.' || n % 10, an_id(n % 1000), 1, 0, "
	"n, "
	"'x', '{}', n, 'x', 'x' FROM numbers",

	"INSERT INTO audit_heads (tenant_id, number, hash) SELECT an_id(n), n, 'x' FROM numbers",
};

static PGresult *run(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	return result;
}

static void do_sql(PGconn *pg, const char *sql)
{
	PQclear(run(pg, sql));
}

static void fill_tables(PGconn *pg)
{
	for (size_t i = 0; i < ARRAY_LEN(fill); i++)
		do_sql(pg, fill[i]);
}

static Oid type_of(enum db_kind kind)
{
	static const Oid types[] = {
		[DB_UUID] = 2950, [DB_TIME] = 20,   [DB_INT] = 20,  [DB_BOOL] = 16,
		[DB_TEXT] = 25,	  [DB_JSON] = 3802, [DB_ENUM] = 25,
	};

	return types[kind];
}

/* The generic plan: one value's would tell nothing of the next. */
static void explain(PGconn *pg, const struct query *query, const char *sql, char plan[TEXT_MAX])
{
	Oid types[COLUMN_MAX];
	char execute[1024];
	PGresult *result;
	int len = snprintf(execute, sizeof(execute), "EXPLAIN (COSTS OFF) EXECUTE %s", query->name);

	assert_in_range(query->in_count, 0, COLUMN_MAX);
	for (size_t i = 0; i < query->in_count; i++) {
		types[i] = sql != query->together ? type_of(query->in[i].kind) : InvalidOid; /* in the text */
		len += snprintf(execute + len, sizeof(execute) - (size_t)len, "%sNULL", i == 0 ? "(" : ", ");
	}
	snprintf(execute + len, sizeof(execute) - (size_t)len, "%s", query->in_count > 0 ? ")" : "");
	result = PQprepare(pg, query->name, sql, (int)query->in_count, types);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", query->name, PQerrorMessage(pg));
	PQclear(result);
	result = run(pg, execute);
	plan[0] = '\0';
	for (int i = 0; i < PQntuples(result); i++)
		add_line(plan, PQgetvalue(result, i, 0));
	PQclear(result);
	do_sql(pg, "DEALLOCATE ALL");
}

/* An index that is read from end to end is as bad as a scan. */
static bool each_index_is_searched(const char *plan)
{
	size_t scans = 0, searches = 0;

	for (const char *at = plan; (at = strstr(at, "Scan using ")) != NULL; at++)
		scans += !is_queue(at);
	for (const char *at = plan; (at = strstr(at, "Bitmap Index Scan")) != NULL; at++)
		scans++;
	for (const char *at = plan; (at = strstr(at, "Index Cond: ")) != NULL; at++)
		searches++;
	return scans == searches;
}

/* "Index [Only] Scan using bookings_active ..., Index Cond: (tenant, resource, start below, start above,
 * ...)" */
static bool is_bounded(const char *plan)
{
	const char *scan = strstr(plan, "using bookings_active "), *cond;

	cond = scan != NULL ? strstr(scan, "Index Cond: ") : NULL;
	return cond != NULL && strstr(plan, "on bookings_active") == NULL &&
	       strstr(cond, "resource_id = ") != NULL && strstr(cond, "start_time < ") != NULL &&
	       strstr(cond, "start_time > ") != NULL;
}

static void judge_on_postgres(PGconn *pg, const struct query *query, const char *sql)
{
	char plan[TEXT_MAX];

	explain(pg, query, sql, plan);
	if (strstr(plan, "Seq Scan") != NULL || !each_index_is_searched(plan))
		fault(query, "scans a table", plan);
	if (reads_all_of_tenant(query, query->sql[DIALECT_POSTGRES], plan, " = "))
		fault(query, "reads all of a tenant's bookings", plan);
	if (query->rows == ROWS_MANY && strstr(plan, "Sort") != NULL)
		fault(query, "sorts", plan);
	if (searches_overlaps(query->sql[DIALECT_POSTGRES]) && !is_bounded(plan))
		fault(query, "reads more than the bounds of bookings_active", plan);
	if (counts_off(query->sql[DIALECT_POSTGRES]) && strstr(plan, "Index Only Scan") == NULL)
		fault(query, "counts off rows of a table", plan);
}

/* For one input, and for many at once. */
static void judge_both_ways(PGconn *pg, const struct query *query)
{
	judge_on_postgres(pg, query, query->sql[DIALECT_POSTGRES]);
	if (query->together != NULL)
		judge_on_postgres(pg, query, query->together);
}

static void judge_all_on_postgres(PGconn *pg, const char *tables)
{
	print_message("tables: %s\n", tables);
	do_sql(pg, "SET ROLE marca_app");
	for (size_t room = 0; room < SERVICE_COUNT; room++)
		for (size_t i = 0; i < app_queries[room]->count; i++)
			judge_both_ways(pg, app_queries[room]->queries[i]);
	do_sql(pg, "RESET ROLE");
}

/* With the options of the stores' own connections; to fill the tables, as the owner, of all tenants. */
static PGconn *connect_to(const char *server)
{
	const char *const keys[] = {"dbname", "options", NULL};
	const char *const values[] = {server,
				      "-c search_path=plans -c client_min_messages=warning "
				      "-c app.tenant=* " PG_PLANNING_OF(PG_OPTION),
				      NULL};
	PGconn *pg = PQconnectdbParams(keys, values, 1);

	if (PQstatus(pg) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(pg));
	return pg;
}

static void on_postgres(void **state)
{
	const char *server = getenv("MARCA_TEST_PG");
	char url[512];
	PGconn *pg;

	(void)state;
	if (server == NULL) {
		print_message("no MARCA_TEST_PG; scripts/with-postgres sets it\n");
		skip();
	}
	snprintf(url, sizeof(url), "%s?options=-csearch_path%%3Dplans", server);
	pg = connect_to(server);
	do_sql(pg, "DROP SCHEMA IF EXISTS plans CASCADE");
	do_sql(pg, "CREATE SCHEMA plans");
	for (size_t room = 0; room < SERVICE_COUNT; room++) /* the embedded bus is SQLite's alone */
		migrate((enum room)room, url);

	judge_all_on_postgres(pg, "empty");
	for (size_t i = 0; i < ARRAY_LEN(prepare_fill); i++)
		do_sql(pg, prepare_fill[i]);
	fill_tables(pg);
	judge_all_on_postgres(pg, "full, without statistics");
	do_sql(pg, "ANALYZE " TABLES);
	judge_all_on_postgres(pg, "full");
	/* So small that to read all of it is as fast: but the plan stays while the table grows. */
	do_sql(pg, "TRUNCATE " TABLES);
	do_sql(pg, "DELETE FROM numbers WHERE n >= 20");
	fill_tables(pg);
	do_sql(pg, "ANALYZE " TABLES);
	judge_all_on_postgres(pg, "small");

	do_sql(pg, "DROP SCHEMA plans CASCADE");
	PQfinish(pg);
	assert_int_equal(faults, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_sqlite),
		cmocka_unit_test(on_postgres),
	};

	world_init(&world, UTIME_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
