/* whole_test sqlite|postgres|pooler: a store as a whole is what it was at one instant, or is filled at once
 * or not.
 */
#include "db/db_fixture.h"
#include "db/whole.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

static const char *kind;
static bool on_postgres;

static int set_up(void **state)
{
	return fixture_begin(state, fixture_of(kind));
}

static const struct table *table_named(const char *name)
{
	const struct table *table = testroom_queries.whole;

	while (strcmp(table->name, name) != 0)
		table++;
	return table;
}

static enum rc count_row(void *arg, const struct table *table, const void *row)
{
	(void)table;
	(void)row;
	++*(int *)arg;
	return RC_OK;
}

static int rows_seen(struct db_whole *whole, const char *table)
{
	int count = 0;

	assert_int_equal(db_whole_scan(whole, table_named(table), count_row, &count), RC_OK);
	return count;
}

static void raise_once(struct fixture *fixture)
{
	struct raise raise = {.key = new_id(fixture)};

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	assert_int_equal(raise.rc, RC_OK);
	raise_finish(&raise, 1);
}

/* A row of counters, as its columns have it. */
struct counter {
	struct uuid tenant_id, id;
	int64_t version;
};

static void put_counters(struct db_whole *whole, const struct counter *counters, size_t count,
			 enum rc expected)
{
	const void *rows[4];

	for (size_t i = 0; i < count; i++)
		rows[i] = &counters[i];
	assert_int_equal(db_whole_put(whole, table_named("counters"), rows, count), expected);
}

/* What is committed after the look is not in it; of a store that this process writes meanwhile (PostgreSQL),
 * and of one that another one looks at (SQLite: a guest). */
static void test_one_instant(void **state)
{
	struct fixture *fixture = *state;
	struct db_options options = fixture->options;
	struct db_whole *whole;
	struct db *guest;

	raise_once(fixture);
	options.guest = true;
	assert_int_equal(db_open(&testroom_queries, &options, &guest), RC_OK);
	assert_int_equal(db_whole_begin(guest, WHOLE_READ, &whole), RC_OK);
	assert_int_equal(rows_seen(whole, "counters"), 1);
	raise_once(fixture);
	assert_int_equal(rows_seen(whole, "counters"), 1);
	assert_int_equal(db_whole_end(whole, false), RC_OK);
	assert_int_equal(db_whole_begin(guest, WHOLE_READ, &whole), RC_OK);
	assert_int_equal(rows_seen(whole, "counters"), 2);
	assert_int_equal(db_whole_end(whole, false), RC_OK);
	db_close(guest);
}

static void test_kept_or_not(void **state)
{
	struct fixture *fixture = *state;
	const struct counter counters[] = {{fixture->tenant, new_id(fixture), 1},
					   {fixture->tenant, new_id(fixture), INT64_MAX}};
	struct db_whole *whole;
	bool has = true;

	for (int keep = 0; keep < 2; keep++) {
		assert_int_equal(db_whole_begin(fixture->db, WHOLE_WRITE, &whole), RC_OK);
		assert_int_equal(db_whole_has_rows(whole, table_named("counters"), &has), RC_OK);
		assert_false(has);
		put_counters(whole, counters, 2, RC_OK);
		assert_int_equal(db_whole_has_rows(whole, table_named("counters"), &has), RC_OK);
		assert_true(has);
		assert_int_equal(db_whole_check(whole, true), RC_OK);
		assert_int_equal(db_whole_end(whole, keep != 0), RC_OK);
	}
	assert_int_equal(counter_of(fixture, &counters[1].id), INT64_MAX);
	assert_int_equal(db_whole_begin(fixture->db, WHOLE_WRITE, &whole), RC_OK);
	assert_int_equal(db_whole_wipe(whole, table_named("counters")), RC_OK);
	assert_int_equal(db_whole_end(whole, true), RC_OK);
	assert_int_equal(counter_of(fixture, &counters[1].id), 0);
}

static void test_a_row_twice(void **state)
{
	struct fixture *fixture = *state;
	const struct counter counter = {fixture->tenant, new_id(fixture), 1};
	const struct counter counters[] = {counter, counter};
	struct db_whole *whole;

	assert_int_equal(db_whole_begin(fixture->db, WHOLE_WRITE, &whole), RC_OK);
	put_counters(whole, counters, 2, RC_STORE_CONSTRAINT);
	assert_int_equal(db_whole_end(whole, false), RC_OK);
	assert_int_equal(counter_of(fixture, &counter.id), 0);
	raise_once(fixture); /* it can still be written to */
}

