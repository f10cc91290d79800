/* What only the embedded store can get wrong. The rest is in db_test.c. */
#include "db/db_fixture.h"
#include "db/sqlite.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
	return fixture_begin(state, fixture_sqlite());
}

/* In a child: exits with 0 when the store lets it in. */
static int opens_elsewhere(struct fixture *fixture)
{
	pid_t pid = fork();
	struct db *db;
	int status;

	if (pid == 0)
		_exit(db_open(&testroom_queries, &fixture->options, &db) == RC_OK ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_second_process(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(opens_elsewhere(fixture), 1);
	fixture_close(fixture);
	assert_int_equal(opens_elsewhere(fixture), 0);
}

static void test_second_open(void **state)
{
	struct fixture *fixture = *state;
	struct db *db;

	assert_int_equal(db_open(&testroom_queries, &fixture->options, &db), RC_STORE_DOWN);
}

static void test_no_folder(void **state)
{
	struct fixture *fixture = *state;
	struct db_options options = fixture->options;
	struct db *db;

	options.url = "sqlite:/nowhere/at/all/store.db";
	assert_int_equal(db_open(&testroom_queries, &options, &db), RC_STORE_DOWN);
	options.url = "mysql://127.0.0.1/marca";
	assert_int_equal(db_open(&testroom_queries, &options, &db), RC_INTERNAL);
}

/* Reads of a thread's port cannot change anything, even if a query tried. */
static void write_by_read(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	const struct q_counter_raise_in in = {fixture->tenant, fixture->tenant};
	struct rows rows;

	assert_int_equal(db_read(cx, &q_counter_raise_query, &in, &rows), RC_INTERNAL);
}

static void test_reads_only(void **state)
{
	struct fixture *fixture = *state;
	struct arena arena;

	arena_init(&arena, &fixture->pool);
	on_fiber(fixture, &arena, write_by_read, fixture);
	arena_finish(&arena);
	assert_int_equal(counter_of(fixture, &fixture->tenant), 0);
}

static off_t size_of(const struct fixture *fixture, const char *suffix)
{
	char path[128];
	struct stat about;

	snprintf(path, sizeof(path), "%s/store.db%s", fixture->folder, suffix);
	assert_int_equal(stat(path, &about), 0);
	return about.st_size;
}

/* The WAL is copied into the database while the store is open, not only at the end. */
static void test_checkpoints(void **state)
{
	static struct raise raises[64];
	struct fixture *fixture = *state;

	for (int round = 0; round < 60; round++) {
		memset(raises, 0, sizeof(raises));
		for (size_t i = 0; i < ARRAY_LEN(raises); i++)
			raises[i].key = new_id(fixture);
		raise_all(fixture, raises, ARRAY_LEN(raises));
		harness_wait(&fixture->harness);
		raise_finish(raises, ARRAY_LEN(raises));
	}
	assert_in_range(size_of(fixture, "-wal"), 0, 12000 * 4096);
	/* When nothing has come for a while. */
	for (int i = 0; i < 500 && size_of(fixture, "") < 100 * 4096; i++)
		usleep(20000);
	assert_in_range(size_of(fixture, ""), 100 * 4096, SIZE_MAX);
}

static int checkpoint_elsewhere(const struct fixture *fixture)
{
	sqlite3 *db;
	int code;

	assert_int_equal(sqlite3_open(fixture->options.url + strlen("sqlite:"), &db), SQLITE_OK);
	/* Until it has read something it does not know that there is a WAL. */
	assert_int_equal(sqlite3_exec(db, "SELECT name FROM sqlite_schema", NULL, NULL, NULL), SQLITE_OK);
	code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(db);
	return code;
}

/* A thread's reads share a look at the store, which holds on to the WAL until the thread rests. */
static void test_rest(void **state)
{
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	assert_int_equal(checkpoint_elsewhere(fixture), SQLITE_BUSY);
	db_port_rest(fixture->port);
	assert_int_equal(checkpoint_elsewhere(fixture), SQLITE_OK);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	raise_finish(&raise, 1);
}

/* Foreign keys are off while a migration runs, and yet it may not leave an orphan. */
static void test_orphan(void **state)
{
	static const char *const nothing[] = {NULL};
	static const char *const orphan[] = {
		"CREATE TABLE parents (id INTEGER PRIMARY KEY)",
		"CREATE TABLE children (id INTEGER, parent INTEGER, "
		"CONSTRAINT children_parent FOREIGN KEY (parent) REFERENCES parents (id))",
		"INSERT INTO children VALUES (1, 7)",
		NULL,
	};
	const struct migration migrations[] = {
		{1, "things", {nothing, nothing}},
		{2, "counters", {nothing, nothing}},
		{3, "orphan", {orphan, orphan}},
	};
	struct fixture *fixture = *state;
	struct query_set set = testroom_queries;
	bool fits;
	int version;

	fixture_close(fixture);
	set.migrations = migrations;
	set.migration_count = 3;
	assert_int_equal(db_open(&set, &fixture->options, &fixture->db), RC_OK);
	assert_int_equal(db_migrate(fixture->db, -1, NULL), RC_INTERNAL);
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	assert_int_equal(version, 2);
	fixture_close(fixture);
}

/* --- The writer's log ---------------------------------------------------------- */

#define LOG_ROWS 300

/* As the store opens its writer, but that a few pages fill its cache: what is under way goes to the log
 * early. */
static sqlite3 *open_writer(const char *path)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
					 sqlite_vfs(false)),
			 SQLITE_OK);
	sqlite_gather(db);
	assert_int_equal(
		sqlite3_exec(
			db,
			"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = 10;"
			"PRAGMA wal_autocheckpoint = 0; CREATE TABLE IF NOT EXISTS t (n INTEGER, b BLOB)",
			NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	return db;
}

static void add_rows(sqlite3 *db, int n)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < %d) "
		 "INSERT INTO t SELECT %d, randomblob(3000) FROM r",
		 LOG_ROWS, n);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void run_sql(sqlite3 *db, const char *sql)
{
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int keep_text(void *arg, int columns, char **values, char **names)
{
	(void)columns;
	(void)names;
	snprintf(arg, 128, "%s", values[0]);
	return 0;
}

static void check_rows(const char *path, const char *expected)
{
	char said[128] = "";
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check", keep_text, said, NULL), SQLITE_OK);
	assert_string_equal(said, "ok");
	assert_int_equal(
		sqlite3_exec(
			db,
			"SELECT group_concat(n || 'x' || c) FROM (SELECT n, COUNT(*) AS c FROM t GROUP BY n ORDER BY n)",
			keep_text, said, NULL),
		SQLITE_OK);
	assert_string_equal(said, expected);
	sqlite3_close(db);
}

/* What was rolled back, and had gone to the log already, is never written over what another process commits
 * there. */
static void test_rolled_back(void **state)
{
	const struct fixture *fixture = *state;
	char path[128];
	sqlite3 *one, *other;

	snprintf(path, sizeof(path), "%s/log.db", fixture->folder);
	one = open_writer(path);
	other = open_writer(path);
	run_sql(one, "PRAGMA wal_checkpoint(TRUNCATE)"); /* no page is read from it, by which it would be
							    written */
	run_sql(one, "BEGIN");
	add_rows(one, 1);
	run_sql(one, "ROLLBACK");
	add_rows(other, 2);
	run_sql(one, "BEGIN; SELECT COUNT(*) FROM t; COMMIT");
	check_rows(path, "2x300");
	run_sql(other, "BEGIN");
	add_rows(other, 3);
	run_sql(other, "SAVEPOINT s");
	add_rows(other, 4);
	run_sql(other, "ROLLBACK TO s; ROLLBACK");
	add_rows(one, 5);
	sqlite3_close(other);
	check_rows(path, "2x300,5x300");
	sqlite3_close(one);
	check_rows(path, "2x300,5x300");
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A commit that finds no room for its log is none, and those before and after it are. */
static void test_no_room(void **state)
{
	const struct fixture *fixture = *state;
	char path[128], log[128 + 4];
	struct stat about;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/log.db", fixture->folder);
	snprintf(log, sizeof(log), "%s-wal", path);
	db = open_writer(path);
	add_rows(db, 1);
	assert_int_equal(stat(log, &about), 0);
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t room = 0; room < 400000; room += 99999) {
		limit_files((rlim_t)about.st_size + room);
		assert_int_not_equal(sqlite3_exec(db, "INSERT INTO t SELECT 2, b FROM t", NULL, NULL, NULL),
				     SQLITE_OK);
		limit_files(RLIM_INFINITY);
		assert_true(sqlite3_get_autocommit(db));
		check_rows(path, "1x300");
	}
	add_rows(db, 3);
	sqlite3_close(db);
	check_rows(path, "1x300,3x300");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_second_process, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_second_open, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_no_folder, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_reads_only, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_checkpoints, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_rest, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_orphan, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_rolled_back, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_no_room, set_up, fixture_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
