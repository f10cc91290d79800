/* Migrations of a store in use: indexes that are built beside writers, and tables that somebody holds. */
#include "db/db_fixture.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <time.h>

static int set_up(void **state)
{
	struct fixture *fixture = fixture_postgres();

	fixture_open(fixture);
	fixture_close(fixture);
	*state = fixture;
	return 0;
}

/* --- Somebody else at the store ----------------------------------------------------- */

static void tell(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
}

static PGconn *somebody(const struct fixture *fixture)
{
	PGconn *conn = PQconnectdb(fixture->url);

	assert_int_equal(PQstatus(conn), CONNECTION_OK);
	tell(conn, "SET app.tenant = '*'");
	tell(conn, "SET statement_timeout = '60s'");
	return conn;
}

static bool says(PGconn *conn, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	bool yes;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		fail_msg("%s: %s", sql, PQerrorMessage(conn));
	yes = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return yes;
}

static void until(PGconn *conn, const char *sql)
{
	const struct timespec pause = {.tv_nsec = 20000000};

	for (int i = 0; i < 3000; i++) {
		if (says(conn, sql))
			return;
		nanosleep(&pause, NULL);
	}
	fail_msg("it never came true: %s", sql);
}

/* --- A migration on a thread of its own ----------------------------------------------- */

static const char *const nothing[] = {NULL};

struct work {
	struct fixture *fixture;
	struct query_set set;
	struct migration migrations[3];
	pthread_t thread;
	enum rc rc;
};

static void *migrate(void *arg)
{
	struct work *work = arg;
	struct db *db;

	work->rc = db_open(&work->set, &work->fixture->options, &db);
	if (work->rc != RC_OK)
		return NULL;
	work->rc = db_migrate(db, -1, NULL);
	db_close(db);
	return NULL;
}

static void begin(struct work *work, struct fixture *fixture, const char *const *statements, bool online)
{
	*work = (struct work){
		.fixture = fixture,
		.set = testroom_queries,
		.migrations = {{1, "things", {nothing, nothing}, 0, false},
			       {2, "counters", {nothing, nothing}, 0, false},
			       {3, "more", {statements, statements}, 0, online}},
	};
	work->set.migrations = work->migrations;
	work->set.migration_count = 3;
	assert_int_equal(pthread_create(&work->thread, NULL, migrate, work), 0);
}

static enum rc end(struct work *work)
{
	pthread_join(work->thread, NULL);
	return work->rc;
}

#define INSERT_COUNTER \
	"INSERT INTO counters (tenant_id, id, version) VALUES (gen_random_uuid(), gen_random_uuid(), 1)"
#define INDEX_IS(what)                  \
	"SELECT COALESCE((SELECT " what \
	" FROM pg_index WHERE indexrelid = to_regclass('counters_more')), FALSE)"

static const char *const online[] = {"CREATE INDEX CONCURRENTLY counters_more ON counters (version, id)",
				     NULL};

/* Of two processes: one builds, the other waits for it, and neither waits for the other for ever. */
static void test_index_beside_writers(void **state)
{
	struct fixture *fixture = *state;
	PGconn *slow = somebody(fixture), *writer = somebody(fixture);
	struct work first, second;

	tell(slow, "BEGIN");
	tell(slow, INSERT_COUNTER); /* a build waits for this transaction */
	begin(&first, fixture, online, true);
	until(writer, "SELECT EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE datname = "
		      "current_database())");
	begin(&second, fixture, online, true);
	tell(writer, INSERT_COUNTER); /* and yet nobody waits for the build */
	assert_false(says(writer, INDEX_IS("indisvalid")));
	tell(slow, "COMMIT");
	assert_int_equal(end(&first), RC_OK);
	assert_int_equal(end(&second), RC_OK);
	assert_true(says(writer, INDEX_IS("indisvalid")));
	assert_true(says(writer, "SELECT count(*) = 1 FROM marca_schema WHERE number = 3"));
	PQfinish(slow);
	PQfinish(writer);
}

/* What a build leaves that was interrupted: an index that no query uses, and that writers keep up all the
 * same. */
static void test_half_built(void **state)
{
	struct fixture *fixture = *state;
	PGconn *conn = somebody(fixture);
	struct work work;

	tell(conn, INSERT_COUNTER);
	tell(conn, INSERT_COUNTER);
	PQclear(PQexec(
		conn,
		"CREATE UNIQUE INDEX CONCURRENTLY counters_more ON counters (version)")); /* fails half way */
	assert_true(says(conn, INDEX_IS("NOT indisvalid")));
	begin(&work, fixture, online, true);
	assert_int_equal(end(&work), RC_OK);
	assert_true(says(conn, INDEX_IS("indisvalid AND NOT indisunique")));
	PQfinish(conn);
}

/* A statement that waits for a table in use has all others wait behind it: it gives up, they go on, it tries
 * again. */
static void test_table_in_use(void **state)
{
	static const char *const column[] = {"ALTER TABLE counters ADD COLUMN more bigint", NULL};
	struct fixture *fixture = *state;
	PGconn *report = somebody(fixture), *reader = somebody(fixture);
	struct work work;

	tell(report, "BEGIN");
	tell(report, "SELECT count(*) FROM counters"); /* a long query, as far as locks go */
	begin(&work, fixture, column, false);
	until(reader, "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = to_regclass('counters') AND "
		      "NOT granted)");
	tell(reader, "SELECT count(*) FROM counters"); /* behind it, until it gives up */
	assert_true(says(reader, "SELECT count(*) = 0 FROM marca_schema WHERE number = 3"));
	tell(report, "COMMIT");
	assert_int_equal(end(&work), RC_OK);
	assert_true(says(reader, "SELECT count(more) = 0 FROM counters"));
	PQfinish(report);
	PQfinish(reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_index_beside_writers, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_half_built, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_table_in_use, set_up, fixture_end),
	};
	struct fixture *probe = fixture_postgres();

	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