static enum rc stop(void *arg, const struct table *table, const void *row)
{
	(void)arg;
	(void)table;
	(void)row;
	return RC_OVERLOADED;
}

static void test_a_scan_that_stops(void **state)
{
	struct fixture *fixture = *state;
	struct db_whole *whole;

	raise_once(fixture);
	assert_int_equal(db_whole_begin(fixture->db, WHOLE_READ, &whole), RC_OK);
	assert_int_equal(db_whole_scan(whole, table_named("counters"), stop, NULL), RC_OVERLOADED);
	assert_int_equal(db_whole_end(whole, false), RC_OK);
	raise_once(fixture);
}

/* --- Holding --------------------------------------------------------------- */

/* Could somebody else number events just now? Does not wait. */
static bool may_number(const struct fixture *fixture)
{
	sqlite3 *db = NULL;
	PGconn *pg;
	PGresult *result;
	bool may;

	if (!on_postgres) {
		assert_int_equal(sqlite3_open(fixture->url + strlen("sqlite:"), &db), SQLITE_OK);
		may = sqlite3_exec(db, "BEGIN IMMEDIATE; ROLLBACK", NULL, NULL, NULL) == SQLITE_OK;
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_close(db);
		return may;
	}
	pg = PQconnectdb(fixture->direct);
	result = PQexec(pg, "SELECT 1 FROM testroom_relay FOR UPDATE NOWAIT");
	may = PQresultStatus(result) == PGRES_TUPLES_OK;
	if (!may)
		assert_string_equal(PQresultErrorField(result, PG_DIAG_SQLSTATE), "55P03");
	PQclear(result);
	PQfinish(pg);
	return may;
}

static void test_hold(void **state)
{
	struct fixture *fixture = *state;
	struct db_whole *whole;

	assert_int_equal(db_whole_open(fixture->db, &whole), RC_OK);
	assert_true(may_number(fixture));
	assert_int_equal(db_whole_hold(whole), RC_OK);
	assert_false(may_number(fixture));
	assert_int_equal(db_whole_start(whole, WHOLE_READ), RC_OK);
	assert_false(may_number(fixture));
	db_whole_release(whole);
	assert_true(may_number(fixture));
	assert_int_equal(db_whole_hold(whole), RC_OK);
	assert_int_equal(db_whole_end(whole, false), RC_OK); /* which releases */
	assert_true(may_number(fixture));
}

/* --- Files ------------------------------------------------------------------- */

static bool go_on(void *arg, int64_t bytes, int64_t of)
{
	*(int64_t *)arg = bytes;
	return bytes <= of;
}

static bool refuse(void *arg, int64_t bytes, int64_t of)
{
	(void)arg;
	return bytes > of;
}

static void test_files(void **state)
{
	struct fixture *fixture = *state;
	struct db_whole *whole;
	int64_t bytes = 0;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s/copy.db", on_postgres ? "/tmp" : fixture->folder);
	raise_once(fixture);
	assert_int_equal(db_whole_begin(fixture->db, WHOLE_READ, &whole), RC_OK);
	if (on_postgres) {
		assert_int_equal(db_whole_copy(whole, copy, go_on, &bytes), RC_INTERNAL);
		assert_int_equal(db_whole_end(whole, false), RC_OK);
		assert_int_equal(db_replace_file(fixture->db, copy), RC_INTERNAL);
		return;
	}
	assert_int_equal(db_whole_copy(whole, copy, refuse, NULL), RC_INTERNAL);
	unlink(copy);
	assert_int_equal(db_whole_copy(whole, copy, go_on, &bytes), RC_OK);
	assert_int_equal(db_whole_end(whole, false), RC_OK);
	assert_true(bytes > 0);

	raise_once(fixture); /* which the copy does not have */
	assert_int_equal(db_replace_file(fixture->db, copy), RC_OK);
	assert_int_not_equal(access(copy, F_OK), 0);
	fixture_close(fixture);
	fixture_open(fixture);
	assert_int_equal(db_whole_begin(fixture->db, WHOLE_READ, &whole), RC_OK);
	assert_int_equal(rows_seen(whole, "counters"), 1);
	assert_int_equal(db_whole_check(whole, true), RC_OK);
	assert_int_equal(db_whole_end(whole, false), RC_OK);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_instant, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_kept_or_not, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_a_row_twice, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_a_scan_that_stops, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_hold, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_files, set_up, fixture_end),
	};

	struct fixture *probe;

	kind = argc > 1 ? argv[1] : "sqlite";
	on_postgres = strcmp(kind, "sqlite") != 0;
	probe = fixture_of(kind);
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
