/*
 * What goes wrong only behind a pooler, which gives each transaction a connection that others have used: what
 * one leaves behind, and what it finds. PgBouncer has two connections here (scripts/with-postgres), and two
 * clients that are within a transaction hold one each.
 */
#include "db/db_fixture.h"

#include <libpq-fe.h>
#include <stdio.h>

#define CONNECTIONS 2

static int set_up(void **state)
{
	return fixture_begin(state, fixture_pooler());
}

/* --- Somebody else, on the same connections -------------------------------- */

static void run(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	PQclear(result);
}

static bool is_true(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);
	bool answer;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	answer = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return answer;
}

/* Holds all of the pooler's connections. */
static void hold_all(const struct fixture *fixture, PGconn *others[CONNECTIONS])
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		others[i] = PQconnectdb(fixture->url);
		run(others[i], "BEGIN");
	}
}

static void let_go(PGconn *others[CONNECTIONS])
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		run(others[i], "COMMIT");
		PQfinish(others[i]);
	}
}

static void on_all(const struct fixture *fixture, const char *sql)
{
	PGconn *others[CONNECTIONS];

	hold_all(fixture, others);
	for (size_t i = 0; i < CONNECTIONS; i++)
		run(others[i], sql);
	let_go(others);
}

/* As a fresh connection is: the login, nobody's rows, nothing set by a session, nothing prepared. */
static bool all_clean(const struct fixture *fixture)
{
	PGconn *others[CONNECTIONS];
	bool clean = true;

	hold_all(fixture, others);
	for (size_t i = 0; i < CONNECTIONS; i++)
		clean &= is_true(
			others[i],
			"SELECT current_user = session_user AND COALESCE(current_setting('app.tenant', "
			"TRUE), "
			"'') = '' AND NOT EXISTS (SELECT 1 FROM pg_settings WHERE source = 'session' AND "
			"name "
			"IN ('plan_cache_mode', 'jit', 'enable_seqscan', 'enable_sort', 'statement_timeout', "
			"'idle_in_transaction_session_timeout', 'row_security', 'transaction_read_only')) "
			"AND NOT EXISTS (SELECT 1 FROM pg_prepared_statements)");
	let_go(others);
	return clean;
}

/* --- What marca leaves ------------------------------------------------------ */

static void work(struct fixture *fixture, size_t doomed_of)
{
	static struct raise raises[60];

	memset(raises, 0, sizeof(raises));
	for (size_t i = 0; i < ARRAY_LEN(raises); i++) {
		raises[i].key = new_id(fixture);
		raises[i].doomed = doomed_of > 0 && i % doomed_of == 0;
	}
	raise_all(fixture, raises, ARRAY_LEN(raises));
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < ARRAY_LEN(raises); i++)
		if (!raises[i].doomed)
			assert_int_equal(counter_of(fixture, &raises[i].key), 1);
	raise_finish(raises, ARRAY_LEN(raises));
}

static void test_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;

	work(fixture, 0);
	assert_true(all_clean(fixture));
	work(fixture, 4); /* with failures, which are taken back apart */
	assert_true(all_clean(fixture));
}

/* The look above sees what a transaction would leave that forgot LOCAL. */
static void test_leak_is_seen(void **state)
{
	static const char *const leaks[] = {
		"SET app.tenant = '01890000-0000-7000-8000-000000000000'",
		"SET ROLE marca_app",
		"SET plan_cache_mode = force_custom_plan",
		"PREPARE kept AS SELECT 1",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LEN(leaks); i++) {
		on_all(fixture, leaks[i]);
		assert_false(all_clean(fixture));
		on_all(fixture, "DEALLOCATE ALL; RESET ROLE; RESET ALL");
		assert_true(all_clean(fixture));
	}
}

/* --- What marca finds --------------------------------------------------------- */

struct told {
	const struct query *query;
	struct uuid tenant;
	int64_t count;
};

static void ask(struct ctx *cx, void *arg)
{
	struct told *told = arg;
	const struct q_things_count_in in = {told->tenant};
	struct rows rows;

	assert_int_equal(db_read(cx, told->query, &in, &rows), RC_OK);
	told->count = ((const struct q_things_count_out *)rows.items)->count;
}

/* things_count with other SQL. A query is prepared under its index. */
static int64_t ask_with(struct fixture *fixture, const char *sql, const struct uuid *tenant)
{
	struct query bent = q_things_count_query;
	struct told told = {&bent, *tenant, -1};
	struct arena arena;

	bent.sql[DIALECT_POSTGRES] = sql;
	arena_init(&arena, &fixture->pool);
	on_fiber(fixture, &arena, ask, &told);
	arena_finish(&arena);
	return told.count;
}

/* Somebody has opened all tenants' rows on each connection, as the owner, without a wall: none of it holds.
 */
static void test_finds_leaks(void **state)
{
	static const char every_row[] = "SELECT COUNT(*) FROM things WHERE $1 IS NOT NULL";
	struct fixture *fixture = *state;
	struct uuid other = new_id(fixture);

	work(fixture, 0);
	assert_int_equal(ask_with(fixture, every_row, &fixture->tenant), 60);
	on_all(fixture, "SET app.tenant = '*'");
	assert_int_equal(ask_with(fixture, every_row, &other), 0);
	assert_int_equal(ask_with(fixture, every_row, &fixture->tenant), 60);
	assert_int_equal(
		ask_with(fixture,
			 "SELECT COUNT(*) FROM pg_user WHERE $1 IS NOT NULL AND current_user = 'marca_app' "
			 "AND current_setting('row_security') = 'on' AND "
			 "current_setting('plan_cache_mode') = 'force_generic_plan' AND "
			 "current_setting('statement_timeout') = '5s' AND "
			 "current_setting('transaction_read_only') = 'on' AND usename = session_user",
			 &other),
		1);
	on_all(fixture, "RESET ALL");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_leaves_nothing, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_leak_is_seen, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_finds_leaks, set_up, fixture_end),
	};
	struct fixture *probe = fixture_pooler();

	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
